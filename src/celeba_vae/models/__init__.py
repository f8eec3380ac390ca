"""Encoders, decoders, losses, the autoencoder and the variational autoencoder. Importing this loads no TensorFlow."""

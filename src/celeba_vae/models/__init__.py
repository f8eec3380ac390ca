"""Encoders, decoders, losses, the autoencoder and the variational autoencoder, and how they are trained.

This package itself loads no TensorFlow, so that options can be checked before it starts; ``celeba_vae.models.layers``
registers the project's layers with Keras.
"""

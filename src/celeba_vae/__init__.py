"""Faces from latent space: variational autoencoders for CelebA with Keras and Kedro."""

__version__ = "0.1.0"

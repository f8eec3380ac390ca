"""Encode the training images."""

from pathlib import Path
from typing import Any

import numpy as np

from celeba_vae.config import GenerationConfig
from celeba_vae.latent.fitting import encode_images
from celeba_vae.storage import NumpyFile


def encode_training_images(
    encoder: Any, train_images: np.ndarray, latent_stages: Path, parameters: GenerationConfig
) -> NumpyFile:
    """Encode the first ``fit_images`` training images, see ``encode_images``."""
    return encode_images(encoder, train_images[: parameters.fit_images], latent_stages, parameters.fresh)

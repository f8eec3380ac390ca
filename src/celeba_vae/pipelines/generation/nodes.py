"""Encode the training images."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from celeba_vae.config import GenerationConfig
from celeba_vae.datasets import NumpyFile
from celeba_vae.npy import write_blocks
from celeba_vae.stages import Stage, content_of

logger = logging.getLogger(__name__)

# raise it when latents that older code wrote are no longer what this code would write
LATENTS_FORMAT = 1


def encode_training_images(
    encoder: Any, train_images: np.ndarray, latent_stages: Path, parameters: GenerationConfig
) -> NumpyFile:
    """Encode the first ``fit_images`` training images: mu of a variational encoder, z of a plain one.

    Latents that the same encoder made of the same images are handed on.

    Args:
        encoder: The variant's encoder.
        train_images: (n, h, w, 3) uint8.
        latent_stages: Folder that the latents are kept in.
        parameters: How many images are encoded.

    Returns:
        The file of an array (at most n, latent_dim) float32, its rows in the order of the images.
    """
    from celeba_vae.models.inference import encode_batches, weights_hash

    images = train_images[: parameters.fit_images]
    identity = {"format": LATENTS_FORMAT, "encoder": weights_hash(encoder), "train_images": content_of(images)}
    with Stage(latent_stages / "train_latents", identity, parameters.fresh) as stage:
        file = stage.path / "train_latents.npy"
        if stage.result is None:
            logger.info("Encoding %s training images", f"{len(images):,}")
            shape = (len(images), encoder.outputs[0].shape[-1])
            write_blocks(file, shape, np.dtype(np.float32), encode_batches(encoder, images))
            stage.finish({"rows": shape[0], "latent_dim": shape[1]})
        return NumpyFile(file)

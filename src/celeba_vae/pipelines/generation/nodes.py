"""Sample latents, decode them, sharpen the images, and show them."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.config import GenerationConfig
from celeba_vae.datasets import ImageFolder, NumpyFile
from celeba_vae.imaging.arrays import to_uint8
from celeba_vae.imaging.grids import image_grid
from celeba_vae.imaging.sharpening import sharpen
from celeba_vae.latent.samplers import standard_normal
from celeba_vae.npy import write_blocks
from celeba_vae.stages import Stage, content_of

logger = logging.getLogger(__name__)

GRID_SCALE = 2
GRID_COUNT = 140
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


def sample_latents(decoder: Any, parameters: GenerationConfig) -> np.ndarray:
    """Draw as many points of the decoder's latent space as images are wanted, (count, latent_dim) float32."""
    return standard_normal(parameters.count, decoder.input_shape[-1], parameters.seed)


def decode_latents(decoder: Any, latents: np.ndarray, parameters: GenerationConfig) -> ImageFolder:
    """Turn latents into uint8 images, with a table of where each comes from.

    The table's columns: ``variant``, ``sampler``, ``seed``, ``distance`` (L2 norm of the latents) and ``enhancer``.
    """
    from celeba_vae.models.inference import decode

    index = pd.DataFrame(
        {
            "variant": parameters.variant,
            "sampler": "standard_normal",
            "seed": parameters.seed,
            "distance": np.linalg.norm(latents.astype(np.float64), axis=1),
            "enhancer": "none",
        }
    )
    return ImageFolder(to_uint8(decode(decoder, latents)), index)


def sharpen_images(generated: ImageFolder, parameters: GenerationConfig) -> ImageFolder:
    """Sharpen the images by the factor ``sharpness``."""
    index = generated.index.assign(enhancer=f"sharpness {parameters.sharpness:g}")
    return ImageFolder(sharpen(generated.images, parameters.sharpness), index)


def draw_grid(images: ImageFolder, parameters: GenerationConfig) -> Image.Image:
    """Show the images, each with its file's number; of very many only the first."""
    shown = images.images[:GRID_COUNT]
    first = f"the first {len(shown)} of " if len(shown) < len(images.images) else ""
    enhancer = images.index["enhancer"].iloc[0]
    finish = "as decoded" if enhancer == "none" else enhancer
    title = f"{parameters.variant.upper()}: {first}{len(images.images)} faces from N(0, I)"
    return image_grid(
        shown,
        parameters.columns,
        title=f"{title}, seed {parameters.seed}, {finish}",
        captions=[f"{row:06d}" for row in range(len(shown))],
        scale=GRID_SCALE,
    )

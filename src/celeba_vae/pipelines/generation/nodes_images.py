"""Decode points of the latent space, enhance the images, and show them."""

from typing import Any

import numpy as np
from PIL import Image

from celeba_vae.config import GenerationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.datasets import ImageFolder
from celeba_vae.latent.provenance import enhancer_text, provenance
from celeba_vae.models.inference import decode_batches, to_uint8
from celeba_vae.photos.enhancers import enhance_blocks
from celeba_vae.reporting.face_grids import generated_grid, sharpening_series

GRID_COUNT = 140


def decode_latents(decoder: Any, latents: np.ndarray, parameters: GenerationConfig) -> ImageFolder:
    """Turn latents into uint8 images, decoded as they are saved, with a table from which each can be made again.

    Raises:
        DataError: the decoder has another number of latent dimensions than the points.
    """
    images = (to_uint8(batch) for batch in decode_batches(decoder, latents))
    return ImageFolder(images, provenance(decoder, latents, parameters))


def enhance_images(generated: ImageFolder, parameters: GenerationConfig) -> ImageFolder:
    """Pass the images through the chain ``enhancer``, as they are saved."""
    enhancers = [create_component("enhancers", config) for config in parameters.enhancer]
    index = generated.index.assign(enhancer=enhancer_text(parameters.enhancer))
    return ImageFolder(enhance_blocks(generated.blocks(), enhancers), index)


def draw_grid(images: ImageFolder, parameters: GenerationConfig) -> Image.Image:
    """Show the images, of very many only the first, see ``generated_grid``."""
    return generated_grid(images.first(GRID_COUNT), images.index, parameters.columns)


def draw_sharpening_series(generated: ImageFolder, parameters: GenerationConfig) -> Image.Image:
    """Show a row of the generated faces once for each of ``sharpening_factors``, see ``sharpening_series``."""
    return sharpening_series(generated.first(parameters.columns), parameters.sharpening_factors, parameters.variant)

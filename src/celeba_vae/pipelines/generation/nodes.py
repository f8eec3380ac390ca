"""New faces: fit samplers, draw points of the latent space, decode them, and show what lies on the way through it."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.config import GenerationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.datasets import ImageFolder
from celeba_vae.errors import DataError
from celeba_vae.latent.directions import attribute_directions
from celeba_vae.latent.fitting import encode_images, fit_to_latents
from celeba_vae.latent.points import LatentPoints
from celeba_vae.latent.provenance import enhancer_text, provenance
from celeba_vae.models.inference import decode_batches, to_uint8
from celeba_vae.photos.enhancers import enhance_blocks
from celeba_vae.reporting.face_grids import generated_grid, sharpening_series
from celeba_vae.storage import Arrays

logger = logging.getLogger(__name__)

GRID_COUNT = 140


def encode_training_images(
    encoder: Any, train_images: np.ndarray, latent_stages: Path, parameters: GenerationConfig
) -> Path:
    """Encode the first ``fit_images`` training images, see ``encode_images``."""
    return encode_images(encoder, train_images[: parameters.fit_images], latent_stages, parameters.fresh)


def fit_sampler(
    encoder: Any, train_latents: np.ndarray, test_images: np.ndarray, latent_stages: Path, parameters: GenerationConfig
) -> Arrays:
    """Fit ``generation.sampler``, see ``fit_to_latents``."""
    return fit_to_latents(encoder, train_latents, test_images, latent_stages, parameters.sampler, parameters.fresh)


def fit_compared_sampler(
    encoder: Any, train_latents: np.ndarray, test_images: np.ndarray, latent_stages: Path, parameters: GenerationConfig
) -> Arrays:
    """Fit ``generation.compared_sampler``, see ``fit_to_latents``; no arrays where these latents don't allow it."""
    sampler, fresh = parameters.compared_sampler, parameters.fresh
    try:
        return fit_to_latents(encoder, train_latents, test_images, latent_stages, sampler, fresh)
    except DataError as error:
        logger.warning("The sampler %s is left out of the comparison: %s", sampler.name, error)
        return {}


def sample_latents(decoder: Any, fitted: Arrays, parameters: GenerationConfig) -> LatentPoints:
    """Draw as many points of the decoder's latent space as images are wanted, (count, latent_dim) float32, as saved."""
    sampler = create_component("samplers", parameters.sampler)
    return LatentPoints(sampler, parameters.count, decoder.input_shape[-1], parameters.seed, fitted)


def decode_latents(decoder: Any, latents: np.ndarray, parameters: GenerationConfig) -> ImageFolder:
    """Turn latents into uint8 images, decoded as they are saved, with a table from which each can be made again."""
    images = (to_uint8(batch) for batch in decode_batches(decoder, latents))
    return ImageFolder(images, provenance(decoder, latents, parameters))


def enhance_images(generated: ImageFolder, parameters: GenerationConfig) -> ImageFolder:
    """Pass the images through the chain ``enhancer``, as they are saved."""
    enhancers = [create_component("enhancers", config) for config in parameters.enhancer]
    index = generated.index.assign(enhancer=enhancer_text(parameters.enhancer))
    return ImageFolder(enhance_blocks(generated.blocks(), enhancers), index)


def draw_grid(images: ImageFolder, parameters: GenerationConfig) -> Image.Image:
    """Show the images, of very many only the first, see ``generated_grid``."""
    return generated_grid(images.images[:GRID_COUNT], images.index, parameters.columns)


def draw_sharpening_series(generated: ImageFolder, parameters: GenerationConfig) -> Image.Image:
    """Show a row of the generated faces once for each of ``sharpening_factors``, see ``sharpening_series``."""
    return sharpening_series(generated.images[: parameters.columns], parameters.sharpening_factors, parameters.variant)


def find_attribute_directions(train_latents: np.ndarray, train_attributes: pd.DataFrame) -> pd.DataFrame:
    """Find the direction of each attribute that the training images' list names, see ``attribute_directions``."""
    return attribute_directions(train_latents, train_attributes.drop(columns="image_id"))

"""Encode images, fit samplers to their latents, draw points of the latent space, and show what samplers change."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from celeba_vae.config import GenerationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.latent.fitting import encode_images, fit_to_latents
from celeba_vae.latent.points import LatentPoints
from celeba_vae.reporting.face_grids import distance_series, sampler_comparison
from celeba_vae.storage import Arrays, NumpyFile


def encode_training_images(
    encoder: Any, train_images: np.ndarray, latent_stages: Path, parameters: GenerationConfig
) -> NumpyFile:
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
    """Fit ``generation.compared_sampler``, see ``fit_to_latents``."""
    return fit_to_latents(
        encoder, train_latents, test_images, latent_stages, parameters.compared_sampler, parameters.fresh
    )


def sample_latents(decoder: Any, fitted: Arrays, parameters: GenerationConfig) -> LatentPoints:
    """Draw as many points of the decoder's latent space as images are wanted, (count, latent_dim) float32, as saved."""
    sampler = create_component("samplers", parameters.sampler)
    return LatentPoints(sampler, parameters.count, decoder.input_shape[-1], parameters.seed, fitted)


def draw_distance_series(decoder: Any, parameters: GenerationConfig) -> Image.Image:
    """Show the same points ever further from the origin, see ``distance_series``."""
    return distance_series(decoder, parameters)


def draw_sampler_comparison(parameters: GenerationConfig, *models: Any) -> Image.Image:
    """Show what each compared model makes of N(0, I) and of ``compared_sampler``, see ``sampler_comparison``.

    Args:
        parameters: The names of the variants that are compared, and of the sampler.
        models: The variants' decoders, then what ``compared_sampler`` was fitted to for each of them.
    """
    count = len(parameters.compared)
    return sampler_comparison(models[:count], models[count:], parameters)

"""Fit samplers to what an encoder makes of images, draw points of the latent space, and show what samplers change."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from celeba_vae.config import GenerationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.latent.fitting import fit_to_latents
from celeba_vae.latent.samplers import (
    LatentPoints,
    Normal,
    Sampler,
    Uniform,
    distances,
    sample_points,
)
from celeba_vae.models.inference import to_uint8
from celeba_vae.reporting.grids import GRID_SCALE, image_grid

Arrays = dict[str, np.ndarray]


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
    """Show the same points ever further from the origin: uniform within ±limit, a row for each of the limits."""
    tiles, labels = [], []
    for limit in parameters.distance_limits:
        points = _first_points(Uniform(limit=limit), decoder, parameters)
        tiles += _decoded(decoder, points)
        labels.append(f"±{limit:g}, L2 {distances(points).mean():.1f}")
    return image_grid(
        tiles,
        parameters.columns,
        title=f"{parameters.variant.upper()}: each coordinate uniform within ±limit, seed {parameters.seed}. L2: the"
        f" mean distance of a row's points from the origin, of N(0, I) about {decoder.input_shape[-1] ** 0.5:.1f}",
        row_labels=labels,
        scale=GRID_SCALE,
    )


def draw_sampler_comparison(parameters: GenerationConfig, *models: Any) -> Image.Image:
    """Show what each compared model makes of N(0, I), and of a sampler fitted to its own latents: a row each.

    Args:
        parameters: The names of the variants that are compared, and of the sampler.
        models: The variants' decoders, then what ``compared_sampler`` was fitted to for each of them.
    """
    names = [variant.upper() for variant in parameters.compared]
    decoders, fitted = models[: len(names)], models[len(names) :]
    fitted_one = create_component("samplers", parameters.compared_sampler)
    nothing: list[Arrays] = [{}] * len(names)
    samplers = [("N(0, I)", Normal(), nothing), (parameters.compared_sampler.name, fitted_one, fitted)]
    tiles, labels = [], []
    for label, sampler, fits in samplers:
        for name, decoder, arrays in zip(names, decoders, fits, strict=True):
            tiles += _decoded(decoder, _first_points(sampler, decoder, parameters, arrays))
            labels.append(f"{name}, {label}")
    return image_grid(
        tiles,
        parameters.columns,
        title=f"The same points of N(0, I) through each decoder, and points of the sampler {samplers[1][0]} fitted to"
        f" each encoder's latents, seed {parameters.seed}. A VAE learns to put faces where N(0, I) is, an AE puts them"
        " anywhere",
        row_labels=labels,
        scale=GRID_SCALE,
    )


def _first_points(
    sampler: Sampler, decoder: Any, parameters: GenerationConfig, fitted: Arrays | None = None
) -> np.ndarray:
    return sample_points(sampler, range(parameters.columns), decoder.input_shape[-1], parameters.seed, fitted)


def _decoded(decoder: Any, points: np.ndarray) -> list[np.ndarray]:
    from celeba_vae.models.inference import decode

    return list(to_uint8(decode(decoder, points)))

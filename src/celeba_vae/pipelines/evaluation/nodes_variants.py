"""What is found out about a variant: its measures, its rows in the pictures, and charts of its latents."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from celeba_vae.config import EvaluationConfig, GenerationConfig
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant
from celeba_vae.metrics.trained_variant import TrainedVariant
from celeba_vae.photos.own_photos import Photos
from celeba_vae.reporting import latent_charts
from celeba_vae.reporting.figures import text_figure
from celeba_vae.reporting.variant_rows import ShownImages, photo_rows, reconstruction_row


def reconstruct_what_is_shown(
    model: TrainedVariant,
    checkpoints: Path,
    test_images: ShownImages,
    photos: Photos,
    parameters: EvaluationConfig,
    generation: GenerationConfig,
) -> EvaluatedVariant:
    """Give a variant with what it makes of the test images that are shown and of own photos, unless it has a problem.

    Raises:
        SettingError: an enhancer can't be made.
    """
    if model.variant.problem:
        return model.variant
    return replace(
        model.variant,
        test_rows=reconstruction_row(model, test_images.images, parameters),
        photo_rows=photo_rows(model, checkpoints, photos.images, parameters, generation),
    )


def draw_latent_charts(
    variant: EvaluatedVariant, test_attributes: pd.DataFrame | None, parameters: EvaluationConfig
) -> tuple[Any, ...]:
    """Draw where a variant puts the test images: distances, moments, projection, correlation, KL, a figure each."""
    space, name = variant.latent_space, variant.title
    if space is None:
        return (text_figure(f"{name}: no latent space\n{variant.problem}"),) * 5
    colour, attribute = _coloured_by(test_attributes, parameters.attribute, space.count)
    return (
        latent_charts.latent_distances_chart(space, name),
        latent_charts.latent_moments_chart(space, name),
        latent_charts.latent_projection_chart(space, name, colour, attribute),
        latent_charts.latent_correlation_chart(space, name),
        text_figure(f"{name}: no KL, its encoder gives points")
        if space.kl is None
        else latent_charts.latent_kl_chart(space, name),
    )


def list_latent_dimensions(variant: EvaluatedVariant) -> dict[str, list[float]]:
    """Give the mean and standard deviation of mu, and of a VAE the KL in nats, of each latent dimension.

    Of a variant that can't be evaluated there are none.
    """
    space = variant.latent_space
    if space is None:
        return {}
    dimensions = {"mean": space.mean, "deviation": space.deviation, "kl": space.kl}
    return {name: values.tolist() for name, values in dimensions.items() if values is not None}


def _coloured_by(attributes: pd.DataFrame | None, name: str, count: int) -> tuple[np.ndarray | None, str]:
    """Give the column of an attribute of ``count`` images and its name; None and nothing where it is not known."""
    if attributes is None or name not in attributes or len(attributes) != count:
        return None, ""
    return attributes[name].to_numpy(), name

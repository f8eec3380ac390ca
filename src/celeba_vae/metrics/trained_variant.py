"""Trained variants as evaluation takes them: with what is wrong, where one can't be evaluated."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from celeba_vae.config import VariantConfig
from celeba_vae.config.wording import training_command
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant
from celeba_vae.storage.stages import images_content

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedVariant:
    """A variant's networks, both None where it has a problem.

    Args:
        variant: What is known of it before it is evaluated.
        encoder: From images to [mu, logvar] or z.
        decoder: From latents to images.
    """

    variant: EvaluatedVariant
    encoder: Any
    decoder: Any


def open_variant(
    encoder: Any,
    decoder: Any,
    history: pd.DataFrame | None,
    configuration: dict[str, Any] | None,
    test_images: np.ndarray,
    train_images: np.ndarray,
    variant: VariantConfig,
) -> TrainedVariant:
    """Put together what training has made of a variant, None what is not there; say in the log what is wrong with it.

    Images are (n, h, w, 3) uint8: those that it is to be evaluated on, and those that it should have been trained on.
    """
    name = variant.name
    missing = [f"{name}.{part}" for part, model in (("encoder", encoder), ("decoder", decoder)) if model is None]
    if missing:
        problem = f"{missing[0]} is not there: {training_command(name)}"
    else:
        problem = _misfit(name, encoder.input_shape[1:], test_images.shape[1:])
    if problem:
        logger.warning("%s is left out of the evaluation: %s", name, problem)
    doubt = "" if problem or configuration is None else _doubt(configuration, train_images)
    if doubt:
        logger.warning(doubt)
    opened = EvaluatedVariant(
        name,
        configuration=variant.model_dump(mode="json") if configuration is None else configuration,
        history=pd.DataFrame() if history is None else history,
        problem=problem,
        doubt=doubt,
    )
    return TrainedVariant(opened, *((None, None) if problem else (encoder, decoder)))


def _doubt(configuration: Mapping[str, Any], train_images: np.ndarray) -> str:
    trained_on = configuration.get("train_images")
    if trained_on in (None, images_content(train_images[: configuration.get("image_count")])):
        return ""
    name = configuration["name"]
    return (
        f"The model '{name}' was trained on other images than train_images are now: it may have seen the test images,"
        f" and its figures can't be trusted. Train it on these: {training_command(name, fresh=True)}"
    )


def _misfit(name: str, expected: Sequence[int], given: Sequence[int]) -> str:
    if tuple(expected) == tuple(given):
        return ""
    return (
        f"The model '{name}' takes images of {_size(expected)} pixels, the test images have {_size(given)}. Train it on"
        f" these images ({training_command(name, fresh=True)}), prepare images of its size"
        f" (data_engineering.image_size), or choose another version of it with --load-versions"
        f" {name}.encoder:...,{name}.decoder:..."
    )


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]}x{shape[0]}"

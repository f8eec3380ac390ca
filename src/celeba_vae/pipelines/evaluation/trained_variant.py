"""Trained variants as evaluation takes them: with what was wrong, where one can't be evaluated."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from celeba_vae.config import TRIAL, VariantConfig
from celeba_vae.config.wording import training_command
from celeba_vae.storage.stages import images_content

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedVariant:
    """A variant's models and where they come from.

    Args:
        name: The variant's.
        encoder: From images to [mu, logvar] or z; None where there is a problem.
        decoder: From latents to images; None where there is a problem.
        history: A row an epoch, as training gives it; empty where it is not there.
        configuration: All settings of the training, its data and versions; those of the parameters where it is not
            there.
        problem: Why it can't be evaluated and what to do; empty where it can.
        doubt: What makes its figures doubtful; empty where nothing does.
    """

    name: str
    encoder: Any
    decoder: Any
    history: pd.DataFrame
    configuration: Mapping[str, Any]
    problem: str = ""
    doubt: str = ""

    @property
    def title(self) -> str:
        """What pictures call it."""
        return title_of(self.name)

    @property
    def settings(self) -> dict[str, Any]:
        """The variant's block as it was trained."""
        return {name: value for name, value in self.configuration.items() if name in VariantConfig.model_fields}


def shown_name(variant: str) -> str:
    """Give a variant's name without what all trials' begin with."""
    return variant.removeprefix(TRIAL)


def title_of(variant: str) -> str:
    """Give what pictures call a variant."""
    return shown_name(variant).upper()


def open_variant(
    encoder: Any,
    decoder: Any,
    history: Any,
    configuration: Any,
    test_images: np.ndarray,
    train_images: np.ndarray,
    variant: VariantConfig,
) -> TrainedVariant:
    """Put a variant's models together and say in the log if it can't be evaluated, or not be trusted.

    What training has not made is None.
    """
    missing = [
        f"{variant.name}.{part}" for part, model in (("encoder", encoder), ("decoder", decoder)) if model is None
    ]
    if missing:
        problem = f"{missing[0]} is not there: {training_command(variant.name)}"
    else:
        problem = _misfit(variant.name, encoder, test_images)
    if problem:
        logger.warning("%s is left out of the evaluation: %s", variant.name, problem)
    doubt = "" if problem or configuration is None else _doubt(configuration, train_images)
    if doubt:
        logger.warning(doubt)
    return TrainedVariant(
        name=variant.name,
        encoder=None if problem else encoder,
        decoder=None if problem else decoder,
        history=pd.DataFrame() if history is None else history,
        configuration=variant.model_dump(mode="json") if configuration is None else configuration,
        problem=problem,
        doubt=doubt,
    )


def _doubt(configuration: Mapping[str, Any], train_images: np.ndarray) -> str:
    trained_on = configuration.get("train_images")
    if trained_on in (None, images_content(train_images[: configuration.get("image_count")])):
        return ""
    name = configuration["name"]
    return (
        f"The model '{name}' was trained on other images than train_images are now: it may have seen the test images,"
        f" and its figures can't be trusted. Train it on these: kedro run --pipelines variants --namespaces {name}"
        f" --params variants.{name}.fresh=true"
    )


def _misfit(name: str, encoder: Any, images: np.ndarray) -> str:
    expected = tuple(encoder.input_shape[1:])
    if expected == images.shape[1:]:
        return ""
    return (
        f"The model '{name}' takes images of {_size(expected)} pixels, the test images have {_size(images.shape[1:])}."
        f" Train it on these images (kedro run --pipelines variants --namespaces {name} --params"
        f" variants.{name}.fresh=true), prepare images of its size (data_engineering.image_size), or choose"
        f" another version of it with --load-versions {name}.encoder:...,{name}.decoder:..."
    )


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]}x{shape[0]}"

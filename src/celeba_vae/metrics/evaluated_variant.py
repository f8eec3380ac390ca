"""What is known of a variant: as training has left it, and what an evaluation finds out."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from celeba_vae.config import VariantConfig
from celeba_vae.config.wording import title_of, training_command
from celeba_vae.metrics.latent_space import LatentSpace
from celeba_vae.metrics.measures import Measured
from celeba_vae.storage.stages import images_content
from celeba_vae.training.checkpoints import VALIDATION_LOSS

logger = logging.getLogger(__name__)

NO_VALIDATION_IMAGES = (
    "its losses on images that it has not seen are not known. Give the validation split some (data_engineering.split in"
    " parameters_data_engineering.yml)."
)


@dataclass(frozen=True)
class EvaluatedVariant:
    """A variant as trained and what was found out about it, without its networks.

    Args:
        configuration: All settings of its training, its data and versions; without a training, those of the parameters.
        history: A row an epoch, as training gives it; empty where there is none.
        problem: Why it can't be evaluated, with the command that helps; then nothing is measured.
        doubt: What makes its measures doubtful; empty where nothing does.
        measured: From a group to its measures, see ``measure_groups``: such as ``test`` (reconstructions of the test
            images), ``latents``, ``reconstructed`` (the set of reconstructions against the test images), and a group a
            sampler by its label (created images against the test images).
        prior_group: The group of images of N(0, I); empty where there is none.
        fitted_groups: The groups of samplers that were fitted to the training images' latents.
        latent_space: Where its encoder puts the test images; None where that is not known.
        created: From a sampler's label to the first images of its points, (columns, h, w, 3) uint8.
        notes: What is missing of it: could not be measured or created, and why; and that its posterior has collapsed.
        test_rows, photo_rows: From a label to what it makes of the images that are shown, (n, h, w, 3) uint8.
    """

    name: str
    configuration: Mapping[str, Any]
    history: pd.DataFrame
    problem: str = ""
    doubt: str = ""
    measured: Mapping[str, Measured] = field(default_factory=dict)
    prior_group: str = ""
    fitted_groups: tuple[str, ...] = ()
    latent_space: LatentSpace | None = None
    created: Mapping[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    test_rows: Mapping[str, np.ndarray] = field(default_factory=dict)
    photo_rows: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What pictures call it."""
        return title_of(self.name)


@dataclass(frozen=True)
class TrainedVariant:
    """What is known of a variant before it is evaluated, and its networks, both None where it has a problem."""

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

    It must take images of the test images' size, and should have been trained on the training images as they are now.
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
    notes: tuple[str, ...] = ()
    if history is not None and VALIDATION_LOSS not in history:
        notes = (f"{name} was trained without validation images: {NO_VALIDATION_IMAGES}",)
    opened = EvaluatedVariant(
        name,
        configuration=variant.model_dump(mode="json") if configuration is None else configuration,
        history=pd.DataFrame() if history is None else history,
        problem=problem,
        doubt=doubt,
        notes=notes,
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
        f"The model '{name}' takes images of {expected[1]}x{expected[0]} pixels, the test images have"
        f" {given[1]}x{given[0]}. Train it on these images ({training_command(name, fresh=True)}), prepare images of"
        f" its size (data_engineering.image_size), or choose another version of it with --load-versions"
        f" {name}.encoder:...,{name}.decoder:..."
    )

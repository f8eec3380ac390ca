"""What a variant makes of test images and own photos, as rows of a picture."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from celeba_vae.config import EvaluationConfig, GenerationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.errors import CelebaVaeError
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant, TrainedVariant
from celeba_vae.models.inference import reconstruct, to_uint8
from celeba_vae.photos.enhancers import enhance
from celeba_vae.photos.own_photos import Photos
from celeba_vae.training.earlier_epochs import EarlierEpoch, earliest_epoch
from celeba_vae.training.recipe import recreate_recipe

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShownImages:
    """Images (n, h, w, 3) uint8 that are shown, with a caption each."""

    images: np.ndarray
    captions: Sequence[str]


def choose_test_images(test_images: np.ndarray, parameters: EvaluationConfig) -> ShownImages:
    """Choose the test images that are shown, by the seed."""
    count = min(parameters.count, len(test_images))
    rows = np.random.default_rng(parameters.seed).choice(len(test_images), count, replace=False)
    return ShownImages(test_images[rows], [f"test image {row}" for row in rows])


def reconstruct_what_is_shown(
    model: TrainedVariant,
    checkpoints: Path,
    test_images: ShownImages,
    photos: Photos,
    parameters: EvaluationConfig,
    generation: GenerationConfig,
) -> EvaluatedVariant:
    """Give a variant with its ``reconstruction_row`` and ``photo_rows``, unless it has a problem."""
    if model.variant.problem:
        return model.variant
    return replace(
        model.variant,
        test_rows=reconstruction_row(model, test_images.images, parameters),
        photo_rows=photo_rows(model, checkpoints, photos.images, parameters, generation),
    )


def reconstruction_row(
    model: TrainedVariant, images: np.ndarray, parameters: EvaluationConfig
) -> dict[str, np.ndarray]:
    """Pass uint8 images (n, h, w, 3) through a variant (z = mu): what comes out, likewise, by its title."""
    if not len(images):
        return {}
    return {model.variant.title: to_uint8(reconstruct(model.encoder, model.decoder, images, parameters.batch_size))}


def photo_rows(
    model: TrainedVariant,
    checkpoints: Path,
    photos: np.ndarray,
    parameters: EvaluationConfig,
    generation: GenerationConfig,
) -> dict[str, np.ndarray]:
    """Give, by their labels, rows of what a variant makes of own photos, (n, h, w, 3) uint8 each: its reconstructions.

    For ``generation.variant`` also these enhanced as generated images are, and the reconstructions of the earliest
    epoch that its checkpoints keep.

    Raises:
        SettingError: an enhancer can't be made.
    """
    rows = reconstruction_row(model, photos, parameters)
    if model.variant.name != generation.variant or not rows:
        return rows
    label, (images,) = model.variant.title, rows.values()
    enhancers = [create_component("enhancers", config) for config in generation.enhancer]
    enhanced = np.stack([enhance(image, enhancers) for image in images])
    if (enhanced != images).any():
        rows[f"{label} sharpened"] = enhanced
    if earlier := _earlier_epoch(checkpoints, model):
        reconstructions = reconstruct(earlier.encoder, earlier.decoder, photos, parameters.batch_size)
        rows[f"{label} after epoch {earlier.epoch:.3g}"] = to_uint8(reconstructions)
    return rows


def _earlier_epoch(checkpoints: Path, model: TrainedVariant) -> EarlierEpoch | None:
    """Find the training that a model is from, by its weights, and give its earliest epoch; None where there is none."""
    encoder, decoder = model.encoder, model.decoder
    sizes = {"encoder": encoder.count_params(), "decoder": decoder.count_params()}
    finished = sorted(checkpoints.glob("*/finished.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in finished:
        settings = json.loads(file.read_text())
        if settings["parameters"] != sizes:
            continue
        try:
            earlier = earliest_epoch(file.parent, recreate_recipe(settings), settings["precision"], encoder, decoder)
        except CelebaVaeError as error:
            logger.warning("No earlier epoch is shown from %s: %s", file.parent, error)
            continue
        if earlier:
            return earlier
    return None

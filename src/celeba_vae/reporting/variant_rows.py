"""What a variant makes of latents, test images and own photos, during training and afterwards, as rows of a picture."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from celeba_vae.config import EvaluationConfig, GenerationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.errors import CelebaVaeError
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant, TrainedVariant
from celeba_vae.models.inference import reconstruct, to_uint8
from celeba_vae.photos.enhancers import enhance
from celeba_vae.photos.own_photos import Photos
from celeba_vae.reporting.grids import Row, comparison_grid, image_grid, row_grid, text_picture
from celeba_vae.training.earlier_epochs import EarlierEpoch, Kind, earliest_epoch, epoch_file, kept_epochs
from celeba_vae.training.recipe import recreate_recipe

logger = logging.getLogger(__name__)

ROWS, COLUMNS = 8, 6
_PREVIEW_COLUMNS = 8
_COLUMN = {
    "samples": "in each column from the same point of the latent space",
    "reconstructions": "in each column the reconstruction of the same image",
}


def samples_grid(name: str, epoch: int, samples: np.ndarray) -> Image.Image:
    """Draw what a variant makes of some latents after ``epoch`` epochs, (n, h, w, 3) uint8."""
    title = f"{name}, epoch {epoch}: decoded from the same points of the latent space as ever"
    return image_grid(samples, _PREVIEW_COLUMNS, title=title)


def reconstructions_grid(name: str, images: np.ndarray, epoch: int, reconstructions: np.ndarray) -> Image.Image:
    """Draw images and what a variant makes of them after ``epoch`` epochs, (n, h, w, 3) uint8 each."""
    rows = {"image": images, f"epoch {epoch}": reconstructions}
    return comparison_grid(rows, _PREVIEW_COLUMNS, title=f"{name}, epoch {epoch}: images and their reconstructions")


def forming_grid(folder: Path, name: str, last_epoch: int, kind: Kind) -> Image.Image:
    """Draw what the monitor of a training kept, a row an epoch, up to eight of them, and a column a latent or an image.

    Of 24 epochs these are 1, 2, 3, 4, 6, 10, 15 and 24: faces change most at the start. What was kept of later epochs
    than the last one, by a longer training in the same folder, is left out.
    """
    epochs = [epoch for epoch in kept_epochs(folder, kind) if epoch <= last_epoch]
    if not epochs:
        return text_picture(f"{name}: faces forming", f"No {kind} of this training were kept in {folder}.")
    if len(epochs) > ROWS:
        positions = np.maximum(np.rint(np.geomspace(1, len(epochs), ROWS)), np.arange(1, ROWS + 1))
        epochs = [epochs[int(position) - 1] for position in positions]
    images = {epoch: np.load(epoch_file(folder, kind, epoch, "npy"), allow_pickle=False) for epoch in epochs}
    rows = [Row(f"epoch {epoch}", images[epoch][:COLUMNS]) for epoch in epochs]
    return row_grid(rows, title=f"{name}: faces forming, {_COLUMN[kind]}")


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

"""Own photos through each model: read, reconstructed, sharpened, and shown side by side."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from celeba_vae.config import DataEngineeringConfig, EvaluationConfig, GenerationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.errors import CelebaVaeError
from celeba_vae.models.inference import to_uint8
from celeba_vae.photos.enhancers import enhance
from celeba_vae.photos.face_detection import INSTALL_COMMAND, can_find_faces
from celeba_vae.photos.own_photos import read_photos
from celeba_vae.pipelines.evaluation.trained_variant import TrainedVariant
from celeba_vae.reporting.grids import GRID_SCALE, comparison_grid, text_picture
from celeba_vae.training.recipe import recreate_recipe

logger = logging.getLogger(__name__)


def prepare_photos(
    folder: Path, test_images: np.ndarray, parameters: DataEngineeringConfig
) -> tuple[np.ndarray, list[str], str]:
    """Bring the photos in the folder to the test images' shape.

    Returns:
        The photos (n, h, w, 3) uint8, a caption for each, and a note on those whose faces were not found.
    """
    photos = read_photos(folder, test_images.shape[1:], parameters.crop)
    if not photos.names:
        logger.info("No photos of your own in %s: put some there to see how the models reconstruct them.", folder)
    return photos.images, photos.captions, photos.note


def reconstruct_photos(
    model: TrainedVariant,
    checkpoints: Path,
    photos: np.ndarray,
    parameters: EvaluationConfig,
    generation: GenerationConfig,
) -> dict[str, np.ndarray]:
    """Give the rows that show what a variant makes of own photos, by their labels: (n, h, w, 3) uint8 each.

    They are its reconstructions; for the variant that generates images (``generation.variant``) also these enhanced as
    generated images are, and the reconstructions of the earliest epoch that its checkpoints keep. Of a model that
    can't be evaluated there are none.

    Raises:
        SettingError: an enhancer can't be made.
    """
    from celeba_vae.models.inference import reconstruct

    if model.problem or not len(photos):
        return {}
    label = model.title
    rows = {label: to_uint8(reconstruct(model.encoder, model.decoder, photos, parameters.batch_size))}
    if model.name != generation.variant:
        return rows
    enhancers = [create_component("enhancers", config) for config in generation.enhancer]
    enhanced = np.stack([enhance(image, enhancers) for image in rows[label]])
    if (enhanced != rows[label]).any():
        rows[f"{label} sharpened"] = enhanced
    if earlier := _earlier_epoch(checkpoints, model.encoder, model.decoder):
        reconstructions = reconstruct(earlier.encoder, earlier.decoder, photos, parameters.batch_size)
        rows[f"{label} after epoch {earlier.epoch:.3g}"] = to_uint8(reconstructions)
    return rows


def compare_photos(
    photos: np.ndarray,
    captions: list[str],
    note: str,
    folder: Path,
    parameters: EvaluationConfig,
    *variants: dict[str, np.ndarray],
) -> Image.Image:
    """Show own photos and the rows of every variant under them; without photos, how to get such a picture."""
    if not captions:
        paragraphs = [
            f"Put photos of people into\n{folder}\nthen, with the same --env: kedro run --pipelines evaluation",
            f"Any size will do. {_how_they_are_cropped()}",
            note,
        ]
        return text_picture("No photos of your own yet", "\n\n".join(filter(None, paragraphs)))
    rows = {"original": photos}
    for variant in variants:
        rows |= variant
    return comparison_grid(
        rows,
        parameters.columns,
        title="\n".join(filter(None, ["Your photos and their reconstructions", note])),
        captions=captions,
        scale=GRID_SCALE,
    )


def _how_they_are_cropped() -> str:
    if can_find_faces():
        return "The largest face in each is found and cropped as CelebA's are."
    return (
        "The largest centre square is used: the face should be in its middle and fill more than half of it. To have"
        f" faces found wherever they are: {INSTALL_COMMAND}"
    )


def _earlier_epoch(checkpoints: Path, encoder: Any, decoder: Any) -> Any:
    """Find the training that a model is from, by its weights, and give its earliest epoch; None where there is none."""
    from celeba_vae.training.earlier_epochs import earliest_epoch

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

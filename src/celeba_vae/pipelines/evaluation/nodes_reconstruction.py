"""Test images through each model, side by side."""

from collections.abc import Mapping

import numpy as np
from PIL import Image

from celeba_vae.config import EvaluationConfig
from celeba_vae.models.inference import to_uint8
from celeba_vae.pipelines.evaluation.trained_variant import TrainedVariant
from celeba_vae.reporting.grids import GRID_SCALE, comparison_grid, text_picture


def choose_originals(test_images: np.ndarray, parameters: EvaluationConfig) -> tuple[np.ndarray, list[str]]:
    """Choose the test images that are shown, by the seed: (count, h, w, 3) uint8, and a caption for each."""
    count = min(parameters.count, len(test_images))
    rows = np.random.default_rng(parameters.seed).choice(len(test_images), count, replace=False) if count else []
    return test_images[rows] if count else test_images[:0], [f"test image {row}" for row in rows]


def reconstruct_images(
    model: TrainedVariant, images: np.ndarray, parameters: EvaluationConfig
) -> dict[str, np.ndarray]:
    """Pass uint8 images (n, h, w, 3) through a model (z = mu) and give what comes out, likewise, by the model's title.

    Of a model that can't be evaluated, nothing comes out.
    """
    from celeba_vae.models.inference import reconstruct

    if model.problem or not len(images):
        return {}
    return {model.title: to_uint8(reconstruct(model.encoder, model.decoder, images, parameters.batch_size))}


def compare_reconstructions(
    originals: np.ndarray, captions: list[str], parameters: EvaluationConfig, *reconstructions: Mapping[str, np.ndarray]
) -> Image.Image:
    """Show rows of originals and, under each, what every variant makes of them."""
    if not captions:
        return text_picture(
            "No test images", "Give the test split some: data_engineering.split in parameters_data_engineering.yml."
        )
    rows = {title: images for each in reconstructions for title, images in each.items()}
    return comparison_grid(
        {"original": originals, **rows},
        parameters.columns,
        title="Test images and their reconstructions",
        captions=captions,
        scale=GRID_SCALE,
    )

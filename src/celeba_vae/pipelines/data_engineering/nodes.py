"""Collect originals, divide them, prepare them, and show what was done."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from celeba_vae.config import DataEngineeringConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.preparation import preparing, splits
from celeba_vae.preparation.cropping import ImagePreparer
from celeba_vae.preparation.index import ImageIndex
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.reporting import previews
from celeba_vae.reporting.previews import Sample, sample_images
from celeba_vae.storage import NumpyFile, Place, TableFile

CROP_EXAMPLES = 3


def collect_images(raw_folder: Place, config: DataEngineeringConfig) -> ImageCollection:
    """Collect the originals from the source that the parameters name."""
    return create_component("sources", config.source).collect(raw_folder)


def assign_splits(originals: ImageCollection, config: DataEngineeringConfig) -> ImageIndex:
    """Give each original its split."""
    return splits.assign_splits(originals.image_ids, originals.partition, config.split)


def prepare_images(
    originals: ImageCollection, splits: ImageIndex, config: DataEngineeringConfig, preparation_folder: Path
) -> dict[str, Any]:
    """Crop and resize the originals into an array a split, with attributes, an index and a summary."""
    prepared = preparing.prepare_images(originals, splits, config, preparation_folder)
    return {
        **{f"{split}_images": NumpyFile(file) for split, file in prepared.arrays.items()},
        **{f"{split}_attributes": TableFile(file) for split, file in prepared.attributes.items()},
        "image_index": TableFile(prepared.index_file),
        "data_summary": prepared.summary(originals, config),
        "split_means": prepared.means,
        "image_samples": sample_images(prepared.index, config.preview_count, config.preview_seed),
    }


def draw_preview_grid(
    train_images: np.ndarray, validation_images: np.ndarray, test_images: np.ndarray, image_samples: list[Sample]
) -> Image.Image:
    """Draw seeded samples of the prepared images with their names."""
    arrays = {"train": train_images, "validation": validation_images, "test": test_images}
    return previews.preview_grid(arrays, image_samples)


def draw_crop_boxes(
    originals: ImageCollection, image_samples: list[Sample], config: DataEngineeringConfig
) -> Image.Image:
    """Draw the crop's box on the first samples' originals, with what became of them."""
    preparer = ImagePreparer(config.crop, *config.image_shape[:2])
    return previews.crop_boxes(originals, [sample.image_id for sample in image_samples[:CROP_EXAMPLES]], preparer)


def draw_mean_images(split_means: dict[str, np.ndarray], data_summary: dict[str, Any]) -> Image.Image:
    """Draw the mean image of each split."""
    return previews.mean_grid(split_means, data_summary["images"])

"""Collect originals, divide them, prepare them, and show what was done."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.config import DataEngineeringConfig
from celeba_vae.datasets import NumpyFile
from celeba_vae.imaging import previews
from celeba_vae.imaging.cropping import ImagePreparer, crop_box
from celeba_vae.imaging.decoding import decode
from celeba_vae.imaging.preparation import PreparedImages
from celeba_vae.imaging.preparation import prepare_images as prepare
from celeba_vae.imaging.sources import ImageCollection
from celeba_vae.imaging.splits import assign_splits as assign
from celeba_vae.plugins import create_component

CROP_EXAMPLES = 3


def collect_images(raw_folder: Path, config: DataEngineeringConfig) -> ImageCollection:
    """Collect the originals from the source that the parameters name."""
    return create_component("sources", config.source).collect(raw_folder)


def assign_splits(originals: ImageCollection, config: DataEngineeringConfig) -> pd.DataFrame:
    """Give each original its split."""
    return assign(originals.image_ids, originals.partition, config.split)


def prepare_images(
    originals: ImageCollection, splits: pd.DataFrame, config: DataEngineeringConfig, preparation_folder: Path
) -> dict[str, Any]:
    """Crop and resize the originals into an array a split, with an index and a summary."""
    prepared = prepare(originals, splits, config, preparation_folder)
    return {
        **{f"{split}_images": NumpyFile(file) for split, file in prepared.files.items()},
        "image_index": prepared.index,
        "data_summary": _summary(originals, prepared, config),
    }


def draw_preview_grid(
    train_images: np.ndarray,
    validation_images: np.ndarray,
    test_images: np.ndarray,
    image_index: pd.DataFrame,
    config: DataEngineeringConfig,
) -> Image.Image:
    """Draw seeded samples of the prepared images with their names."""
    arrays = {"train": train_images, "validation": validation_images, "test": test_images}
    return previews.preview_grid(arrays, previews.sample_images(image_index, config.preview_count, config.preview_seed))


def draw_crop_boxes(
    originals: ImageCollection, image_index: pd.DataFrame, config: DataEngineeringConfig
) -> Image.Image:
    """Draw the crop's box on three originals, with what became of them."""
    samples = previews.sample_images(image_index, CROP_EXAMPLES, config.preview_seed)
    preparer = ImagePreparer(config.crop, *config.image_shape[:2])
    return previews.crop_boxes(originals, list(samples["image_id"]), preparer)


def _summary(originals: ImageCollection, prepared: PreparedImages, config: DataEngineeringConfig) -> dict[str, Any]:
    first = prepared.index.loc[prepared.index["row"] >= 0, "image_id"].iloc[0]
    height, width, _ = decode(originals.read(first)).shape
    return {
        "images": prepared.counts,
        "statuses": prepared.index["status"].value_counts().sort_index().to_dict(),
        "crop": config.crop,
        "crop_box_of_first_image": crop_box(config.crop, width=width, height=height),
        "image_shape": list(config.image_shape),
        "bytes": sum(file.stat().st_size for file in prepared.files.values()),
        "seconds": prepared.seconds,
    }

"""Collect originals, divide them and prepare them."""

import logging
from pathlib import Path
from typing import Any

from celeba_vae.config import DataEngineeringConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.preparation import preparing, splits
from celeba_vae.preparation.index import ImageIndex
from celeba_vae.preparation.listing import in_words
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.reporting.previews import sample_images
from celeba_vae.storage import Place

logger = logging.getLogger(__name__)


def collect_images(raw_folder: Place, config: DataEngineeringConfig) -> ImageCollection:
    """Collect the originals from the source that the parameters name; tell what is passed over beside them."""
    originals = create_component("sources", config.source).collect(raw_folder)
    if originals.passed_over:
        logger.info(
            "%s images found, passed over: %s.", f"{len(originals.image_ids):,}", in_words(originals.passed_over)
        )
    return originals


def assign_splits(originals: ImageCollection, config: DataEngineeringConfig) -> ImageIndex:
    """Give each original its split."""
    return splits.assign_splits(originals.image_ids, originals.partition, config.split)


def prepare_images(
    originals: ImageCollection, splits: ImageIndex, config: DataEngineeringConfig, preparation_folder: Path
) -> dict[str, Any]:
    """Crop and resize the originals into an array a split, with attributes, an index and a summary."""
    prepared = preparing.prepare_images(originals, splits, config, preparation_folder)
    return {
        **{f"{split}_images": file for split, file in prepared.arrays.items()},
        **{f"{split}_attributes": file for split, file in prepared.attributes.items()},
        "image_index": prepared.index_file,
        "data_summary": prepared.summary(originals, config),
        "split_means": prepared.means,
        "image_samples": sample_images(prepared.index, config.preview_count, config.preview_seed),
    }

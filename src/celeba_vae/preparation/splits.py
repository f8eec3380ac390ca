"""Dividing images into training, validation and test images."""

import itertools
import logging
from collections.abc import Sequence

import numpy as np

from celeba_vae.config import SplitConfig
from celeba_vae.errors import SettingError
from celeba_vae.preparation.index import NO_SPLIT, SPLITS, BadImage, ImageIndex
from celeba_vae.preparation.lists import ListFile, Partition, read_partition

logger = logging.getLogger(__name__)


def assign_splits(image_ids: Sequence[str], partition: ListFile | None, config: SplitConfig) -> ImageIndex:
    """Give each image its split, by CelebA's partition file where there is one.

    The index holds the images in the order of their sorted names, then the names in the partition file that have no
    image. Faults: ``missing`` (no such image) and ``no split`` (the partition file does not say).

    Raises:
        SettingError: the partition is asked for, but there is none.
        DataError: the partition file can't be read.
    """
    if config.by == "partition" and partition is None:
        raise SettingError(
            "data_engineering.split.by is 'partition', but the source has no list_eval_partition file."
            " Put it beside the images, or set split.by to counts."
        )
    names = np.array(image_ids, object)
    if config.by == "counts" or partition is None:
        return _by_counts(names, config)
    return _by_partition(names, read_partition(partition))


def _by_partition(image_ids: np.ndarray, partition: Partition) -> ImageIndex:
    # each name is taken out: what is left in the end has no image
    splits = np.array([partition.splits.pop(image_id, NO_SPLIT) for image_id in image_ids], np.int8)
    bad = []
    for position in np.flatnonzero(splits == NO_SPLIT).tolist():
        reason = partition.faults.get(image_ids[position], "not in the partition file")
        bad.append(BadImage(position, "no split", reason))
    missing = sorted(partition.splits)
    for position, name in enumerate(missing, start=len(image_ids)):
        fault = partition.faults.get(name)
        reason = "in the partition file, but there is no such image" + (f"; {fault}" if fault else "")
        bad.append(BadImage(position, "missing", reason))
    return ImageIndex(
        image_ids=np.append(image_ids, np.array(missing, object)),
        splits=np.append(splits, np.full(len(missing), NO_SPLIT, np.int8)),
        bad={image.position: image for image in bad},
    )


def _by_counts(image_ids: np.ndarray, config: SplitConfig) -> ImageIndex:
    counts = _scaled_counts([config.train, config.validation, config.test], len(image_ids))
    codes = np.array([NO_SPLIT, *range(len(SPLITS))], np.int8)
    dealt = np.repeat(codes, [len(image_ids) - sum(counts), *counts])
    return ImageIndex(image_ids, np.random.default_rng(config.seed).permutation(dealt))


def _scaled_counts(counts: list[int], available: int) -> list[int]:
    """Keep the counts where there are enough images, else scale them so that they use all images."""
    asked = sum(counts)
    if asked <= available:
        return counts
    bounds = [round(available * sum(counts[:i]) / asked) for i in range(len(counts) + 1)]
    scaled = [end - start for start, end in itertools.pairwise(bounds)]
    logger.warning(
        "The split asks for %s images (%s), but there are %s: scaled down to %s (train / validation / test).",
        f"{asked:,}",
        " / ".join(f"{count:,}" for count in counts),
        f"{available:,}",
        " / ".join(f"{count:,}" for count in scaled),
    )
    return scaled

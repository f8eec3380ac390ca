"""Dividing images into training, validation and test images."""

import itertools
import logging
from collections.abc import Sequence

import numpy as np

from celeba_vae.config import SplitConfig
from celeba_vae.errors import DataError, SettingError
from celeba_vae.preparation.index import NO_SPLIT, SPLITLESS, SPLITS, BadImage, ImageIndex
from celeba_vae.preparation.lists import ListFile, read_partition

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
    if config.by == "counts" or partition is None:
        return _by_counts(image_ids, config)
    return _by_partition(image_ids, partition, config)


def _by_partition(image_ids: Sequence[str], listing: ListFile, config: SplitConfig) -> ImageIndex:
    partition = read_partition(listing, image_ids)
    here = {split: int((partition.splits == code).sum()) for code, split in enumerate(SPLITS)}
    lost = [split for code, split in enumerate(SPLITS) if code in partition.given and not here[split]]
    if partition.missing:
        logger.warning(
            "%s: %s of the %s listed images are here: %s.",
            listing.name,
            f"{partition.listed - partition.missing:,}",
            f"{partition.listed:,}",
            ", ".join(f"{count:,} {split}" for split, count in here.items()),
        )
        if lost and config.by == "auto":
            logger.warning(
                "That leaves no images for %s: all that are here are dealt out by the counts of data_engineering.split"
                " instead. Images of one person may then be in different splits. To keep the list's own splits, set"
                " data_engineering.split.by to partition.",
                " and ".join(lost),
            )
            return _by_counts(image_ids, config).with_missing(partition.absent, partition.missing)
    if not here["train"]:
        raise DataError(
            f"{listing.name} gives none of the {len(image_ids):,} images here to training. Put images that it gives to"
            " training there, or set data_engineering.split.by to counts."
        )
    bad = [BadImage(position, SPLITLESS, reason) for position, reason in partition.faults.items()]
    names = np.array(image_ids, object)
    index = ImageIndex(names, partition.splits, {image.position: image for image in bad}, by="partition")
    return index.with_missing(partition.absent, partition.missing)


def _by_counts(image_ids: Sequence[str], config: SplitConfig) -> ImageIndex:
    counts = _scaled_counts([config.train, config.validation, config.test], len(image_ids))
    codes = np.array([NO_SPLIT, *range(len(SPLITS))], np.int8)
    dealt = np.repeat(codes, [len(image_ids) - sum(counts), *counts])
    return ImageIndex(np.array(image_ids, object), np.random.default_rng(config.seed).permutation(dealt))


def _scaled_counts(counts: list[int], available: int) -> list[int]:
    """Keep the counts where there are enough images, else scale them so that they use all images."""
    asked = sum(counts)
    if asked <= available:
        return counts
    bounds = [round(available * sum(counts[:i]) / asked) for i in range(len(counts) + 1)]
    scaled = [end - start for start, end in itertools.pairwise(bounds)]
    for i, count in enumerate(counts):
        # where there are enough images, none of the splits asked for stays without; of too few, training has the first
        if count and not scaled[i] and (i == 0 or available >= len(counts)):
            scaled[scaled.index(max(scaled))] -= 1
            scaled[i] = 1
    logger.warning(
        "The split asks for %s images (%s), but there are %s: scaled down to %s (train / validation / test).",
        f"{asked:,}",
        " / ".join(f"{count:,}" for count in counts),
        f"{available:,}",
        " / ".join(f"{count:,}" for count in scaled),
    )
    return scaled

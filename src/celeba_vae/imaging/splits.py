"""Dividing images into training, validation and test images."""

import itertools
import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from celeba_vae.config import SplitConfig
from celeba_vae.errors import SettingError

logger = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")
# values of CelebA's partition file
PARTITION = dict(zip(("0", "1", "2"), SPLITS, strict=True))


def assign_splits(image_ids: Sequence[str], partition: Mapping[str, str] | None, config: SplitConfig) -> pd.DataFrame:
    """Give each image its split.

    Args:
        image_ids: The images' names.
        partition: The values of CelebA's partition file by name, where there is such a file.
        config: How to split.

    Returns:
        A table with a row an image, in order, and a row for each name in the partition file that has no image; columns
        image_id, split (train, validation, test, or empty), status (``ok``; ``unused``: beyond the counts; ``missing``:
        no such image; ``no split``: the partition file does not say) and reason.

    Raises:
        SettingError: the partition is asked for, but there is none.
    """
    if config.by == "partition" and partition is None:
        raise SettingError(
            "data_engineering.split.by is 'partition', but the source has no list_eval_partition file."
            " Put it beside the images, or set split.by to counts."
        )
    if config.by == "counts" or partition is None:
        return _by_counts(image_ids, config)
    return _by_partition(image_ids, partition)


def _by_partition(image_ids: Sequence[str], partition: Mapping[str, str]) -> pd.DataFrame:
    rows = []
    for image_id in image_ids:
        value = partition.get(image_id)
        if value in PARTITION:
            rows.append((image_id, PARTITION[value], "ok", ""))
        elif value is None:
            rows.append((image_id, "", "no split", "not in the partition file"))
        else:
            rows.append((image_id, "", "no split", f"the partition file says '{value}', not 0, 1 or 2"))
    missing = sorted(partition.keys() - set(image_ids))
    rows += [(image_id, "", "missing", "in the partition file, but there is no such image") for image_id in missing]
    return pd.DataFrame(rows, columns=["image_id", "split", "status", "reason"])


def _by_counts(image_ids: Sequence[str], config: SplitConfig) -> pd.DataFrame:
    counts = _scaled_counts([config.train, config.validation, config.test], len(image_ids))
    # objects: 200,000 references to four texts
    dealt = np.repeat(np.array(["", *SPLITS], dtype=object), [len(image_ids) - sum(counts), *counts])
    splits = pd.DataFrame({"image_id": image_ids, "split": np.random.default_rng(config.seed).permutation(dealt)})
    unused = splits["split"] == ""
    splits["status"] = "ok"
    splits["reason"] = ""
    splits.loc[unused, "status"] = "unused"
    splits.loc[unused, "reason"] = "beyond the counts of data_engineering.split"
    return splits


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

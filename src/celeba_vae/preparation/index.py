"""What became of each image: its split, its row in the split's array, or why it has none; how many may have none."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from celeba_vae.config.wording import printable
from celeba_vae.errors import DataError
from celeba_vae.storage.npy import kept_order

SPLITS = ("train", "validation", "test")
NO_SPLIT = -1
# listed, but not there: no fault of an image
MISSING = "missing"
# the partition file does not say where it belongs
SPLITLESS = "no split"
# such an image is prepared all the same
NO_ATTRIBUTES = "no attributes"
# such an image is tried again by the next run
UNREADABLE = "unreadable"
# so that a message has no more than ten lines
_NAMED = 7
_REMEDIES = {
    "too small": "choose a smaller data_engineering.crop",
    UNREADABLE: "make them readable and run again",
}
# of a list's faults: what images lack by them, and what to do about it
_LIST_FAULTS = {
    SPLITLESS: ("split", "Repair the list, or set data_engineering.split.by to counts to do without it"),
    NO_ATTRIBUTES: ("attributes", "Repair the list, or remove it to do without attributes"),
}


class BadImage(NamedTuple):
    """An image with a fault: its position in the index, the kind of fault, and what is wrong with this one."""

    position: int
    status: str
    reason: str


@dataclass(frozen=True)
class RowRange:
    """Consecutive rows of one split's array, and the positions of the images that belong there."""

    split: str
    start: int
    positions: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def name(self) -> str:
        """What tells it from all other ranges, for files and tasks."""
        return f"{self.split}-{self.start:08d}"


@dataclass(frozen=True)
class ImageIndex:
    """The images of all splits.

    Args:
        image_ids: Texts: the originals' names, sorted, then names of a list that have no image, where these are few.
        splits: int8, one an image: its place in ``SPLITS``, or -1.
        bad: The images with a fault, by position.
        missing: How many images a list names that are not there.
        by: What the splits are from: CelebA's ``partition`` or the ``counts`` of the parameters.
    """

    image_ids: np.ndarray
    splits: np.ndarray
    bad: Mapping[int, BadImage] = field(default_factory=dict)
    missing: int = 0
    by: str = "counts"

    def with_bad(self, more: Iterable[BadImage]) -> "ImageIndex":
        """Give the index with further faults; of two faults of one image the first counts."""
        return replace(self, bad={**{image.position: image for image in more}, **self.bad})

    def with_missing(self, names: Collection[str], count: int) -> "ImageIndex":
        """Give the index of images with those that a list names and that are not there: one by one if all are named."""
        added = np.array(sorted(names) if len(names) == count else [], object)
        index = replace(
            self,
            image_ids=np.append(self.image_ids, added),
            splits=np.append(self.splits, np.full(len(added), NO_SPLIT, np.int8)),
            missing=count,
        )
        positions = range(len(self.image_ids), len(index.image_ids))
        return index.with_bad(
            BadImage(position, MISSING, "listed, but there is no such image") for position in positions
        )

    @property
    def faulty(self) -> list[BadImage]:
        """The images that are there and have a fault."""
        return sorted(image for image in self.bad.values() if image.status != MISSING)

    def places(self, split: str) -> np.ndarray:
        """Give the positions of a split's images: each has a place in the split's array from the start."""
        return np.flatnonzero(self.splits == SPLITS.index(split))

    def ranges(self, length: int) -> list[RowRange]:
        """Cut the places of all splits into ranges of at most that many rows."""
        return [
            RowRange(split, start, positions[start : start + length])
            for split in SPLITS
            for positions in [self.places(split)]
            for start in range(0, len(positions), length)
        ]

    def kept(self, split: str) -> np.ndarray:
        """Say which of a split's places hold an image that can be used: bool, one a place."""
        return ~np.isin(self.places(split), [b.position for b in self.bad.values() if b.status != NO_ATTRIBUTES])

    def positions(self, split: str) -> np.ndarray:
        """Give the position of the image in each row of a split's array."""
        return self.places(split)[kept_order(self.kept(split))]

    @cached_property
    def rows(self) -> np.ndarray:
        """The row of each image in its split's array, -1 for one that is left out."""
        rows = np.full(len(self.image_ids), -1, np.int32)
        for split in SPLITS:
            positions = self.positions(split)
            rows[positions] = np.arange(len(positions))
        return rows

    @property
    def counts(self) -> dict[str, int]:
        """Images in each split's array."""
        return {split: int(self.kept(split).sum()) for split in SPLITS}

    @property
    def statuses(self) -> dict[str, int]:
        """Images of each status."""
        counts = Counter(image.status for image in self.bad.values())
        faultless = np.delete(self.splits, list(self.bad))
        unused = int((faultless == NO_SPLIT).sum())
        counts.update({"ok": len(faultless) - unused, "unused": unused})
        counts[MISSING] = self.missing
        return {status: count for status, count in sorted(counts.items()) if count}

    def table(self) -> pd.DataFrame:
        """Give image_id, split, row, status and reason of each image, in order."""
        unused = (self.splits == NO_SPLIT).astype(int)
        reasons = np.array(["", "beyond the counts of data_engineering.split"], object)[unused]
        statuses = np.array(["ok", "unused"], object)[unused]
        for image in self.bad.values():
            statuses[image.position], reasons[image.position] = image.status, image.reason
        return pd.DataFrame(
            {
                "image_id": self.image_ids,
                # NO_SPLIT is the last
                "split": np.array([*SPLITS, ""], object)[self.splits],
                "row": self.rows,
                "status": statuses,
                "reason": reasons,
            }
        )


def check_share(index: ImageIndex, max_share: float) -> None:
    """Raise DataError when more than a share of the images that are there are damaged, or have nothing from a list."""
    # all but those beyond the splits' counts
    expected = int((index.splits != NO_SPLIT).sum()) + sum(image.status == SPLITLESS for image in index.bad.values())
    faulty = index.faulty
    more_than = f"more than data_engineering.max_bad_share = {max_share:.2%}"
    for status, (what, remedy) in _LIST_FAULTS.items():
        bad = [image for image in faulty if image.status == status]
        if len(bad) > max_share * expected:
            raise DataError(
                f"{len(bad):,} of {expected:,} images have no {what}, {more_than}."
                f" The first is {printable(index.image_ids[bad[0].position])}: {bad[0].reason}. {remedy}, or raise it."
            )
    bad = [image for image in faulty if image.status not in _LIST_FAULTS]
    if len(bad) > max_share * expected:
        raise DataError(
            f"At least {len(bad):,} of {expected:,} images can't be used, {more_than}. {listed(index, bad)}"
        )


def listed(index: ImageIndex, bad: Sequence[BadImage]) -> str:
    """Name the first of some bad images with their reasons, and what to do about the most frequent kind."""
    lines = [
        f"\n  {printable(index.image_ids[image.position])}: {image.status}: {image.reason}" for image in bad[:_NAMED]
    ]
    more = f"\n  and {len(bad) - _NAMED:,} more" if len(bad) > _NAMED else ""
    status = Counter(image.status for image in bad).most_common(1)[0][0] if bad else ""
    remedy = _REMEDIES.get(status, "repair or remove them")
    return f"The first are:{''.join(lines)}{more}\nTo go on, {remedy}, or raise data_engineering.max_bad_share."

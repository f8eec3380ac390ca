"""What is done with a range of rows, the same in a thread and in a process elsewhere."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from celeba_vae.preparation.cropping import ImagePreparer
from celeba_vae.preparation.decoding import BadImageError, decode_with_colours
from celeba_vae.preparation.forms import Forms, form_of
from celeba_vae.preparation.index import UNREADABLE, BadImage, RowRange
from celeba_vae.preparation.journal import Journal
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.storage.npy import NpyRows

# raise it when the same originals and parameters give other arrays, or other working files: what was prepared before is
# then prepared again
FORMAT = 3


@dataclass(frozen=True)
class RangeTask:
    """A range, its images' names in the rows' order, and the collection that has them."""

    rows: RowRange
    image_ids: list[str]
    originals: ImageCollection

    def to_send(self) -> "RangeTask":
        """Give the task with a collection of its own images only."""
        return RangeTask(self.rows, self.image_ids, self.originals.subset(self.image_ids))

    def __str__(self) -> str:
        return f"{self.rows.split} images {self.image_ids[0]} to {self.image_ids[-1]}"


class PreparedRange(NamedTuple):
    """What became of a range: the images that can't be used, the sum of the others, uint32 (h, w, 3), and all forms."""

    bad: list[BadImage]
    sum: np.ndarray
    forms: Forms


@dataclass(frozen=True)
class RangePreparer:
    """Decodes the images of a range, writes their rows into the split's array, then enters the range in the journal.

    Args:
        permit: A file without which nothing is written any more; None: it always is.
        synchronous: Whether the arrays lie on a disk that other machines write to as well.
    """

    arrays: Mapping[str, NpyRows]
    journal: Journal
    prepare: ImagePreparer
    permit: Path | None = None
    synchronous: bool = False

    def __call__(self, task: RangeTask) -> PreparedRange:
        """Prepare a range. Raises OSError when the rows can't be written, or the permit is no longer there."""
        rows = task.rows
        block, bad, forms = self.make(task)
        if self.permit:
            # opened, not looked for: a network file system then asks its server instead of what it remembers
            self.permit.open("rb").close()
        self.arrays[rows.split].write(rows.start, block, synchronous=self.synchronous)
        self.journal.enter(rows, bad, forms)
        return PreparedRange(bad, sum_of(block), forms)

    def make(self, task: RangeTask) -> tuple[np.ndarray, list[BadImage], Forms]:
        """Make the rows of a range and write nothing; the row of an image that can't be used stays black."""
        block = np.zeros((len(task.rows), self.prepare.height, self.prepare.width, 3), np.uint8)
        bad = []
        forms: Forms = Counter()
        for row, image_id, position in zip(block, task.image_ids, task.rows.positions.tolist(), strict=True):
            try:
                image, colours = decode_with_colours(_read(task.originals, image_id))
                forms[form_of(image_id, image.shape, colours)] += 1
                row[...] = self.prepare.cut(image)
            except BadImageError as error:
                bad.append(BadImage(position, error.status, error.reason))
        return block, bad, forms


def sum_of(block: np.ndarray) -> np.ndarray:
    """Add images up, exactly: whole numbers give the same mean however often a run was interrupted."""
    return block.sum(axis=0, dtype=np.uint32)


def _read(originals: ImageCollection, image_id: str) -> bytes:
    try:
        return originals.read(image_id)
    except OSError as error:
        raise BadImageError(UNREADABLE, error.strerror or str(error)) from error

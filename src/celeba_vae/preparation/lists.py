"""CelebA's lists: which image belongs to which split, and the attributes of each.

They are read for what they say, in whatever form: the column of the images' names is found by its content, splits and
attributes by their words. What a line gets wrong is kept with its image, for the index of images; what most lines get
wrong, or the file as a whole, is a DataError about the file.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import pandas as pd

from celeba_vae.errors import DataError
from celeba_vae.preparation.list_columns import (
    ATTRIBUTES,
    NO_OR_UNKNOWN,
    SPLIT,
    Kind,
    Vocabulary,
    find_columns,
    rows_of,
)
from celeba_vae.preparation.list_files import ListFile, Row, shortened
from celeba_vae.preparation.names import ImageNames

logger = logging.getLogger(__name__)

__all__ = ["Attributes", "ListFile", "Partition", "read_attributes", "read_partition"]

# so many images that are listed but not there are named one by one
NAMED_ABSENT = 1000
_ROWS_AT_ONCE = 1000


class Partition(NamedTuple):
    """What a partition file says.

    Args:
        splits: int8, one an image: 0 train, 1 validation, 2 test, -1 none of them.
        faults: Why an image has none, by its position.
        listed: How many images it lists.
        missing: How many of these are not there.
        absent: The names of those; at most the first thousand.
        given: The splits that it gives any image, whether that is there or not.
    """

    splits: np.ndarray
    faults: Mapping[int, str]
    listed: int
    missing: int
    absent: Sequence[str]
    given: frozenset[int]


class Attributes(NamedTuple):
    """The attributes of images.

    Args:
        table: int8, a row an image by its name, a column an attribute: 1 or -1; 0 where it is not known.
        faults: Why an image has none, by its position.
    """

    table: pd.DataFrame
    faults: Mapping[int, str]


def read_partition(listing: ListFile, image_ids: Sequence[str]) -> Partition:
    """Read a partition file for the images of these names.

    Raises:
        DataError: it can't be read, is no list, names none of the images, or most of its lines say no split.
    """
    listed = _Listed(listing, image_ids, SPLIT)
    listed.check()
    splits = listed.values[:, 0]
    given = frozenset(np.unique(splits).tolist()) | listed.splits_of_absent
    count = listed.missing + int(listed.found.sum())
    return Partition(splits, listed.faults(splits < 0), count, listed.missing, listed.absent, given - {SPLIT.unknown})


def read_attributes(listing: ListFile, image_ids: Sequence[str]) -> Attributes:
    """Read an attribute list for the images of these names; others are passed over.

    Raises:
        DataError: it can't be read, is no list, names none of the images or no attributes, or most of its lines have
            other values than attributes.
    """
    listed = _Listed(listing, image_ids, ATTRIBUTES)
    unsure = listed.values == NO_OR_UNKNOWN
    if (listed.values == -1).any():
        for position in np.flatnonzero(unsure.any(axis=1)).tolist():
            listed.refuse(position, f"{listing.short_name} has 0 for it, where others have 1 or -1")
    else:
        listed.values[unsure] = -1
    listed.check()
    faults = listed.faults(np.logical_not(listed.values.any(axis=1)))
    index = pd.Index(list(image_ids), name="image_id")
    return Attributes(pd.DataFrame(listed.values, index, listed.columns.titles, copy=False), faults)


class _Listed:
    """What a list says of images.

    Args:
        values: int8, a row an image, the kind's ``unknown`` where the list does not say, or contradicts itself.
        found: bool, whether the list names an image.
        missing: How many names it has that no image has.
        absent: The first of these.
        splits_of_absent: Which splits it gives these.

    Raises:
        DataError: the list can't be read, is none, or has no column with names of these images, or none with values.
    """

    def __init__(self, listing: ListFile, image_ids: Sequence[str], kind: Kind) -> None:
        self.listing = listing
        self.image_ids = image_ids
        self.kind = kind
        images = ImageNames(image_ids)
        self.columns = find_columns(listing, images, kind)
        self.values = np.full((len(image_ids), len(self.columns.values)), kind.unknown, np.int8)
        self.found = np.zeros(len(image_ids), bool)
        self._reasons: dict[int, str] = {}
        self._images = images
        self._take(self._rows(), images.exact.get)
        if self.missing and not self.found.all():
            self._take_alike(images)

    def refuse(self, position: int, reason: str) -> None:
        """Let the list say nothing of an image."""
        self._reasons[position] = reason
        self.values[position] = self.kind.unknown

    def faults(self, unknown: np.ndarray) -> dict[int, str]:
        """Say of each image that is marked, bool, why the list has nothing for it."""
        absent = f"not in {self.listing.short_name}"
        return {position: self._reasons.get(position, absent) for position in np.flatnonzero(unknown).tolist()}

    def check(self) -> None:
        """Raise DataError when it names none of the images, or most lines of those that it names can't be used."""
        name, remedy, found = self.listing.name, self.kind.remedy, int(self.found.sum())
        if not found:
            raise DataError(
                f"{name} names none of the {len(self.image_ids):,} images: the first that it names is"
                f" '{shortened(self.absent[0])}', the first image '{shortened(self.image_ids[0])}'. {remedy}"
            )
        if 2 * len(self._reasons) > found:
            raise DataError(
                f"{name}: {len(self._reasons):,} of the {found:,} lines of these images can't be used. The first:"
                f" {next(iter(self._reasons.values()))}. {remedy}"
            )

    def _rows(self) -> Iterator[Row]:
        return islice(rows_of(self.listing, self._images), self.columns.first, None)

    def _name(self, row: Row) -> str:
        return row.cells[self.columns.name] if self.columns.name < len(row.cells) else ""

    def _take_alike(self, images: ImageNames) -> None:
        """Take for the images that are left the rows with a name alike."""
        same = self.found.tobytes()

        def find(name: str) -> int | None:
            position = images.alike(name)
            return None if position is None or same[position] else position

        self._take((row for row in self._rows() if self._name(row) not in images.exact), find)
        if alike := int(self.found.sum()) - sum(same):
            text = "%s: %s images are named by another path, suffix or capitals than they have."
            logger.info(text, self.listing.name, f"{alike:,}")

    def _take(self, rows: Iterable[Row], find: Callable[[str], int | None]) -> None:
        """Take the rows whose names are those of images, count the others."""
        self.missing = 0
        self.absent: list[str] = []
        self.splits_of_absent: set[int] = set()
        values_of = self._values_of_rows()
        positions, values = list[int](), bytearray()
        for row in rows:
            name = self._name(row)
            position = find(name)
            if position is None:
                self._note_absent(name, row, values_of)
                continue
            try:
                values += values_of(row.cells)
                positions.append(position)
            except ValueError as error:
                self.found[position] = True
                self.refuse(position, f"line {row.line} of {self.listing.short_name}, {row}, {error}")
            if len(positions) == _ROWS_AT_ONCE:
                self._enter(positions, values)
                positions, values = [], bytearray()
        self._enter(positions, values)

    def _values_of_rows(self) -> Callable[[list[str]], bytes]:
        """Give what makes bytes of a row's values, or says in a ValueError what is wrong with them."""
        width, columns, expected = self.columns.width, self.columns.values, self.kind.expected
        byte_of = Vocabulary(self.kind).__getitem__
        in_a_row = columns == list(range(columns[0], columns[-1] + 1))
        pick = itemgetter(slice(columns[0], columns[-1] + 1)) if in_a_row else itemgetter(*columns)

        def values_of(cells: list[str]) -> bytes:
            if len(cells) != width and (len(cells) < width or any(cells[width:])):
                raise ValueError(f"has {len(cells)} cells, not {width}")
            try:
                return bytes(map(byte_of, pick(cells)))
            except KeyError as error:
                raise ValueError(f"says {error}, not {expected}") from None

        return values_of

    def _enter(self, positions: Sequence[int], values: bytearray) -> None:
        rows = np.frombuffer(values, np.int8).reshape(len(positions), self.values.shape[1])
        if len(set(positions)) == len(positions) and not self.found[positions].any():
            self.values[positions] = rows
            self.found[positions] = True
            return
        for position, row in zip(positions, rows, strict=True):
            if not self.found[position]:
                self.values[position] = row
                self.found[position] = True
            elif (self.values[position] != row).any():
                self.refuse(position, f"{self.listing.short_name} names it twice, with different {self.kind.what}")

    def _note_absent(self, name: str, row: Row, values_of: Callable[[list[str]], bytes]) -> None:
        self.missing += 1
        if len(self.absent) < NAMED_ABSENT:
            self.absent.append(name)
        if self.kind is SPLIT:
            with suppress(ValueError):
                self.splits_of_absent.update(values_of(row.cells))

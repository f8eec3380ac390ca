"""CelebA's lists: which image belongs to which split, and the attributes of each.

They are read for what they say, in whatever form: the column of the images' names is found by its content, splits and
attributes by their words. What a line gets wrong is kept with its image, for the index of images; what most lines get
wrong, or the file as a whole, is a DataError about the file.
"""

import logging
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
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
)
from celeba_vae.preparation.list_files import ListFile, Row, shortened
from celeba_vae.preparation.names import ImageNames

logger = logging.getLogger(__name__)

__all__ = ["Attributes", "ListFile", "Partition", "read_attributes", "read_partition"]

# so many images that are listed but not there are named one by one
NAMED_ABSENT = 1000
_NOT_THERE = -1


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
    splits = listed.by_image()[:, 0]
    given = frozenset(np.unique(listed.values).tolist()) - {_NOT_THERE}
    missing = int((listed.positions == _NOT_THERE).sum())
    count = missing + listed.images_found()
    return Partition(splits, listed.faults(splits < 0), count, missing, list(listed.absent.values()), given)


def read_attributes(listing: ListFile, image_ids: Sequence[str]) -> Attributes:
    """Read an attribute list for the images of these names; others are passed over.

    Raises:
        DataError: it can't be read, is no list, names none of the images or no attributes, or most of its lines have
            other values than attributes.
    """
    listed = _Listed(listing, image_ids, ATTRIBUTES)
    unsure = listed.values == NO_OR_UNKNOWN
    if (listed.values == -1).any():
        for number in np.flatnonzero(unsure.any(axis=1)).tolist():
            listed.refuse(number, "has 0 for it, where others have 1 or -1")
    else:
        listed.values[unsure] = -1
    values = listed.by_image()
    faults = listed.faults(np.logical_not(values.any(axis=1)))
    table = pd.DataFrame(values, pd.Index(list(image_ids), name="image_id"), listed.columns.titles, copy=False)
    return Attributes(table, faults)


class _Listed:
    """What the rows of a list say, and of which images.

    Args:
        values: int8, a row a row of the list, the kind's ``unknown`` throughout where that can't be used.
        positions: int32, the position of each row's image, -1 where it is not there.
        absent: The first names that are not there, by row.

    Raises:
        DataError: the list can't be read, is none, or has no column with names of these images, or none with values.
    """

    def __init__(self, listing: ListFile, image_ids: Sequence[str], kind: Kind) -> None:
        self.listing = listing
        self.image_ids = image_ids
        self.kind = kind
        self.absent: dict[int, str] = {}
        self._reasons: dict[int, str] = {}
        images = ImageNames(image_ids)
        self.columns = find_columns(listing, images, kind)
        self.values, self.positions = self._read(images)
        if self.absent and self.images_found() < len(image_ids):
            self._find_alike(images)

    def by_image(self) -> np.ndarray:
        """Give the values of each image: int8, ``unknown`` where the list says none, or contradicts itself.

        Raises DataError when it names none of them, or most lines of those that it names can't be used.
        """
        here = np.flatnonzero(self.positions != _NOT_THERE)
        self._check(here)
        result = np.full((len(self.image_ids), self.values.shape[1]), self.kind.unknown, np.int8)
        positions = self.positions[here]
        # not copied where it need not be: all of it is 8 MB
        result[positions] = self.values[here] if len(here) < len(self.values) else self.values
        in_order = here[np.argsort(positions, kind="stable")]
        again = np.flatnonzero(np.diff(self.positions[in_order]) == 0)
        before, after = in_order[again], in_order[again + 1]
        for number in after[(self.values[before] != self.values[after]).any(axis=1)].tolist():
            self.refuse(number, f"names it twice, with different {self.kind.what}")
            result[self.positions[number]] = self.kind.unknown
        return result

    def refuse(self, number: int, reason: str) -> None:
        """Let a row count as one that can't be used."""
        self._reasons[number] = f"{self.listing.short_name} {reason}"
        self.values[number] = self.kind.unknown

    def faults(self, unknown: np.ndarray) -> dict[int, str]:
        """Say of each image that is marked, bool, why the list has nothing for it."""
        reasons = {int(self.positions[number]): reason for number, reason in self._reasons.items()}
        missing = f"not in {self.listing.short_name}"
        return {position: reasons.get(position, missing) for position in np.flatnonzero(unknown).tolist()}

    def images_found(self) -> int:
        """Count the images that it names."""
        found = np.zeros(len(self.image_ids), bool)
        found[self.positions[self.positions != _NOT_THERE]] = True
        return int(found.sum())

    def _rows(self) -> Iterator[Row]:
        return islice(self.listing.rows(), self.columns.first, None)

    def _read(self, images: ImageNames) -> tuple[np.ndarray, np.ndarray]:
        name, values_of = self.columns.name, self._values_of_rows()
        unknown = np.full(len(self.columns.values), self.kind.unknown, np.int8).tobytes()
        values, positions = bytearray(), array("i")
        for number, row in enumerate(self._rows()):
            try:
                values += values_of(row.cells)
            except ValueError as error:
                self._reasons[number] = f"line {row.line} of {self.listing.short_name}, {row}, {error}"
                values += unknown
            position = images.exact.get(row.cells[name] if name < len(row.cells) else "", _NOT_THERE)
            positions.append(position)
            if position == _NOT_THERE:
                self._note_absent(number, row)
        return np.frombuffer(values, np.int8).reshape(-1, len(unknown)), np.frombuffer(positions, np.int32)

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

    def _find_alike(self, images: ImageNames) -> None:
        """Look for images that are not named as they are, by what the names are alike to."""
        name, found = self.columns.name, 0
        taken = np.zeros(len(self.image_ids), bool)
        taken[self.positions[self.positions != _NOT_THERE]] = True
        self.absent.clear()
        for number, row in enumerate(self._rows()):
            if self.positions[number] != _NOT_THERE:
                continue
            position = images.alike(row.cells[name]) if name < len(row.cells) else None
            if position is None or taken[position]:
                self._note_absent(number, row)
            else:
                self.positions[number] = position
                found += 1
        if found:
            logger.info(
                "%s: %s images are named by another path, suffix or capitals than they have.",
                self.listing.name,
                f"{found:,}",
            )

    def _note_absent(self, number: int, row: Row) -> None:
        if len(self.absent) < NAMED_ABSENT:
            self.absent[number] = row.cells[min(self.columns.name, len(row.cells) - 1)]

    def _check(self, here: np.ndarray) -> None:
        name, remedy = self.listing.name, self.kind.remedy
        if not len(here):
            listed = shortened(next(iter(self.absent.values())))
            raise DataError(
                f"{name} names none of the {len(self.image_ids):,} images: the first that it names is '{listed}', the"
                f" first image '{self.image_ids[0]}'. {remedy}"
            )
        faulty = [number for number in self._reasons if self.positions[number] != _NOT_THERE]
        if 2 * len(faulty) > len(here):
            raise DataError(
                f"{name}: {len(faulty):,} of the {len(here):,} lines of these images can't be used. The first:"
                f" {self._reasons[min(faulty)]}. {remedy}"
            )

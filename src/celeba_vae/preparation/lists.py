"""CelebA's lists: which image belongs to which split, and the 40 attributes of each.

Both come as ``.txt`` (words between any number of spaces; the attributes below their count and their names) or as
``.csv`` (below a header). What a line gets wrong is kept with the image's name, for the index of images.
"""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, NamedTuple

import numpy as np
import pandas as pd

from celeba_vae.errors import DataError
from celeba_vae.preparation.index import NO_SPLIT
from celeba_vae.storage import Place

_PARTITION = {"0": 0, "1": 1, "2": 2}
_ATTRIBUTE = {"-1": -1, "1": 1}


@dataclass(frozen=True)
class ListFile:
    """A text file, on disk, remote or in an archive; ``name`` is what messages call it."""

    name: str
    open_bytes: Callable[[], BinaryIO]

    @classmethod
    def at(cls, place: Place) -> "ListFile":
        """Give the list at a place."""
        return cls(str(place), lambda: place.open("rb"))

    def lines(self) -> Iterator[str]:
        """Give its lines without their ends, but for blank ones. Raises DataError when it can't be read."""
        try:
            with io.TextIOWrapper(self.open_bytes(), encoding="utf-8-sig", errors="replace") as file:
                yield from (line.rstrip() for line in file if not line.isspace())
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise DataError(f"{self.name} can't be read: {error}.") from error

    @cached_property
    def state(self) -> str:
        """A hash of its text."""
        state = hashlib.blake2b(digest_size=8)
        for line in self.lines():
            state.update(line.encode() + b"\n")
        return state.hexdigest()


class Partition(NamedTuple):
    """What a partition file says, by the images' names.

    Args:
        splits: 0 train, 1 validation, 2 test, -1 none of them.
        faults: What is wrong with the lines of those that have none.
    """

    splits: dict[str, int]
    faults: Mapping[str, str]


class Attributes(NamedTuple):
    """The attributes of images.

    Args:
        table: int8, a row an image by its name, a column an attribute: 1 or -1; 0 where it is not known.
        faults: Why an image has none, by its position.
    """

    table: pd.DataFrame
    faults: Mapping[int, str]


def _rows(listing: ListFile) -> Iterator[tuple[str, list[str], str]]:
    """Give each line's name, the words behind it, and all of it; without the count that may stand first."""
    for number, line in enumerate(listing.lines()):
        name, *words = line.replace(",", " ").split() or [line]
        if number or words or not name.isdigit():
            yield name, words, line


def read_partition(listing: ListFile) -> Partition:
    """Read CelebA's partition file, ``.txt`` or ``.csv``. Raises DataError when it can't be read."""
    splits: dict[str, int] = {}
    faults: dict[str, str] = {}
    twice: set[str] = set()
    for number, (name, words, line) in enumerate(_rows(listing)):
        if number == 0 and name == "image_id":
            continue
        split = _PARTITION.get(words[0], NO_SPLIT) if len(words) == 1 else NO_SPLIT
        if len(words) != 1:
            faults[name] = f"the partition file has '{line.strip()}', not a name and 0, 1 or 2"
        elif split == NO_SPLIT:
            faults[name] = f"the partition file says '{words[0]}', not 0, 1 or 2"
        if splits.setdefault(name, split) != split:
            twice.add(name)
    splits.update(dict.fromkeys(twice, NO_SPLIT))
    faults.update(dict.fromkeys(twice, "the partition file names it twice, for different splits"))
    return Partition(splits, faults)


def read_attributes(listing: ListFile, image_ids: Sequence[str]) -> Attributes:
    """Read CelebA's attribute list, ``.txt`` or ``.csv``, for the images of these names; others are passed over.

    Raises:
        DataError: the list can't be read, or does not begin with the attributes' names.
    """
    rows = _rows(listing)
    name, words, _ = next(rows, ("image_id", [], ""))
    names = words if name == "image_id" else [name, *words]
    if not names or any(name in _ATTRIBUTE for name in names):
        raise DataError(
            f"{listing.name} does not begin with the attributes' names, as CelebA's does. Download it again, or remove"
            " it to do without attributes."
        )
    positions = {image_id: position for position, image_id in enumerate(image_ids)}
    values = np.zeros((len(image_ids), len(names)), np.int8)
    faults: dict[int, str] = {}
    for name, words, _ in rows:
        position = positions.get(name)
        if position is None:
            continue
        if len(words) != len(names):
            faults[position] = f"the attribute list has {len(words)} values for it, not {len(names)}"
            continue
        try:
            values[position] = [_ATTRIBUTE[word] for word in words]
        except KeyError as error:
            faults[position] = f"the attribute list says {error} where 1 or -1 is expected"
    unknown = np.flatnonzero(~values.any(axis=1)).tolist()
    return Attributes(
        pd.DataFrame(values, pd.Index(list(image_ids), name="image_id"), names),
        {position: faults.get(position, "not in the attribute list") for position in unknown},
    )

"""CelebA's lists: which image belongs to which split, and the 40 attributes of each.

Both come as ``.txt`` (words between any number of spaces; the attributes below their count and their names) or as
``.csv`` (below a header). What a line gets wrong is kept with the image's name, for the index of images.
"""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import BinaryIO

import numpy as np

from celeba_vae.errors import DataError
from celeba_vae.preparation.names import pack_names, positions_in

_PARTITION = {"0": 0, "1": 1, "2": 2}
# one byte an attribute: absent, present
_ATTRIBUTE = {"-1": 0, "1": 1}
_CHUNK = 4096


@dataclass(frozen=True)
class ListFile:
    """A text file, on disk or in an archive.

    Args:
        name: What to call it in messages.
        open_bytes: Opens it.
    """

    name: str
    open_bytes: Callable[[], BinaryIO]

    def lines(self) -> Iterator[str]:
        """Give its lines without their ends, one by one; blank ones are passed over.

        Raises:
            DataError: it can't be read.
        """
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


@dataclass(frozen=True)
class Partition:
    """What a partition file says.

    Args:
        names: The images' names, sorted, each once.
        values: int8, one a name: 0 train, 1 validation, 2 test, -1 none of them.
        faults: What is wrong with the lines whose value is -1, by name.
        state: A hash of the file.
    """

    names: np.ndarray
    values: np.ndarray
    faults: Mapping[str, str] = field(default_factory=dict)
    state: str = ""


@dataclass(frozen=True)
class Attributes:
    """The attributes of images, a bit each.

    Args:
        names: The attributes' names.
        bits: uint8 (images, bytes): the attributes of each image, as ``np.packbits`` packs them.
        faults: Why an image has none, by its position.
    """

    names: tuple[str, ...]
    bits: np.ndarray
    faults: Mapping[int, str]

    def of(self, positions: np.ndarray) -> np.ndarray:
        """Give the attributes of some images: int8 (images, attributes), 1 or -1; 0 where they are not known."""
        bits = np.unpackbits(self.bits[positions], axis=1, count=len(self.names))
        known = ~np.isin(positions, list(self.faults))
        return (bits.astype(np.int8) * 2 - 1) * known[:, None]


def read_partition(listing: ListFile) -> Partition:
    """Read CelebA's partition file, ``.txt`` or ``.csv``.

    Raises:
        DataError: the file can't be read.
    """
    faults: dict[str, str] = {}
    values = bytearray()

    def names() -> Iterator[str]:
        for number, line in enumerate(listing.lines(), start=1):
            name, *rest = line.replace(",", " ").split() or [line]
            if number == 1 and (name == "image_id" or (name.isdigit() and not rest)):
                continue
            value = _PARTITION.get(rest[0], -1) if len(rest) == 1 else -1
            if len(rest) != 1:
                faults[name] = f"the partition file has '{line.strip()}', not a name and 0, 1 or 2"
            elif value < 0:
                faults[name] = f"the partition file says '{rest[0]}', not 0, 1 or 2"
            values.append(value & 0xFF)
            yield name

    packed = pack_names(names())
    return _sorted_once(packed, np.frombuffer(values, np.int8), faults, listing.state)


def _sorted_once(names: np.ndarray, values: np.ndarray, faults: dict[str, str], state: str) -> Partition:
    order = np.argsort(names, stable=True)
    names, values = names[order], values[order]
    again = np.flatnonzero(names[1:] == names[:-1]) + 1
    for position in again:
        if values[position] != values[position - 1]:
            faults[str(names[position])] = "the partition file names it twice, for different splits"
            values[np.flatnonzero(names == names[position])] = -1
    return Partition(np.delete(names, again), np.delete(values, again), faults, state)


def read_attributes(listing: ListFile, image_ids: np.ndarray) -> Attributes:
    """Read CelebA's attribute list for the images that are there; what it says of others is passed over.

    Args:
        listing: The list, ``.txt`` or ``.csv``.
        image_ids: The images' names, sorted.

    Raises:
        DataError: the list can't be read, or does not begin with the attributes' names.
    """
    lines = listing.lines()
    names = _attribute_names(listing.name, lines)
    bits = np.zeros((len(image_ids), -(-len(names) // 8)), np.uint8)
    known = np.zeros(len(image_ids), bool)
    faults: dict[int, str] = {}
    while chunk := [line.replace(",", " ").split() or [line] for line in islice(lines, _CHUNK)]:
        positions = positions_in(image_ids, pack_names(words[0] for words in chunk))
        values, read = bytearray(), []
        for position, (_, *words) in zip(positions.tolist(), chunk, strict=True):
            if position >= 0:
                try:
                    values += _as_bytes(words, len(names))
                    read.append(position)
                except ValueError as error:
                    faults[position] = str(error)
        bits[read] = np.packbits(np.frombuffer(values, np.uint8).reshape(-1, len(names)), axis=1)
        known[read] = True
    unnamed = dict.fromkeys(np.flatnonzero(~known).tolist(), "not in the attribute list")
    faults = {position: fault for position, fault in faults.items() if not known[position]}
    return Attributes(names, bits, {**unnamed, **faults})


def _attribute_names(list_name: str, lines: Iterator[str]) -> tuple[str, ...]:
    words = next(lines, "").replace(",", " ").split()
    if len(words) == 1 and words[0].isdigit():
        words = next(lines, "").replace(",", " ").split()
    if words[:1] == ["image_id"]:
        words = words[1:]
    if not words or any(word in _ATTRIBUTE for word in words):
        raise DataError(
            f"{list_name} does not begin with the attributes' names, as CelebA's does. Download it again, or remove"
            " it to do without attributes."
        )
    return tuple(words)


def _as_bytes(words: list[str], count: int) -> bytes:
    """Give one image's values, a byte each. Raises ValueError with what is wrong."""
    if len(words) != count:
        raise ValueError(f"the attribute list has {len(words)} values for it, not {count}")
    try:
        return bytes(map(_ATTRIBUTE.__getitem__, words))
    except KeyError as error:
        raise ValueError(f"the attribute list says {error} where 1 or -1 is expected") from None

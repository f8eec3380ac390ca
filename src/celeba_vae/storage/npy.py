"""NumPy's files: ``.npy`` written row by row, in any order, by any number of processes; ``.npz`` as a whole."""

import io
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from celeba_vae.errors import DataError
from celeba_vae.storage.atomic import written_atomically
from celeba_vae.storage.places import Place, readable, written

Arrays = Mapping[str, np.ndarray]


def save_arrays(place: Place, arrays: Arrays) -> None:
    """Write arrays, none of which may hold Python objects; the file appears under its name when it is complete."""
    with written(place) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def load_arrays(place: Place) -> dict[str, np.ndarray]:
    """Read all arrays of a file; raises as ``reading_arrays`` does."""
    with reading_arrays(place, "arrays"), readable(place) as path, np.load(path, allow_pickle=False) as file:
        return dict(file)


@contextmanager
def reading_arrays(place: Place, kind: str) -> Iterator[None]:
    """Raise DataError where a file of "an array" or "arrays" is not there, is damaged, or holds pickled objects."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{place} is not there. Run the pipeline that makes it first.") from None
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{place} can't be read as {kind} ({error}). Delete it and run the pipeline that makes it again."
        ) from error


def npy_header(shape: tuple[int, ...], dtype: DTypeLike) -> bytes:
    """Give a C-ordered ``.npy`` file's header, version 1.0; NumPy makes it as long for any number of rows."""
    buffer = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, description)
    return buffer.getvalue()


def write_blocks(path: Path, shape: tuple[int, ...], dtype: DTypeLike, blocks: Iterable[np.ndarray]) -> None:
    """Write an array given in blocks of rows; raises DataError where these do not add up to its shape and type."""
    rows = 0
    with path.open("wb") as file:
        file.write(npy_header(shape, dtype))
        for block in blocks:
            if block.shape[1:] != shape[1:] or block.dtype != dtype:
                raise DataError(f"A block of {block.dtype} {block.shape} does not fit an array of {dtype} {shape}.")
            file.write(np.ascontiguousarray(block).data)
            rows += len(block)
    if rows != shape[0]:
        raise DataError(f"The blocks hold {rows} rows, but the array was to have {shape[0]}.")


class NpyRows:
    """A uint8 ``.npy`` file with a place for every row, filled in any order and cut to the rows that are used.

    Rows are not written through mapped memory: the process's memory does not grow with the file.
    """

    def __init__(self, path: Path, rows: int, row_shape: tuple[int, ...]) -> None:
        self.path = Path(path)
        self.rows = rows
        self.row_shape = row_shape
        self.row_bytes = int(np.prod(row_shape))
        self._header_bytes = len(npy_header((rows, *row_shape), np.uint8))

    def allocate(self) -> None:
        """Make the file, with all its rows zero."""
        with written_atomically(self.path) as temporary, temporary.open("wb") as file:
            file.write(npy_header((self.rows, *self.row_shape), np.uint8))
            file.truncate(self.size(self.rows))

    def is_complete(self, rows: int) -> bool:
        """Whether the file is there with the size that so many rows make."""
        return self.path.is_file() and self.path.stat().st_size == self.size(rows)

    def size(self, rows: int) -> int:
        """Bytes of a file with this many rows."""
        return self._header_bytes + rows * self.row_bytes

    def missing_bytes(self) -> int:
        """Bytes that the file with all its rows still needs on the disk: rows not yet written take none."""
        on_disk = self.path.stat().st_blocks * 512 if self.path.exists() else 0
        return max(0, self.size(self.rows) - on_disk)

    def read(self, first_row: int, rows: int) -> np.ndarray:
        """Read consecutive rows."""
        with self.path.open("rb") as file:
            file.seek(self.size(first_row))
            return np.frombuffer(file.read(rows * self.row_bytes), np.uint8).reshape(rows, *self.row_shape)

    def write(self, first_row: int, block: np.ndarray, synchronous: bool = False) -> None:
        """Write consecutive rows; ``synchronous`` hands them to the disk at once.

        Machines that write neighbouring rows over a network file system need that: without, one may write back a whole
        page of memory, with what stood before in another's part of it.
        """
        flags = os.O_WRONLY | (os.O_DSYNC if synchronous else 0)
        with open(os.open(self.path, flags), "wb") as file:
            file.seek(self.size(first_row))
            file.write(np.ascontiguousarray(block).data)

    def keep(self, kept: np.ndarray) -> None:
        """Cut the file to the rows that ``kept`` (bool, one a row) marks, in the order of ``kept_order``.

        Interrupted at any point it can be repeated: a row that is moved stays where it was until the file is shortened.
        """
        order = kept_order(kept)
        if self.is_complete(len(order)):
            return
        with self.path.open("r+b") as file:
            for row in np.flatnonzero(order != np.arange(len(order))):
                file.seek(self.size(int(order[row])))
                content = file.read(self.row_bytes)
                file.seek(self.size(int(row)))
                file.write(content)
            file.seek(0)
            file.write(npy_header((len(order), *self.row_shape), np.uint8))
            file.truncate(self.size(len(order)))


def kept_order(kept: np.ndarray) -> np.ndarray:
    """Give the row that becomes row i when only those marked in ``kept`` (bool) stay: the last ones fill the holes."""
    count = int(np.count_nonzero(kept))
    order = np.arange(count)
    holes = np.flatnonzero(~kept[:count])
    order[holes] = np.flatnonzero(kept[count:])[::-1] + count
    return order

"""What a stage has finished in its working folder, for a dataset to take over; and named arrays in a file."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from celeba_vae.errors import DataError
from celeba_vae.storage.atomic import written_atomically

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class NumpyFile:
    """A finished ``.npy`` file in a working folder: saving puts it in place by a hard link, without reading it."""

    path: Path


@dataclass(frozen=True)
class TableFile:
    """A finished ``.csv`` file in a working folder: saving copies it, without reading it as a table."""

    path: Path


def save_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays, none of which may hold Python objects; the file appears under its name when it is complete."""
    with written_atomically(path) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def load_arrays(path: Path, name: str = "") -> dict[str, np.ndarray]:
    """Read all arrays of a file; ``name`` is what messages call it, by default the path.

    Raises:
        DataError: the file is not there, is damaged, or holds pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError:
        raise DataError(f"{name or path} is not there. Run the pipeline that makes it first.") from None
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{name or path} can't be read as arrays ({error}). Delete it and run the pipeline that makes it again."
        ) from error

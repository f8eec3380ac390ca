"""A few named NumPy arrays as one ``.npz`` file."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from celeba_vae.datasets.stored_dataset import StoredDataset
from celeba_vae.errors import DataError
from celeba_vae.files import written_atomically
from celeba_vae.storage import readable, written


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
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


class ArraysDataset(StoredDataset[Mapping[str, np.ndarray], dict[str, np.ndarray]]):
    """Named arrays in an ``.npz`` file, read as a whole; pickles are refused. There may be none.

    Example:
        >>> ArraysDataset(filepath="fitted_sampler.npz").load()["means"].shape  # doctest: +SKIP
        (10, 256)
    """

    def load(self) -> dict[str, np.ndarray]:
        """Read the arrays; raises as ``load_arrays`` does."""
        place = self._load_place()
        with readable(place) as path:
            return load_arrays(path, str(place))

    def save(self, data: Mapping[str, np.ndarray]) -> None:
        """Write the arrays."""
        with written(self._save_place()) as temporary:
            np.savez(temporary, allow_pickle=False, **data)

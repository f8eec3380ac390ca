"""A few named NumPy arrays as one ``.npz`` file."""

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from kedro.io import AbstractVersionedDataset, Version

from celeba_vae.errors import DataError
from celeba_vae.files import written_atomically


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays, none of which may hold Python objects; the file appears under its name when it is complete."""
    with written_atomically(path) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of a file.

    Raises:
        DataError: the file is not there, is damaged, or holds pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError:
        raise DataError(f"{path} is not there. Run the pipeline that makes it first.") from None
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} can't be read as arrays ({error}). Delete it and run the pipeline that makes it again."
        ) from error


class ArraysDataset(AbstractVersionedDataset[Mapping[str, np.ndarray], dict[str, np.ndarray]]):
    """Named arrays in an ``.npz`` file, read as a whole; pickles are refused. There may be none.

    Example:
        >>> ArraysDataset(filepath="fitted_sampler.npz").load()["means"].shape  # doctest: +SKIP
        (10, 256)
    """

    def __init__(
        self, *, filepath: str, version: Version | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        super().__init__(filepath=PurePosixPath(filepath), version=version)
        self.metadata = metadata

    def load(self) -> dict[str, np.ndarray]:
        """Read the arrays; raises as ``load_arrays`` does."""
        return load_arrays(Path(self._get_load_path()))

    def save(self, data: Mapping[str, np.ndarray]) -> None:
        """Write the arrays."""
        save_arrays(Path(self._get_save_path()), data)

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}

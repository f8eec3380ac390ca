"""NumPy arrays as ``.npy`` files that are mapped into memory, not read."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import numpy as np
from kedro.io import AbstractVersionedDataset, Version

from celeba_vae.errors import DataError
from celeba_vae.files import link_or_copy, written_atomically
from celeba_vae.npy import write_blocks


@dataclass(frozen=True)
class NumpyFile:
    """A finished ``.npy`` file in a working folder: saving puts it in place by a hard link, without reading it."""

    path: Path


class RowBlocks(Protocol):
    """An array given in blocks of rows, for what does not fit into memory.

    ``shape`` and ``dtype`` are those of the whole array; iterating gives arrays that together have that many rows.
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    def __iter__(self) -> Iterator[np.ndarray]: ...


class NumpyDataset(AbstractVersionedDataset[Any, np.ndarray]):
    """An array in an ``.npy`` file, memory-mapped and read-only when loaded; pickles are refused.

    Saves an array, ``RowBlocks``, or a ``NumpyFile``. A file appears under its name only when it is complete.

    Example:
        >>> images = NumpyDataset(filepath="data/05_model_input/train_images.npy").load()  # doctest: +SKIP
        >>> images.shape  # doctest: +SKIP
        (162770, 96, 96, 3)
    """

    def __init__(
        self, *, filepath: str, version: Version | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        super().__init__(filepath=PurePosixPath(filepath), version=version)
        self.metadata = metadata

    def load(self) -> np.ndarray:
        """Map the file: rows are read when they are used.

        Raises:
            DataError: the file is not there, is damaged, or holds pickled objects.
        """
        path = Path(self._get_load_path())
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            raise DataError(f"{path} is not there. Run the pipeline that makes it first.") from None
        except (ValueError, EOFError, OSError) as error:
            raise DataError(
                f"{path} can't be read as an array ({error}). Delete it and run the pipeline that makes it again."
            ) from error

    def save(self, data: np.ndarray | RowBlocks | NumpyFile) -> None:
        """Write an array or blocks of rows, or put a finished file in place.

        Raises:
            DataError: the blocks do not add up to the shape they promised, or hold Python objects.
        """
        target = Path(self._get_save_path())
        if isinstance(data, NumpyFile):
            if not (target.exists() and os.path.samefile(data.path, target)):
                link_or_copy(data.path, target)
            return
        with written_atomically(target) as temporary:
            if isinstance(data, np.ndarray):
                np.save(temporary, data, allow_pickle=False)
            else:
                write_blocks(temporary, data.shape, data.dtype, data)

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}

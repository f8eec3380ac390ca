"""NumPy arrays: one in an ``.npy`` file, mapped into memory; a few named ones in an ``.npz`` file, read."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from kedro.io import Version

from celeba_vae.datasets.stored_dataset import StoredDataset, place_of
from celeba_vae.storage import Arrays, RemotePath, load_arrays, save_arrays, written
from celeba_vae.storage.atomic import link_or_copy
from celeba_vae.storage.cache import checksum, stored_checksum, upload_with_checksum, use_cached
from celeba_vae.storage.npy import reading_arrays, write_blocks


class RowBlocks(Protocol):
    """An array of this shape and type that is given in blocks of rows, for what does not fit into memory."""

    shape: tuple[int, ...]
    dtype: np.dtype

    def __iter__(self) -> Iterator[np.ndarray]: ...


class NumpyDataset(StoredDataset[Any, np.ndarray]):
    """An array in an ``.npy`` file, memory-mapped and read-only when loaded; pickles are refused.

    Saves an array, ``RowBlocks``, or the path of a finished file in a working folder, which is put in place by a hard
    link, without being read. A file appears under its name only when it is complete.

    A remote one is uploaded with its SHA-256 beside it (``train_images.npy.sha256``) and, to be mapped, copied to the
    folder ``cache["path"]`` (by default one in the user's cache folder): again only when it has changed there. Kedro
    makes a relative path of that name start at the project.
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        cache: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            filepath=filepath, version=version, credentials=credentials, fs_args=fs_args, metadata=metadata
        )
        self._cache = Path(cache["path"]) if cache else None

    def load(self) -> np.ndarray:
        """Map the file, or the local copy of a remote one; raises as ``reading_arrays`` and ``use_cached`` do."""
        place = self._load_place()
        with reading_arrays(place, "an array"):
            return use_cached(place, _map) if isinstance(place, RemotePath) else _map(place)

    def save(self, data: np.ndarray | RowBlocks | Path) -> None:
        """Write an array or blocks of rows, which must have the shape they promise, or put a finished file in place."""
        target = self._save_place()
        if not isinstance(data, Path):
            with written(target, upload_with_checksum) as file:
                _write(file, data)
        elif not self.holds(data):
            if isinstance(target, RemotePath):
                upload_with_checksum(target, data)
            else:
                link_or_copy(data, target)

    def holds(self, finished: Path) -> bool:
        """Whether saving this file would change nothing: it is in place already."""
        target = place_of(self, self._filepath if not self._version else self._get_save_path())
        if isinstance(target, RemotePath):
            return target.is_file() and stored_checksum(target) == checksum(finished)
        return target.exists() and os.path.samefile(finished, target)


def _map(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _write(path: Path, data: np.ndarray | RowBlocks) -> None:
    if isinstance(data, np.ndarray):
        np.save(path, data, allow_pickle=False)
    else:
        write_blocks(path, data.shape, data.dtype, data)


class ArraysDataset(StoredDataset[Arrays, dict[str, np.ndarray]]):
    """Named arrays in an ``.npz`` file, read as a whole; pickles are refused. There may be none."""

    def load(self) -> dict[str, np.ndarray]:
        """Read the arrays; raises as ``load_arrays`` does."""
        return load_arrays(self._load_place())

    def save(self, data: Arrays) -> None:
        """Write the arrays."""
        save_arrays(self._save_place(), data)

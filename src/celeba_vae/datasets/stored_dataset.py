"""What the catalog's own datasets share: a file or folder on disk or at an fsspec address, versioned or not."""

from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from kedro.io import AbstractVersionedDataset, Version

from celeba_vae.storage import Place, RemotePath, is_remote

Saved = TypeVar("Saved")
Loaded = TypeVar("Loaded")


class StoredDataset(AbstractVersionedDataset[Saved, Loaded]):
    """Base of datasets whose file or folder lies on this machine's disk or at an address such as ``s3://bucket/…``.

    ``credentials`` and ``fs_args`` are what the address's file system takes.

    Raises:
        SettingError: there is no file system for the address, or its package is not installed.
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.metadata = metadata
        lookups: dict[str, Any] = {}
        if is_remote(filepath):
            place = RemotePath(filepath, {**(credentials or {}), **(fs_args or {})})
            self._protocol, self._fs, filepath = place.protocol, place.fs, place.path
            lookups = {"exists_function": self._is_complete, "glob_function": self._fs.glob}
        super().__init__(filepath=PurePosixPath(filepath), version=version, **lookups)

    def _is_complete(self, path: str) -> bool:
        """Whether what is at a remote path counts: what is not written at once may be half written."""
        return self._fs.exists(path)

    def _load_place(self) -> Place:
        return place_of(self, self._get_load_path())

    def _save_place(self) -> Place:
        return place_of(self, self._get_save_path())

    def _exists(self) -> bool:
        return self._load_place().is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(place_of(self, self._filepath)), "version": self._version}

    def _release(self) -> None:
        super()._release()
        if isinstance(place := place_of(self, self._filepath), RemotePath):
            place.fs.invalidate_cache(place.path)


class OptionalDataset:
    """What a run may do without: it stands before the class that loads what is there, else loading gives None.

    A pipeline that needs it after all says so in its ``checks.py``.
    """

    def load(self) -> Any:
        """Load what is there, else give None."""
        dataset: Any = super()
        return dataset.load() if dataset.exists() else None


def place_of(dataset: Any, path: PurePosixPath) -> Place:
    """Give where a path of a dataset is, one of Kedro's own or of these: on disk, or in its remote file system."""
    protocol = getattr(dataset, "_protocol", "file")
    if protocol == "file":
        return Path(path)
    return RemotePath(f"{protocol}://{path}", dataset._fs.storage_options, getattr(dataset, "_cache", None))

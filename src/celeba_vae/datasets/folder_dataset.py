"""A folder as the catalog knows it."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from celeba_vae.config import is_remote
from celeba_vae.errors import SettingError
from celeba_vae.storage import Place, RemotePath


class FolderDataset(AbstractDataset[None, Place]):
    """A folder's absolute path, for the working files of long stages: on a disk, since these need locks.

    Loading gives the path whether or not the folder exists; nothing can be saved to it. ``credentials``, which a remote
    address may come with, are of no use: such an address is refused.
    """

    def __init__(
        self, *, path: str, credentials: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        # said when it is used: the hooks' data check knows the entry's name
        self.address = str(path)
        self._path = Path(path).absolute()
        self.metadata = metadata

    def load(self) -> Place:
        """Give the absolute path.

        Raises:
            SettingError: the folder is no local one.
        """
        self.check()
        return self._path

    def check(self, name: str = "A catalog entry") -> None:
        """Make sure that the folder is a local one; ``name`` is the entry's.

        Raises:
            SettingError: it is not.
        """
        if is_remote(self.address):
            raise SettingError(
                f"{name} is a working folder, which needs a local disk with locks, but its path is {self.address}.\n"
                "Give it a local path in the catalog; with the catalog of conf/base, set `work` in globals.yml to a"
                " local folder (README.md, Remote storage)."
            )

    def save(self, data: None) -> NoReturn:
        """Refuse: nodes write into the folder through the stage that owns it."""
        raise DatasetError(f"{self.address} is a folder to be read: nothing can be saved to it as a dataset.")

    def _exists(self) -> bool:
        return self._path.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"path": self.address if is_remote(self.address) else str(self._path)}


class InputFolderDataset(FolderDataset):
    """A folder whose files are read, on a disk or at an fsspec address: originals, own photos, earlier results.

    Loading gives an absolute ``Path`` or a ``RemotePath``, whether or not the folder exists. A remote archive is copied
    to the folder ``cache["path"]`` (by default one in the user's cache folder) to be read.
    """

    def __init__(
        self,
        *,
        path: str,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        cache: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(path=path, metadata=metadata)
        self._remote: RemotePath | None = None
        if is_remote(path):
            options = {**(credentials or {}), **(fs_args or {})}
            self._remote = RemotePath(path, options, Path(cache["path"]) if cache else None)

    def load(self) -> Place:
        """Give the folder."""
        return self._remote or self._path

    def check(self, name: str = "A catalog entry") -> None:
        """Accept any folder."""

    def _exists(self) -> bool:
        return self.load().is_dir()

"""A folder as the catalog knows it."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError


class FolderDataset(AbstractDataset[None, Path]):
    """A folder's absolute path: for originals, and for the working files of long stages.

    Loading gives the path whether or not the folder exists; nothing can be saved to it.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(path).absolute()
        self.metadata = metadata

    def load(self) -> Path:
        """Give the absolute path."""
        return self._path

    def save(self, data: None) -> NoReturn:
        """Refuse: nodes write into the folder through the stage that owns it."""
        raise DatasetError(f"{self._path} is a working folder: nothing can be saved to it as a dataset.")

    def _exists(self) -> bool:
        return self._path.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}

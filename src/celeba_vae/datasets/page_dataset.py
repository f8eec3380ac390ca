"""A page for people to open in a browser."""

from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractVersionedDataset, Version

from celeba_vae.files import written_atomically


class PageDataset(AbstractVersionedDataset[str, str]):
    """The text of a page in an ``.html`` file, in UTF-8 wherever it is written.

    Example:
        >>> PageDataset(filepath="data/08_reporting/report.html").load()  # doctest: +SKIP
    """

    def __init__(
        self, *, filepath: str, version: Version | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        super().__init__(filepath=PurePosixPath(filepath), version=version)
        self.metadata = metadata

    def load(self) -> str:
        """Load the page."""
        return Path(self._get_load_path()).read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        """Save a page; it appears under its name only when it is complete."""
        with written_atomically(Path(self._get_save_path())) as temporary:
            temporary.write_text(data, encoding="utf-8")

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}

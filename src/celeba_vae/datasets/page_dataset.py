"""A page for people to open in a browser."""

from celeba_vae.datasets.stored_dataset import StoredDataset
from celeba_vae.storage import written


class PageDataset(StoredDataset[str, str]):
    """The text of a page in an ``.html`` file, in UTF-8 wherever it is written.

    Example:
        >>> PageDataset(filepath="data/08_reporting/report.html").load()  # doctest: +SKIP
    """

    def load(self) -> str:
        """Load the page."""
        return self._load_place().read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        """Save a page; it appears under its name only when it is complete."""
        with written(self._save_place()) as temporary:
            temporary.write_text(data, encoding="utf-8")

"""Which ranges of rows are prepared, so that an interrupted run goes on where it was."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from celeba_vae.preparation.index import BadImage, RowRange
from celeba_vae.storage.atomic import written_atomically


@dataclass(frozen=True)
class Journal:
    """A file for each range whose rows are written; it holds the images of the range that can't be used."""

    folder: Path

    def enter(self, rows: RowRange, bad: Iterable[BadImage]) -> None:
        """Enter a range whose rows are written."""
        with written_atomically(self._file(rows)) as temporary:
            temporary.write_text(json.dumps(list(bad)))

    def bad_images(self, rows: RowRange) -> list[BadImage] | None:
        """Give the images of a range that can't be used; None: it was not entered."""
        try:
            return [BadImage(*image) for image in json.loads(self._file(rows).read_text())]
        except FileNotFoundError:
            return None

    def _file(self, rows: RowRange) -> Path:
        return self.folder / f"{rows.name}.json"

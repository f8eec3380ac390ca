"""Which ranges of rows are prepared, so that an interrupted run goes on where it was."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from celeba_vae.preparation.forms import Forms, from_json, to_json
from celeba_vae.preparation.index import BadImage, RowRange
from celeba_vae.storage.atomic import written_atomically


@dataclass(frozen=True)
class Journal:
    """A file for each range whose rows are written: its images that can't be used, and the forms that they have."""

    folder: Path

    def enter(self, rows: RowRange, bad: Iterable[BadImage], forms: Forms) -> None:
        """Enter a range whose rows are written."""
        with written_atomically(self._file(rows)) as temporary:
            temporary.write_text(json.dumps({"bad": list(bad), "forms": to_json(forms)}))

    def entered(self, rows: RowRange) -> tuple[list[BadImage], Forms] | None:
        """Give the images of a range that can't be used, and all its images' forms; None: it was not entered."""
        try:
            content = json.loads(self._file(rows).read_text())
        except FileNotFoundError:
            return None
        return [BadImage(*image) for image in content["bad"]], from_json(content["forms"])

    def _file(self, rows: RowRange) -> Path:
        return self.folder / f"{rows.name}.json"

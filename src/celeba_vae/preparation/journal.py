"""Which ranges of rows are prepared, so that an interrupted run goes on where it was."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from celeba_vae.preparation.index import UNREADABLE, BadImage, RowRange
from celeba_vae.storage.atomic import written_atomically


@dataclass(frozen=True)
class Journal:
    """A file for each range whose rows are written; it holds the images of the range that can't be used."""

    folder: Path

    def enter(self, rows: RowRange, bad: Iterable[BadImage]) -> None:
        """Enter a range whose rows are written."""
        with written_atomically(self._file(rows)) as temporary:
            temporary.write_text(json.dumps(list(bad)))

    def sorted_out(self, ranges: Iterable[RowRange]) -> tuple[list[RowRange], list[RowRange]]:
        """Give those of some ranges that were entered, and those that were not."""
        entered = {file.stem for file in self.folder.glob("*.json")}
        done: list[RowRange] = []
        remaining: list[RowRange] = []
        for rows in ranges:
            (done if rows.name in entered else remaining).append(rows)
        return done, remaining

    def bad_images(self, ranges: Iterable[RowRange]) -> Iterator[BadImage]:
        """Give the images that can't be used of ranges that were entered."""
        return (BadImage(*image) for rows in ranges for image in json.loads(self._file(rows).read_text()))

    def forget_unreadable(self, ranges: Iterable[RowRange]) -> None:
        """Forget ranges with images that could not be read: a disk may be back, a permission given."""
        for rows in self.sorted_out(ranges)[0]:
            if any(image.status == UNREADABLE for image in self.bad_images([rows])):
                self._file(rows).unlink()

    def _file(self, rows: RowRange) -> Path:
        return self.folder / f"{rows.name}.json"

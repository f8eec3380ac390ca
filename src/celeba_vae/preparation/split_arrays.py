"""The arrays of all splits while they are filled, and the mean image of each."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from celeba_vae.preparation.index import SPLITS, ImageIndex, RowRange
from celeba_vae.preparation.journal import Journal
from celeba_vae.preparation.rows import sum_of
from celeba_vae.storage.atomic import check_room, written_atomically
from celeba_vae.storage.npy import NpyRows


class SplitArrays:
    """An array a split, with a place for each of the split's images, and ``means.npy`` when all rows are written.

    Args:
        folder: Where they are.
        index: The images.
        image_shape: (height, width, 3) of a prepared image.
    """

    def __init__(self, folder: Path, index: ImageIndex, image_shape: tuple[int, int, int]) -> None:
        self.journal = Journal(folder / "ranges")
        self.files = {
            split: NpyRows(folder / f"{split}_images.npy", len(index.places(split)), image_shape) for split in SPLITS
        }
        self._folder = folder
        self._image_shape = image_shape
        self._means = folder / "means.npy"

    def exist(self) -> bool:
        """Whether all are there, filled or not."""
        return all(array.path.exists() for array in self.files.values())

    def are_filled(self) -> bool:
        """Whether all rows are written; from then on they may be moved."""
        return self._means.exists()

    def are_cut(self, counts: Mapping[str, int]) -> bool:
        """Whether each has so many rows and no more."""
        return all(self.files[split].is_complete(count) for split, count in counts.items())

    def check_room(self) -> None:
        """Raise DataError when the disk has no room for the rows that are still to be written."""
        needed = sum(array.missing_bytes() for array in self.files.values())
        check_room(self._folder, needed, "The prepared images", "a smaller data_engineering.image_size")

    def start_over(self) -> None:
        """Make them anew, all rows black; interrupted, it leaves one missing and begins again."""
        for array in self.files.values():
            array.path.unlink(missing_ok=True)
        shutil.rmtree(self.journal.folder, ignore_errors=True)
        self._means.unlink(missing_ok=True)
        (self._folder / "finished.json").unlink(missing_ok=True)
        for array in self.files.values():
            array.allocate()

    def sums(self, ranges: Iterable[RowRange]) -> dict[str, np.ndarray]:
        """Add up the rows of some ranges, by split: int64 (height, width, 3)."""
        sums = {split: np.zeros(self._image_shape, np.int64) for split in SPLITS}
        for rows in ranges:
            sums[rows.split] += sum_of(self.files[rows.split].read(rows.start, len(rows)))
        return sums

    def write_means(self, sums: Mapping[str, np.ndarray], counts: Mapping[str, int]) -> None:
        """Write the mean image of each split, uint8 (splits, height, width, 3); black for a split without images."""
        means = [np.rint(sums[split] / max(1, counts[split])).astype(np.uint8) for split in SPLITS]
        with written_atomically(self._means) as temporary:
            np.save(temporary, np.stack(means))

    def means(self) -> dict[str, np.ndarray]:
        """Read the mean image of each split."""
        return dict(zip(SPLITS, np.load(self._means), strict=True))

    def cut(self, index: ImageIndex) -> None:
        """Fill the places of images that can't be used from the end, and cut the arrays to those that can."""
        for split, array in self.files.items():
            array.keep(index.kept(split))

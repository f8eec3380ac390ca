"""Folders: their paths; and many images as one dataset, PNG files with a table that says where each comes from."""

import base64
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

import cv2
import numpy as np
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import ImagePreview

from celeba_vae.datasets.stored_dataset import StoredDataset
from celeba_vae.errors import SettingError
from celeba_vae.reporting.grids import image_grid
from celeba_vae.storage import CONNECTIONS, Place, RemotePath, is_remote
from celeba_vae.storage.atomic import written_atomically
from celeba_vae.storage.threads import map_in_threads

INDEX = "index.csv"
PREVIEW_COUNT = 28
BLOCK = 64


class FolderDataset(AbstractDataset[None, Place]):
    """A folder's absolute path, for the working files of long stages: on a disk, since these need locks.

    Loading gives the path whether or not the folder exists; nothing can be saved to it. A remote address, which may
    come with ``credentials``, is refused.
    """

    def __init__(
        self, *, path: str, credentials: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        # said when it is used: the hooks' data check knows the entry's name
        self.address = str(path)
        self._path = Path(path).absolute()
        self.metadata = metadata

    def load(self) -> Place:
        """Give the absolute path; raises as ``check`` does."""
        self.check()
        return self._path

    def check(self, name: str = "A catalog entry") -> None:
        """Raise SettingError where the folder is no local one; ``name`` is the entry's."""
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


class PngImages:
    """PNG files of one size as an array (n, h, w, 3) uint8; an image, a slice or all are read when they are used.

    A file that is damaged or gone by then is a DatasetError.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, folder: Place, names: Iterable[str]) -> None:
        self.folder = folder
        self.names = list(names)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, h, w, 3)."""
        return len(self), *self[0].shape

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self._read, self.names)

    def __getitem__(self, rows: int | slice) -> np.ndarray:
        if not isinstance(rows, slice):
            return self._read(self.names[rows])
        names = self.names[rows]
        if not names:
            return np.empty((0, *self.shape[1:]), np.uint8)
        if isinstance(self.folder, RemotePath):
            return np.stack(list(map_in_threads(self._read, names, CONNECTIONS)))
        return np.stack([self._read(name) for name in names])

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def _read(self, name: str) -> np.ndarray:
        path = self.folder / name
        if isinstance(path, RemotePath):
            image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)
        else:
            image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise DatasetError(
                f"{path} can't be read as an image. Make the images again: kedro run --pipelines generation."
            )
        return image


Images = TypeVar("Images", bound=Iterable[np.ndarray])


@dataclass(frozen=True)
class ImageFolder(Generic[Images]):
    """Images and what is known about each.

    The images are (n, h, w, 3) uint8, an array or ``PngImages``; to be saved, an iterable of such blocks will do, for
    more than fit into memory.
    """

    images: Images
    index: pd.DataFrame  # one row an image, in the same order

    def blocks(self) -> Iterator[np.ndarray]:
        """Give the images block by block, in order: (at most ``BLOCK`` where it is not given in blocks, h, w, 3)."""
        images = self.images
        if not isinstance(images, np.ndarray | PngImages):
            return iter(images)
        return (images[first : first + BLOCK] for first in range(0, len(images), BLOCK))


class ImageFolderDataset(StoredDataset[ImageFolder[Any], ImageFolder[PngImages]]):
    """A folder with ``000000.png``, ``000001.png``, … and ``index.csv``, versioned as a whole.

    The table gets a first column ``file`` in the folder, for whoever opens it there.
    """

    def load(self) -> ImageFolder[PngImages]:
        """Load the table; the images are read when they are used."""
        folder = self._load_place()
        index = pd.read_csv(io.BytesIO((folder / INDEX).read_bytes()), keep_default_na=False, na_values=[""])
        return ImageFolder(PngImages(folder, index.pop("file")), index)

    def save(self, data: ImageFolder[Any]) -> None:
        """Save images and table; the folder appears under its name only when it is complete.

        A remote one grows under its name and counts from when its table is there, which is written last.

        Raises:
            DatasetError: there is no image, not one row an image, or an image is not (h, w, 3) uint8.
        """
        count = len(data.index)
        with _folder_written(self._save_place()) as folder:
            written = sum(map_in_threads(lambda block: _write_block(folder, *block), _numbered(data.blocks())))
            if not count or written != count:
                raise DatasetError(
                    f"{self._filepath}: the table must have one row an image; it has {count} for {written} images."
                )
            index = data.index.assign(file=[_file_name(row) for row in range(count)])
            table = index[["file", *data.index.columns]].to_csv(index=False)
            (folder / INDEX).write_bytes(table.encode())

    def preview(self) -> ImagePreview:
        """Give a grid of the first images in base64, as kedro-viz wants it."""
        buffer = io.BytesIO()
        image_grid(self.load().images[:PREVIEW_COUNT], columns=7).save(buffer, format="PNG")
        return ImagePreview(base64.b64encode(buffer.getvalue()).decode())

    def _is_complete(self, path: str) -> bool:
        return super()._is_complete(f"{path}/{INDEX}")

    def _exists(self) -> bool:
        return (self._load_place() / INDEX).is_file()


@contextmanager
def _folder_written(place: Place) -> Iterator[Place]:
    if isinstance(place, RemotePath):
        try:
            yield place
        except BaseException:
            with suppress(Exception):
                place.rmdir(recursive=True)
            raise
    else:
        with written_atomically(place) as folder:
            folder.mkdir()
            yield folder


def _file_name(row: int) -> str:
    return f"{row:06d}.png"


def _numbered(blocks: Iterable[np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    """Give each block with the row of its first image."""
    first = 0
    for block in blocks:
        yield first, block
        first += len(block)


def _write_block(folder: Place, first: int, block: np.ndarray) -> int:
    """Write the images as files and give their number."""
    if block.dtype != np.uint8 or block.ndim != 4 or block.shape[3] != 3:
        raise DatasetError(
            f"{_file_name(first)}: expected images (n, height, width, 3) of uint8, found {block.dtype} {block.shape}."
        )
    for row, image in enumerate(block, start=first):
        # OpenCV's default settings write photos of this size three times as fast as zlib's level 1, 6% larger
        png = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1]
        (folder / _file_name(row)).write_bytes(png.tobytes())
    return len(block)

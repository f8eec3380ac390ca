"""Many images as one dataset: a folder of PNG files with a table that says where each comes from."""

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import pandas as pd
from kedro.io import AbstractVersionedDataset, DatasetError, Version
from kedro_datasets._typing import ImagePreview

from celeba_vae.files import written_atomically
from celeba_vae.imaging.grids import image_grid

INDEX = "index.csv"
PREVIEW_COUNT = 28


@dataclass(frozen=True)
class ImageFolder:
    """Images and what is known about each.

    Args:
        images: (n, h, w, 3) uint8; to be saved, any iterable of (h, w, 3) uint8 images will do.
        index: One row an image, in the same order.
    """

    images: np.ndarray | Iterable[np.ndarray]
    index: pd.DataFrame


class ImageFolderDataset(AbstractVersionedDataset[ImageFolder, ImageFolder]):
    """A folder with ``000000.png``, ``000001.png``, … and ``index.csv``, versioned as a whole.

    The table gets a first column ``file`` in the folder, for whoever opens it there.

    Example:
        >>> ImageFolderDataset(filepath="data/07_model_output/generated").load().images  # doctest: +SKIP
    """

    def __init__(
        self, *, filepath: str, version: Version | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        super().__init__(filepath=PurePosixPath(filepath), version=version)
        self.metadata = metadata

    def load(self) -> ImageFolder:
        """Load all images (n, h, w, 3) uint8 and the table."""
        folder = Path(self._get_load_path())
        index = pd.read_csv(folder / INDEX, keep_default_na=False, na_values=[""])
        return ImageFolder(np.stack([_read_png(folder / file) for file in index.pop("file")]), index)

    def save(self, data: ImageFolder) -> None:
        """Save images and table; the folder appears under its name only when it is complete.

        Raises:
            DatasetError: there is no image, not one row an image, or an image is not (h, w, 3) uint8.
        """
        files = [f"{row:06d}.png" for row in range(len(data.index))]
        with written_atomically(Path(self._get_save_path())) as folder:
            folder.mkdir()
            images = iter(data.images)
            for file in files:
                _write_png(folder / file, next(images, None))
            if not files or next(images, None) is not None:
                raise DatasetError(f"{self._filepath}: the table must have one row an image; it has {len(files)}.")
            data.index.assign(file=files)[["file", *data.index.columns]].to_csv(folder / INDEX, index=False)

    def preview(self) -> ImagePreview:
        """Give a grid of the first images in base64, as kedro-viz wants it."""
        folder = Path(self._get_load_path())
        files = sorted(folder.glob("*.png"))[:PREVIEW_COUNT]
        buffer = io.BytesIO()
        image_grid([_read_png(file) for file in files], columns=7).save(buffer, format="PNG")
        return ImagePreview(base64.b64encode(buffer.getvalue()).decode())

    def _exists(self) -> bool:
        return (Path(self._get_load_path()) / INDEX).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}


def _write_png(path: Path, image: np.ndarray | None) -> None:
    if image is None or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        found = "none" if image is None else f"{image.dtype} {image.shape}"
        raise DatasetError(f"{path.name}: expected an image (height, width, 3) of uint8, found {found}.")
    # OpenCV's default settings write photos of this size three times as fast as zlib's level 1, 6% larger
    path.write_bytes(cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1])


def _read_png(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise DatasetError(
            f"{path} can't be read as an image. Make the images again: kedro run --pipelines generation."
        )
    return image

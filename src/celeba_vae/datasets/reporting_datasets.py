"""What people and machines read: tables, reports, pages, and pictures, which kedro-viz shows."""

import base64
import json
import shutil
from collections import defaultdict
from collections.abc import Sequence
from copy import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from kedro.io import DatasetError
from kedro_datasets._typing import ImagePreview
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset
from PIL import Image, ImageSequence

from celeba_vae.datasets.stored_dataset import Loaded, OptionalDataset, Saved, StoredDataset, place_of
from celeba_vae.errors import DataError
from celeba_vae.storage import readable, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# pixels an inch of a chart: twice a page's, for the screens of phones
FIGURE_RESOLUTION = 192
MILLISECONDS_A_FRAME = 100
COLOURS = 128


class _ReadOrRefused:
    """Says what is wrong with a file as other datasets do; it stands before the class of Kedro's that reads it."""

    def load(self) -> Any:
        """Read the file; raises DataError where it is not there, or is damaged."""
        try:
            return super().load()  # type: ignore[misc]  # of the class after it
        except DatasetError as error:
            raise DataError(str(error)) from error


class TableDataset(_ReadOrRefused, CSVDataset):
    """Kedro's ``pandas.CSVDataset``, whose file appears under its name only when it is complete.

    Saves a data frame, or the path of a finished file, which is copied. In ``load_args.dtype`` the key ``"*"`` stands
    for all other columns.
    """

    def __init__(self, *, load_args: dict[str, Any] | None = None, **options: Any) -> None:
        load_args = dict(load_args or {})
        dtype = load_args.get("dtype")
        if isinstance(dtype, dict) and "*" in dtype:
            # unlike a lambda, this can be pickled
            load_args["dtype"] = defaultdict(partial(copy, dtype["*"]), dtype)
        super().__init__(load_args=load_args, **options)

    def save(self, data: pd.DataFrame | Path) -> None:
        """Write a table, or put a finished file in place."""
        with written(place_of(self, self._get_save_path())) as temporary:
            if isinstance(data, Path):
                shutil.copyfile(data, temporary)
            else:
                data.to_csv(temporary, **self._save_args)


class ReportDataset(_ReadOrRefused, JSONDataset):
    """Kedro's ``json.JSONDataset``, whose file appears under its name only when it is complete."""

    def save(self, data: Any) -> None:
        """Write a report."""
        with written(place_of(self, self._get_save_path())) as temporary:
            temporary.write_text(json.dumps(data, **self._save_args))


class PageDataset(StoredDataset[str, str]):
    """The text of a page in an ``.html`` file, in UTF-8 wherever it is written."""

    def load(self) -> str:
        """Load the page."""
        return self._load_place().read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        """Save a page; it appears under its name only when it is complete."""
        with written(self._save_place()) as temporary:
            temporary.write_text(data, encoding="utf-8")


class ImageFileDataset(StoredDataset[Saved, Loaded]):
    """Base of datasets whose file is one that browsers show, and so does kedro-viz."""

    def preview(self) -> ImagePreview:
        """Give the file in base64, as kedro-viz wants it."""
        return ImagePreview(base64.b64encode(self._load_place().read_bytes()).decode())


class PictureDataset(ImageFileDataset["Image.Image | Figure", Image.Image]):
    """A picture in a PNG file, lossless: saves a Pillow image or a matplotlib figure."""

    def load(self) -> Image.Image:
        """Load the picture as a Pillow image; a chart's has the resolution that it was drawn with in its ``info``."""
        with readable(self._load_place()) as path, Image.open(path) as image:
            image.load()
            return image

    def save(self, data: "Image.Image | Figure") -> None:
        """Save a picture; it appears under its name only when it is complete."""
        with written(self._save_place()) as temporary:
            if isinstance(data, Image.Image):
                # a third of the default level's time, a tenth more bytes
                data.save(temporary, format="PNG", compress_level=3)
            else:
                data.savefig(temporary, format="png", dpi=FIGURE_RESOLUTION)


class AnimationDataset(ImageFileDataset[Sequence[Image.Image], list[Image.Image]]):
    """Pillow images of one size as the frames of a GIF that plays again and again.

    All frames share one palette, without dithering, so that nothing flickers and the file stays small.
    """

    def load(self) -> list[Image.Image]:
        """Load the frames as RGB; equal ones in a row are one in the file, shown for longer."""
        with readable(self._load_place()) as path, Image.open(path) as image:
            return [frame.convert("RGB") for frame in ImageSequence.Iterator(image)]

    def save(self, data: Sequence[Image.Image]) -> None:
        """Save at least one frame; the file appears under its name only when it is complete."""
        palette = _one_below_the_other(data).quantize(COLOURS, Image.Quantize.MEDIANCUT)
        first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in data)
        options = {"save_all": True, "append_images": others, "duration": MILLISECONDS_A_FRAME, "loop": 0}
        with written(self._save_place()) as temporary:
            first.save(temporary, format="GIF", **options)


class OptionalTableDataset(OptionalDataset, TableDataset):
    """A table, or None where it has not been written."""


class OptionalReportDataset(OptionalDataset, ReportDataset):
    """A report for machines, or None where it has not been written."""


class OptionalPictureDataset(OptionalDataset, PictureDataset):
    """A picture, or None where it has not been drawn."""


def _one_below_the_other(frames: Sequence[Image.Image]) -> Image.Image:
    width, height = frames[0].size
    sheet = Image.new("RGB", (width, height * len(frames)))
    for i, frame in enumerate(frames):
        sheet.paste(frame, (0, i * height))
    return sheet

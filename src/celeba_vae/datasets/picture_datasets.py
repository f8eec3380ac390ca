"""Pictures for people to look at, which kedro-viz shows."""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kedro_datasets._typing import ImagePreview
from PIL import Image, ImageSequence

from celeba_vae.datasets.stored_dataset import Loaded, OptionalDataset, Saved, StoredDataset
from celeba_vae.storage import readable, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# pixels an inch of a chart: twice a page's, for the screens of phones
FIGURE_RESOLUTION = 192
MILLISECONDS_A_FRAME = 100
COLOURS = 128


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


class OptionalPictureDataset(OptionalDataset, PictureDataset):
    """A picture, or None where it has not been drawn."""


def _one_below_the_other(frames: Sequence[Image.Image]) -> Image.Image:
    width, height = frames[0].size
    sheet = Image.new("RGB", (width, height * len(frames)))
    for i, frame in enumerate(frames):
        sheet.paste(frame, (0, i * height))
    return sheet

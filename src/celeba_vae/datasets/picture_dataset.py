"""One picture for people to look at, as PNG."""

import base64
from typing import TYPE_CHECKING

from kedro_datasets._typing import ImagePreview
from PIL import Image

from celeba_vae.datasets.stored_dataset import Loaded, Saved, StoredDataset
from celeba_vae.storage import readable, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# pixels an inch of a chart: twice a page's, for the screens of phones
FIGURE_RESOLUTION = 192


class ImageFileDataset(StoredDataset[Saved, Loaded]):
    """Base of datasets whose file is one that browsers show, and so does kedro-viz."""

    def preview(self) -> ImagePreview:
        """Give the file in base64, as kedro-viz wants it."""
        return ImagePreview(base64.b64encode(self._load_place().read_bytes()).decode())


class PictureDataset(ImageFileDataset["Image.Image | Figure", Image.Image]):
    """A picture in a PNG file, lossless, which kedro-viz shows: saves a Pillow image or a matplotlib figure.

    Example:
        >>> PictureDataset(filepath="data/08_reporting/generated_grid.png").load()  # doctest: +SKIP
    """

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

"""Moving pictures as GIF files."""

from collections.abc import Sequence

from PIL import Image, ImageSequence

from celeba_vae.datasets.picture_dataset import ImageFileDataset
from celeba_vae.storage import readable, written

MILLISECONDS_A_FRAME = 100
COLOURS = 128


class AnimationDataset(ImageFileDataset[Sequence[Image.Image], list[Image.Image]]):
    """Pillow images of one size as the frames of a GIF that plays again and again, and which kedro-viz shows.

    All frames share one palette, without dithering, so that nothing flickers and the file stays small.

    Example:
        >>> AnimationDataset(filepath="data/08_reporting/interpolation.gif").load()  # doctest: +SKIP
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


def _one_below_the_other(frames: Sequence[Image.Image]) -> Image.Image:
    width, height = frames[0].size
    sheet = Image.new("RGB", (width, height * len(frames)))
    for i, frame in enumerate(frames):
        sheet.paste(frame, (0, i * height))
    return sheet

"""Pictures of many images side by side, with a title, captions and row labels that are easy to read."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from celeba_vae.config.wording import printable

BACKGROUND = "white"
INK = "#202020"
# by how much the models' images are enlarged for people to look at
GRID_SCALE = 2


def image_grid(
    images: np.ndarray | Sequence[np.ndarray],
    columns: int,
    *,
    title: str | None = None,
    captions: Sequence[str] | None = None,
    row_labels: Sequence[str] | None = None,
    scale: int = 1,
) -> Image.Image:
    """Put images (h, w, 3) uint8 of one shape side by side, ``columns`` a row; the last row may be shorter.

    The title above is wrapped to the grid's width. There is one label a row, at its left, and one caption an image,
    under it, shortened to its width; rows with none take no room for them. What can't be drawn in them, such as a line
    break, is replaced. Each image is drawn ``scale`` times as large as it is.

    Raises:
        ValueError: there are no images, or there is not one caption an image or not one label a row.
    """
    if not len(images):
        raise ValueError("A grid needs at least one image.")
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    # some are files' names, which may hold line breaks
    captions = [printable(caption) for caption in captions or [""] * len(images)]
    row_labels = [printable(label) for label in row_labels or [""] * rows]
    if len(captions) != len(images) or len(row_labels) != rows:
        raise ValueError(
            f"{len(images)} images in {rows} rows have {len(captions)} captions and {len(row_labels)} row labels."
        )
    height, width = (side * scale for side in np.shape(images[0])[:2])
    gap = max(2, width // 48)
    margin = 4 * gap
    font = _font(max(10, width // 12))
    labels_width = max(_width(label, font) for label in row_labels)
    left = margin + labels_width + (margin if labels_width else 0)
    captioned = [any(captions[row * columns : (row + 1) * columns]) for row in range(rows)]
    row_heights = [height + gap + (_line_height(font) + gap if each else 0) for each in captioned]

    grid = Image.new("RGB", (left + columns * (width + gap) - gap + margin, sum(row_heights) + margin), BACKGROUND)
    draw = ImageDraw.Draw(grid)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(i, columns)
        x, y = left + column * (width + gap), sum(row_heights[:row])
        grid.paste(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC), (x, y))
        draw.text((x + width // 2, y + height + gap), _shortened(caption, font, width), INK, font, anchor="ma")
        if column == 0:
            draw.text((margin, y + height // 2), row_labels[row], INK, font, anchor="lm")
    return _above(_text_image(title, _font(max(12, width // 9)), grid.width, margin), grid)


def comparison_grid(
    rows: Mapping[str, np.ndarray],
    columns: int,
    *,
    title: str | None = None,
    captions: Sequence[str] | None = None,
    scale: int = 1,
) -> Image.Image:
    """Compare versions of the same images: blocks of rows, one row a version, the same image in a column.

    ``rows`` are, by their labels, equally many images (n, h, w, 3) uint8 of one shape, at least one. What is beyond
    ``columns`` goes on in the next block. There is a caption an image, under its versions; otherwise as ``image_grid``.
    """
    count = len(next(iter(rows.values())))
    columns = min(columns, count)
    starts = range(0, count, columns)
    tiles, texts = [], []
    for start in starts:
        for images in rows.values():
            shown = images[start : start + columns]
            # white where there are no more, so that the next row begins at the left
            missing = columns - len(shown)
            tiles += [*shown, *[np.full(images.shape[1:], 255, np.uint8)] * missing]
        texts += [""] * columns * (len(rows) - 1)
        texts += [*(captions or [""] * count)[start : start + columns], *[""] * missing]
    return image_grid(tiles, columns, title=title, captions=texts, row_labels=list(rows) * len(starts), scale=scale)


class Row(NamedTuple):
    """A row of images (h, w, 3) uint8: what stands at its left, and under each image its caption, or none under any."""

    label: str
    images: np.ndarray | Sequence[np.ndarray]
    captions: Sequence[str] = ()


def row_grid(rows: Sequence[Row], title: str) -> Image.Image:
    """Draw rows of equally many images one below the other."""
    return image_grid(
        [image for row in rows for image in row.images],
        len(rows[0].images),
        title=title,
        captions=[caption for row in rows for caption in row.captions],
        row_labels=[row.label for row in rows],
        scale=GRID_SCALE,
    )


def text_picture(title: str, text: str = "") -> Image.Image:
    """Draw a title and a text as a picture, for where there is nothing else to show yet."""
    width, margin = 900, 24
    return _above(_text_image(title, _font(24), width, margin), _text_image(text, _font(17), width, margin))


def _text_image(text: str | None, font: ImageFont.FreeTypeFont, width: int, margin: int) -> Image.Image:
    """Draw text on lines as wide as fits between the margins; without text only the margin is left."""
    characters = max(1, int((width - 2 * margin) / (font.getlength("x") * 1.04)))
    parts = map(printable, (text or "").splitlines())
    lines = [line for part in parts for line in textwrap.wrap(part, characters) or [""]]
    image = Image.new("RGB", (width, margin + len(lines) * _line_height(font) + (margin if lines else 0)), BACKGROUND)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(lines):
        draw.text((margin, margin + i * _line_height(font)), line, INK, font)
    return image


def _above(top: Image.Image, bottom: Image.Image) -> Image.Image:
    picture = Image.new("RGB", (max(top.width, bottom.width), top.height + bottom.height), BACKGROUND)
    picture.paste(top, (0, 0))
    picture.paste(bottom, (0, top.height))
    return picture


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """Leave out the text's middle where it is wider than ``width``: a file name's end tells as much as its start."""
    kept = len(text)
    shortened = text
    while _width(shortened, font) > width and kept > 2:
        kept -= 1
        shortened = f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
    return shortened


def _width(text: str, font: ImageFont.FreeTypeFont) -> int:
    return math.ceil(font.getlength(text))


def _line_height(font: ImageFont.FreeTypeFont) -> int:
    return math.ceil(sum(font.getmetrics()) * 1.05)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans as matplotlib brings it: Pillow's own font has no letters beyond Western Europe's."""
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)

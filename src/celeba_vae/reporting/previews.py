"""Pictures of what preparation did: samples with their names, and the crop on originals."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from celeba_vae.config import DataEngineeringConfig
from celeba_vae.preparation.cropping import ImagePreparer, crop_box, describe_crop
from celeba_vae.preparation.decoding import decode
from celeba_vae.preparation.index import SPLITS, ImageIndex
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.reporting.grids import image_grid

CROP_EXAMPLES = 3
BOX_COLOUR = "#ff2d55"
ORIGINAL_SIZE = 436
PREPARED_SIZE = 192
GAP = 16


class Sample(NamedTuple):
    """A prepared image: its name, and where it stands."""

    image_id: str
    split: str
    row: int


def sample_images(index: ImageIndex, count: int, seed: int) -> list[Sample]:
    """Choose images that were prepared, whatever their split: at most ``count``, in the index's order."""
    prepared = np.flatnonzero(index.rows >= 0)
    chosen = np.random.default_rng(seed).choice(prepared, min(count, len(prepared)), replace=False)
    return [
        Sample(str(index.image_ids[i]), SPLITS[index.splits[i]], int(index.rows[i])) for i in np.sort(chosen).tolist()
    ]


def preview_grid(
    train_images: np.ndarray, validation_images: np.ndarray, test_images: np.ndarray, samples: Sequence[Sample]
) -> Image.Image:
    """Draw the samples as they stand in the splits' arrays, with their names."""
    arrays = {"train": train_images, "validation": validation_images, "test": test_images}
    return image_grid(
        [arrays[sample.split][sample.row] for sample in samples],
        columns=7,
        title=f"{len(samples)} prepared images",
        captions=[sample.image_id for sample in samples],
        scale=2,
    )


def mean_grid(means: Mapping[str, np.ndarray], data_summary: Mapping[str, Any]) -> Image.Image:
    """Draw the mean image of each split that has images, (height, width, 3) uint8, with its name and their number."""
    counts = data_summary["images"]
    used = [split for split in means if counts[split]]
    return image_grid(
        [means[split] for split in used],
        columns=len(used),
        title="Mean images",
        captions=[f"{split}: {counts[split]:,}" for split in used],
        scale=2,
    )


def crop_boxes(originals: ImageCollection, samples: Sequence[Sample], config: DataEngineeringConfig) -> Image.Image:
    """Draw the first samples' originals with the crop's box on each, and beside it the image that is made of it."""
    image_ids = [sample.image_id for sample in samples[:CROP_EXAMPLES]]
    preparer = ImagePreparer(config.crop, *config.image_shape[:2])
    panels = [_crop_panel(originals.read(image_id), preparer) for image_id in image_ids]
    width = max(panel.width for panel in panels)
    height = max(panel.height for panel in panels)
    return image_grid(
        [np.asarray(_centred(panel, width, height)) for panel in panels],
        columns=3,
        title=f"Crop {describe_crop(preparer.crop)}, resized to {preparer.width}x{preparer.height}",
        captions=image_ids,
    )


def _crop_panel(data: bytes, preparer: ImagePreparer) -> Image.Image:
    original = decode(data)
    height, width = original.shape[:2]
    left = _fitted(original, ORIGINAL_SIZE)
    right = _fitted(preparer(data), PREPARED_SIZE)
    scale = left.height / height
    x0, y0, x1, y1 = (round(edge * scale) for edge in crop_box(preparer.crop, width=width, height=height))
    ImageDraw.Draw(left).rectangle((x0, y0, x1 - 1, y1 - 1), outline=BOX_COLOUR, width=3)
    panel = Image.new("RGB", (left.width + GAP + right.width, max(left.height, right.height)), "white")
    panel.paste(left, (0, (panel.height - left.height) // 2))
    panel.paste(right, (left.width + GAP, (panel.height - right.height) // 2))
    return panel


def _fitted(image: np.ndarray, size: int) -> Image.Image:
    """Resize so that the longer side has ``size`` pixels."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    new_size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Image.fromarray(image).resize(new_size, Image.Resampling.BICUBIC)


def _centred(panel: Image.Image, width: int, height: int) -> Image.Image:
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(panel, ((width - panel.width) // 2, (height - panel.height) // 2))
    return canvas

"""Cropping and resizing with the quality of Pillow's antialiased filters, at several times its speed."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from celeba_vae.preparation.decoding import BadImageError, decode

Box = tuple[int, int, int, int]
Crop = Literal["auto"] | int | Box | None
# aligned and cropped, as nearly everyone has it; and the part of it that the articles use
CELEBA_SIZE = (178, 218)
CELEBA_CROP = 148


def crop_box(crop: Crop, width: int, height: int) -> Box:
    """Give the box (left, top, right, bottom) that is cut out of an image of this size in pixels.

    ``crop`` is the side of a centre square, a box, or None for the whole image; "auto" is 148 for an image of CelebA's
    own form, 178x218, and the largest centre square of any other.

    Raises:
        BadImageError: ``too small``: the image does not hold the box.

    Example:
        >>> crop_box(148, width=178, height=218)
        (15, 35, 163, 183)
        >>> crop_box("auto", width=1024, height=1000)
        (12, 0, 1012, 1000)
    """
    if crop == "auto":
        crop = CELEBA_CROP if (width, height) == CELEBA_SIZE else min(width, height)
    if crop is None:
        return 0, 0, width, height
    if isinstance(crop, int):
        left, top = (width - crop) // 2, (height - crop) // 2
        box = (left, top, left + crop, top + crop)
    else:
        box = crop
    if box[0] < 0 or box[1] < 0 or box[2] > width or box[3] > height:
        raise BadImageError("too small", f"{width}x{height} pixels do not hold the crop {describe_crop(crop)}")
    return box


def describe_crop(crop: Crop) -> str:
    """Put a crop into words for messages and captions."""
    if crop is None:
        return "none"
    if crop == "auto":
        return f"auto ({CELEBA_CROP}x{CELEBA_CROP} of CelebA's own form, else the largest square, at the centre)"
    return f"{crop}x{crop} at the centre" if isinstance(crop, int) else f"box {tuple(crop)}"


@dataclass(frozen=True)
class ImagePreparer:
    """Turns the bytes of an image file into one row of an array; ``crop`` as for ``crop_box``."""

    crop: Crop
    height: int
    width: int

    def __call__(self, data: bytes) -> np.ndarray:
        """Decode, crop and resize: uint8 RGB (height, width, 3).

        Raises:
            BadImageError: the image is damaged or smaller than the crop.
        """
        return self.cut(decode(data))

    def cut(self, image: np.ndarray) -> np.ndarray:
        """Crop and resize a decoded image. Raises BadImageError when it is smaller than the crop."""
        left, top, right, bottom = crop_box(self.crop, width=image.shape[1], height=image.shape[0])
        return resize(image[top:bottom, left:right], self.height, self.width)


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a uint8 RGB image, antialiased: Pillow's BOX where it shrinks, LANCZOS where a side grows.

    When each side shrinks to no less than half, every pixel of Pillow's BOX is the mean of one or two neighbours in
    each direction, which is what a bilinear lookup half-way between them gives: the same picture within one level of
    255, four times as fast.
    """
    if image.shape[:2] == (height, width):
        return image.copy()
    shrinks = [before / after for before, after in zip(image.shape, (height, width), strict=False)]
    if all(1 <= shrink <= 2 for shrink in shrinks):
        return cv2.remap(
            image, *_lookup(*image.shape[:2], height, width), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    filter_ = Image.Resampling.BOX if min(shrinks) >= 1 else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(image).resize((width, height), filter_))


@lru_cache(maxsize=16)
def _lookup(height: int, width: int, new_height: int, new_width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where ``cv2.remap`` looks up each pixel, in its fixed-point form."""
    columns, rows = np.meshgrid(_box_centres(width, new_width), _box_centres(height, new_height))
    return cv2.convertMaps(columns, rows, cv2.CV_16SC2)


def _box_centres(size: int, new_size: int) -> np.ndarray:
    """Centre of the pixels that each new pixel averages: those whose own centres lie in its window.

    A centre on the window's edge belongs to one side by rounding alone; so this is Pillow's arithmetic, step by step.
    """
    scale = size / new_size
    middle = ((np.arange(new_size) + 0.5) * scale)[:, None]
    pixels = np.arange(size)
    first = (middle - 0.5 * scale + 0.5).astype(int)
    end = (middle + 0.5 * scale + 0.5).astype(int)
    distance = (pixels - middle + 0.5) * (1 / scale)
    inside = (first <= pixels) & (pixels < end) & (distance > -0.5) & (distance <= 0.5)
    return ((inside * pixels).sum(axis=1) / inside.sum(axis=1)).astype(np.float32)

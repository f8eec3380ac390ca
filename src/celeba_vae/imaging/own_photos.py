"""Photos as people have them, brought to the form that the models know."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from celeba_vae.imaging.cropping import Box, crop_box, resize
from celeba_vae.imaging.decoding import BadImageError, decode

logger = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
CELEBA_SIZE = (178, 218)
MAX_PHOTOS = 70


def read_photos(
    folder: Path, image_shape: tuple[int, int, int], crop: int | Box | None
) -> tuple[np.ndarray, list[str]]:
    """Read the photos in a folder and its subfolders, cropped and resized to the models' images.

    Photos may have any size; EXIF orientation is obeyed, whatever colours they have become RGB. What can't be read is
    named in a warning and left out, as are more than the first 70 photos by name. Hidden files are no photos.

    Args:
        folder: May be missing.
        image_shape: (height, width, 3) of the result.
        crop: How originals of CelebA's size are cropped, see ``photo_box``.

    Returns:
        The images (n, height, width, 3) uint8, and their file names.
    """
    height, width, _ = image_shape
    images, names = [], []
    for path in _photo_files(folder):
        if len(images) == MAX_PHOTOS:
            logger.warning("Only the first %d photos in %s are used.", MAX_PHOTOS, folder)
            break
        try:
            photo = decode(path.read_bytes(), FORMATS)
        except (BadImageError, OSError) as error:
            logger.warning("%s is left out: %s.", path, error.reason if isinstance(error, BadImageError) else error)
            continue
        left, top, right, bottom = photo_box(photo.shape[1], photo.shape[0], width / height, crop)
        images.append(resize(photo[top:bottom, left:right], height, width))
        names.append(path.name)
    return np.array(images, np.uint8).reshape(-1, *image_shape), names


def photo_box(width: int, height: int, aspect: float, crop: int | Box | None) -> Box:
    """Choose what is cut out of a photo: the largest centre box of the models' aspect (width / height).

    A photo of CelebA's own size, 178x218, is taken for one of its form and cropped as the originals are.

    Example:
        >>> photo_box(4000, 3000, aspect=1, crop=148)
        (500, 0, 3500, 3000)
        >>> photo_box(178, 218, aspect=1, crop=148)
        (15, 35, 163, 183)
    """
    if (width, height) == CELEBA_SIZE:
        try:
            return crop_box(crop, width, height)
        except BadImageError:
            logger.debug("The crop %s is meant for larger originals than CelebA's.", crop)
    box_width, box_height = max(1, min(width, round(height * aspect))), max(1, min(height, round(width / aspect)))
    left, top = (width - box_width) // 2, (height - box_height) // 2
    return left, top, left + box_width, top + box_height


def _photo_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path

"""What is done to generated images, which a variational autoencoder blurs: components that parameters name."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter
from pydantic import Field, NonNegativeFloat, NonNegativeInt

from celeba_vae.config import Options
from celeba_vae.storage.threads import map_in_threads


class Enhancer(Protocol):
    """What an enhancer must have. It is used by several threads at once."""

    def enhance(self, image: Image.Image) -> Image.Image:
        """Give an RGB image of the same size; the given one stays as it is."""


def enhance(image: np.ndarray, enhancers: Sequence[Enhancer]) -> np.ndarray:
    """Pass an image (h, w, 3) uint8 through a chain of enhancers, the first one first: (h, w, 3) uint8."""
    picture = Image.fromarray(image)
    for enhancer in enhancers:
        picture = enhancer.enhance(picture)
    return np.asarray(picture)


def enhance_blocks(blocks: Iterable[np.ndarray], enhancers: Sequence[Enhancer]) -> Iterator[np.ndarray]:
    """Enhance blocks of images (n, h, w, 3) uint8 in threads; they are taken as they are needed, and stay in order."""
    return map_in_threads(lambda block: np.stack([enhance(image, enhancers) for image in block]), blocks)


class Unchanged(Options):
    """The image as it is."""

    def enhance(self, image: Image.Image) -> Image.Image:
        """Enhance an image, see ``Enhancer``."""
        return image


class Sharpness(Options):
    """Pillow's ``ImageEnhance.Sharpness``: away from, or towards, the image that its filter ``SMOOTH`` gives."""

    factor: NonNegativeFloat = Field(3.0, description="0 smooths, 1 leaves the image as it is, above 1 sharpens")

    def enhance(self, image: Image.Image) -> Image.Image:
        """Enhance an image, see ``Enhancer``."""
        return ImageEnhance.Sharpness(image).enhance(self.factor)


class UnsharpMask(Options):
    """Pillow's ``ImageFilter.UnsharpMask``: away from the image that a Gaussian blur gives."""

    radius: NonNegativeFloat = Field(2.0, description="Radius of the blur in pixels")
    percent: NonNegativeInt = Field(150, description="Strength: how much of the difference is added")
    threshold: int = Field(3, ge=0, le=255, description="Differences below this many of 255 steps are left alone")

    def enhance(self, image: Image.Image) -> Image.Image:
        """Enhance an image, see ``Enhancer``."""
        return image.filter(ImageFilter.UnsharpMask(self.radius, self.percent, self.threshold))


class Detail(Options):
    """Pillow's filter ``DETAIL``, which brings out fine structure a little."""

    def enhance(self, image: Image.Image) -> Image.Image:
        """Enhance an image, see ``Enhancer``."""
        return image.filter(ImageFilter.DETAIL)

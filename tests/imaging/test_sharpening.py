"""Sharpening is Pillow's, to the byte."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from celeba_vae.imaging.sharpening import sharpen


@pytest.mark.parametrize("factor", [0.0, 1.0, 3.0])
def test_sharpening_is_pillows(factor):
    images = np.random.default_rng(0).integers(0, 256, (3, 24, 20, 3), np.uint8)

    sharpened = sharpen(images, factor)

    for image, result in zip(images, sharpened, strict=True):
        assert ImageEnhance.Sharpness(Image.fromarray(image)).enhance(factor).tobytes() == result.tobytes()
    assert (sharpened == images).all() == (factor == 1.0)

"""Enhancing is Pillow's, to the byte."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from celeba_vae.config import ComponentConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.photos.enhancers import Detail, Sharpness, UnsharpMask, enhance, enhance_blocks

PILLOWS = [
    ({"name": "none"}, lambda image: image),
    ({"name": "sharpness"}, lambda image: ImageEnhance.Sharpness(image).enhance(3.0)),
    ({"name": "sharpness", "factor": 0}, lambda image: ImageEnhance.Sharpness(image).enhance(0)),
    ({"name": "sharpness", "factor": 1}, lambda image: image),
    ({"name": "sharpness", "factor": 6.5}, lambda image: ImageEnhance.Sharpness(image).enhance(6.5)),
    ({"name": "unsharp_mask"}, lambda image: image.filter(ImageFilter.UnsharpMask())),
    (
        {"name": "unsharp_mask", "radius": 1.5, "percent": 220, "threshold": 0},
        lambda image: image.filter(ImageFilter.UnsharpMask(radius=1.5, percent=220, threshold=0)),
    ),
    ({"name": "detail"}, lambda image: image.filter(ImageFilter.DETAIL)),
]


@pytest.mark.parametrize(("options", "pillows"), PILLOWS, ids=[str(options) for options, _ in PILLOWS])
def test_enhancers_are_pillows(photograph, options, pillows):
    enhancer = create_component("enhancers", ComponentConfig(**options))
    images = [photograph(1, 40, 32), np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)]

    for image in images:
        before = image.copy()
        assert enhance(image, [enhancer]).tobytes() == pillows(Image.fromarray(before)).tobytes()
        np.testing.assert_array_equal(image, before)


def test_chain_is_applied_in_order(photograph):
    image = photograph(2, 40, 32)
    sharpened = ImageEnhance.Sharpness(Image.fromarray(image)).enhance(4.0)

    chained = enhance(image, [Sharpness(factor=4.0), Detail()])

    assert chained.tobytes() == sharpened.filter(ImageFilter.DETAIL).tobytes()
    assert chained.tobytes() != enhance(image, [Detail(), Sharpness(factor=4.0)]).tobytes()


def test_blocks_come_enhanced_in_their_order_and_only_as_they_are_needed():
    images = np.random.default_rng(1).integers(0, 256, (300, 8, 8, 3), np.uint8)
    taken = []

    def blocks():
        for first in range(0, len(images), 3):
            taken.append(first)
            yield images[first : first + 3]

    enhanced = enhance_blocks(blocks(), [UnsharpMask(threshold=0)])
    first = next(enhanced)

    assert len(taken) < 50
    expected = [Image.fromarray(image).filter(ImageFilter.UnsharpMask(threshold=0)) for image in images]
    np.testing.assert_array_equal(np.concatenate([first, *enhanced]), np.stack([np.asarray(each) for each in expected]))

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from celeba_vae.preparation.cropping import ImagePreparer, crop_box, resize
from celeba_vae.preparation.decoding import BadImageError

BOX, LANCZOS = Image.Resampling.BOX, Image.Resampling.LANCZOS


def pillow(image: np.ndarray, height: int, width: int, filter_: Image.Resampling) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((width, height), filter_)).astype(float)


def zone_plate(size: int) -> np.ndarray:
    """Rings that reach the highest frequency that pixels can hold at the middle of each edge."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    rings = 127.5 + 127.5 * np.cos(np.pi * (x**2 + y**2) / size)
    return np.repeat(np.rint(rings).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("crop", "size", "box"),
    [
        (148, (178, 218), (15, 35, 163, 183)),
        (178, (178, 218), (0, 20, 178, 198)),
        (3, (6, 5), (1, 1, 4, 4)),
        ((10, 20, 30, 60), (178, 218), (10, 20, 30, 60)),
        (None, (178, 218), (0, 0, 178, 218)),
        ("auto", (178, 218), (15, 35, 163, 183)),
        ("auto", (178, 217), (0, 19, 178, 197)),
        ("auto", (1024, 1024), (0, 0, 1024, 1024)),
        ("auto", (1, 7), (0, 3, 1, 4)),
    ],
)
def test_crop_boxes_by_hand(crop: object, size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    assert crop_box(crop, width=size[0], height=size[1]) == box


@pytest.mark.parametrize("crop", [179, (0, 0, 179, 10), (0, 0, 10, 219), (0, 0, 1000, 1000)])
def test_an_image_that_does_not_hold_the_crop_is_too_small(crop: object) -> None:
    with pytest.raises(BadImageError, match="too small: 178x218 pixels do not hold the crop"):
        crop_box(crop, width=178, height=218)


@pytest.mark.parametrize("size", [96, 74, 75, 147, 100])
def test_shrinking_is_pillows_box_within_one_level(photograph: Callable[..., np.ndarray], size: int) -> None:
    for image in (photograph(1, 148, 148), zone_plate(148), photograph(2, 149, 151)):
        assert np.abs(resize(image, size, size) - pillow(image, size, size, BOX)).max() <= 1


@pytest.mark.parametrize("shape", [(48, 48), (64, 32), (10, 148), (200, 200), (96, 300)])
def test_other_factors_are_pillows_own(photograph: Callable[..., np.ndarray], shape: tuple[int, int]) -> None:
    image = photograph(3, 148, 148)
    filter_ = BOX if max(shape) <= 148 else LANCZOS
    np.testing.assert_array_equal(resize(image, *shape), pillow(image, *shape, filter_))


def test_the_default_is_close_to_lanczos_on_photographs_and_to_box_on_a_zone_plate(
    photograph: Callable[..., np.ndarray],
) -> None:
    photographs = [photograph(seed, 148, 148) for seed in range(5)]
    prepared = [resize(image, 96, 96) for image in photographs]
    lanczos = np.mean(
        [np.abs(a - pillow(b, 96, 96, LANCZOS)).mean() for a, b in zip(prepared, photographs, strict=True)]
    )
    box = np.mean([np.abs(a - pillow(b, 96, 96, BOX)).mean() for a, b in zip(prepared, photographs, strict=True)])
    assert min(lanczos, box) <= 1.5
    plate = zone_plate(148)
    assert np.sqrt(((resize(plate, 96, 96) - pillow(plate, 96, 96, BOX)) ** 2).mean()) <= 3


def test_the_same_size_stays_as_it_is(photograph: Callable[..., np.ndarray]) -> None:
    image = photograph(4, 96, 96)
    np.testing.assert_array_equal(resize(image, 96, 96), image)


def test_a_row_is_the_resized_crop_of_the_file(photograph: Callable[..., np.ndarray]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(photograph(5)).save(buffer, "PNG")
    row = ImagePreparer(crop=148, height=74, width=74)(buffer.getvalue())
    # a factor of two: each pixel is the mean of a 2x2 block
    expected = photograph(5)[35:183, 15:163].reshape(74, 2, 74, 2, 3).mean(axis=(1, 3))
    assert row.dtype == np.uint8
    assert np.abs(row - expected).max() <= 1

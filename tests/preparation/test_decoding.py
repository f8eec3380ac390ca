import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from celeba_vae.preparation.decoding import BadImageError, decode


@pytest.fixture
def pixels(photograph: Callable[..., np.ndarray]) -> np.ndarray:
    return photograph(0)


def encoded(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Mean absolute difference in levels of 255."""
    assert first.shape == second.shape
    return float(np.abs(first.astype(float) - second).mean())


def test_a_jpeg_is_what_pillow_decodes(pixels: np.ndarray) -> None:
    data = encoded(Image.fromarray(pixels), "JPEG", quality=92)
    decoded = decode(data)
    assert decoded.dtype == np.uint8
    assert difference(decoded, np.asarray(Image.open(io.BytesIO(data)))) < 0.1


@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_lossless_formats_are_exact(pixels: np.ndarray, format_: str) -> None:
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(pixels), format_, lossless=True)), pixels)


def test_a_lossy_webp_is_close(pixels: np.ndarray) -> None:
    assert difference(decode(encoded(Image.fromarray(pixels), "WEBP", quality=95)), pixels) < 6


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_grayscale_fills_three_channels(pixels: np.ndarray, format_: str) -> None:
    decoded = decode(encoded(Image.fromarray(pixels[..., 0]), format_, quality=95))
    np.testing.assert_array_equal(decoded[..., 0], decoded[..., 2])
    assert difference(decoded[..., 1], pixels[..., 0]) < 2.5


def test_cmyk_is_converted(pixels: np.ndarray) -> None:
    # C, M, Y are 255 - R, G, B where black is not used
    decoded = decode(encoded(Image.fromarray(pixels).convert("CMYK"), "JPEG", quality=95))
    assert difference(decoded, pixels) < 4


def test_a_palette_is_looked_up() -> None:
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    image.putpalette([250, 10, 20, 5, 240, 30])
    expected = [[[250, 10, 20], [5, 240, 30]], [[5, 240, 30], [250, 10, 20]]]
    np.testing.assert_array_equal(decode(encoded(image, "PNG")), expected)


def test_sixteen_bits_are_scaled_to_eight() -> None:
    levels = np.array([[0, 257, 128 * 257, 65535]], np.uint16)
    decoded = decode(encoded(Image.fromarray(levels), "PNG"))
    np.testing.assert_array_equal(decoded[0, :, 0], [0, 1, 128, 255])


def test_what_is_transparent_becomes_white() -> None:
    image = Image.fromarray(np.array([[[200, 0, 0, 255], [200, 0, 0, 0]]], np.uint8))
    np.testing.assert_array_equal(decode(encoded(image, "PNG")), [[[200, 0, 0], [255, 255, 255]]])


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed(pixels: np.ndarray, orientation: int, format_: str) -> None:
    # how the stored pixels look when the upright picture is stored with each orientation (EXIF 2.3, tag 0x0112)
    stored = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, 1),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(pixels, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(np.ascontiguousarray(stored)), format_, quality=95, exif=exif)
    assert difference(decode(data), pixels) < 6


def test_the_content_counts_whatever_the_name_says(pixels: np.ndarray) -> None:
    data = encoded(Image.fromarray(pixels), "PPM")
    with pytest.raises(BadImageError, match="not an image of a known format"):
        decode(data)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_a_truncated_image_is_damaged(pixels: np.ndarray, format_: str, share: float) -> None:
    data = encoded(Image.fromarray(pixels), format_)
    with pytest.raises(BadImageError) as error:
        decode(data[: int(share * len(data))])
    assert error.value.status == "damaged"
    assert error.value.reason


def test_zeros_where_a_jpeg_goes_on_are_damage(pixels: np.ndarray) -> None:
    data = encoded(Image.fromarray(pixels), "JPEG")
    with pytest.raises(BadImageError, match="damaged"):
        decode(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))


@pytest.mark.parametrize("data", [b"", b"no image", bytes(1000), b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_damaged(data: bytes) -> None:
    with pytest.raises(BadImageError, match="damaged"):
        decode(data)


def test_stray_bytes_between_segments_do_no_harm(pixels: np.ndarray) -> None:
    data = encoded(Image.fromarray(pixels), "JPEG")
    expected = decode(data)
    assert difference(decode(data[:-2] + b"\x00\x01\x02" + data[-2:]), expected) < 0.1
    np.testing.assert_array_equal(decode(data + b"after the end"), expected)

"""From the bytes of an image file to RGB pixels."""

import io

import numpy as np
import simplejpeg
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

# what is read, by Pillow's names, told apart by content; and the suffixes that files of these formats have
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")
SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo"),
    *(".png", ".apng", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif", ".avif", ".avifs"),
)
GREY = "grey"
# Pillow's modes in words; all others are their own name
_COLOURS = {
    **{"1": GREY, "L": GREY, "LA": f"{GREY} with transparency"},
    **{"P": "palette", "RGBA": "RGB with transparency", "YCbCr": "RGB"},
}


class BadImageError(Exception):
    """One image can't be used; ``status`` is the kind of fault in a word or two, as in ``image_index``."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


def decode(data: bytes) -> np.ndarray:
    """Decode an image of one of ``FORMATS`` to RGB uint8 (height, width, 3), upright; an animation's first picture.

    EXIF orientation is obeyed; grayscale, CMYK, palette and 16-bit images are converted; transparency becomes white.

    Raises:
        BadImageError: ``damaged``: empty, truncated, or no image at all.
    """
    return decode_with_colours(data)[0]


def decode_with_colours(data: bytes) -> tuple[np.ndarray, str]:
    """Decode as ``decode`` does; give, too, how the file has its colours, in a word: RGB, grey, palette, CMYK."""
    if not data:
        raise BadImageError("damaged", "the file is empty")
    if data.startswith(b"\xff\xd8"):
        return _decode_jpeg(data)
    return _decode_with_pillow(data)


def _decode_jpeg(data: bytes) -> tuple[np.ndarray, str]:
    """Decode with libjpeg-turbo, three times as fast as Pillow; what only Pillow can do is left to it."""
    try:
        colour_space = simplejpeg.decode_jpeg_header(data)[2]
        if colour_space in {"CMYK", "YCCK"} or _is_turned(data):
            return _decode_with_pillow(data)
        return simplejpeg.decode_jpeg(data, "RGB"), GREY if colour_space == "Gray" else "RGB"
    except ValueError as error:
        fault = str(error)
        # stray bytes between two segments harm nothing
        if fault.startswith(("Premature end", "Corrupt JPEG data")) and "extraneous bytes" not in fault:
            raise BadImageError("damaged", fault) from error
        return _decode_with_pillow(data)


def _is_turned(data: bytes) -> bool:
    if b"Exif\0\0" not in data:
        return False
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        return image.getexif().get(ExifTags.Base.Orientation, 1) != 1


def _decode_with_pillow(data: bytes) -> tuple[np.ndarray, str]:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            image.load()
            return np.asarray(_to_rgb(ImageOps.exif_transpose(image))), _colours_of(image)
    except UnidentifiedImageError:
        raise BadImageError("damaged", f"not an image of a known format ({', '.join(FORMATS)})") from None
    except MemoryError:
        raise
    except Exception as error:
        # whatever a damaged file makes of a decoder: each has errors of its own
        raise BadImageError("damaged", str(error) or type(error).__name__) from error


def _colours_of(image: Image.Image) -> str:
    if image.format == "GIF" and image.mode == "P":
        # it has no other way to have colours
        return "RGB"
    return GREY if image.mode.startswith("I") else _COLOURS.get(image.mode, image.mode)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit grayscale: Pillow's own conversion clips at 255
        levels = np.asarray(image)
        if levels.min() < 0 or levels.max() > 65535:
            raise ValueError("its grey levels need more than 16 bits: save it with 8 bits")
        return Image.fromarray(np.rint(levels / 257).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers: save it with 8 bits")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")

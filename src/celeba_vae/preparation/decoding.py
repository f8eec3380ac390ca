"""From the bytes of an image file to RGB pixels."""

import io

import numpy as np
import simplejpeg
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP")


class BadImageError(Exception):
    """One image can't be used; ``status`` is the kind of fault in a word or two, as in ``image_index``."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


def decode(data: bytes, formats: tuple[str, ...] = FORMATS) -> np.ndarray:
    """Decode an image of one of Pillow's ``formats``, told apart by content, to RGB uint8 (height, width, 3), upright.

    EXIF orientation is obeyed; grayscale, CMYK, palette and 16-bit images are converted; transparency becomes white.

    Raises:
        BadImageError: ``damaged``: empty, truncated, or no image at all.
    """
    if not data:
        raise BadImageError("damaged", "the file is empty")
    if data.startswith(b"\xff\xd8"):
        return _decode_jpeg(data)
    return _decode_with_pillow(data, formats)


def _decode_jpeg(data: bytes) -> np.ndarray:
    """Decode with libjpeg-turbo, three times as fast as Pillow; what only Pillow can do is left to it."""
    try:
        colour_space = simplejpeg.decode_jpeg_header(data)[2]
        if colour_space in {"CMYK", "YCCK"} or _is_turned(data):
            return _decode_with_pillow(data)
        return simplejpeg.decode_jpeg(data, "RGB")
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


def _decode_with_pillow(data: bytes, formats: tuple[str, ...] = FORMATS) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(data), formats=formats) as image:
            image.load()
            return np.asarray(_to_rgb(ImageOps.exif_transpose(image)))
    except UnidentifiedImageError:
        raise BadImageError("damaged", f"not an image of a known format ({', '.join(formats)})") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadImageError("damaged", str(error)) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit grayscale: Pillow's own conversion clips at 255
        return Image.fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")

"""Strategies of image files as people have them: any format, mode, size and name, some of them damaged or none."""

import io
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from PIL import Image, ImageOps

# the modes that are made of each format, and how it is saved
FORMATS: dict[str, tuple[str, ...]] = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("RGB", "1", "L", "P", "LA", "RGBA", "I;16"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("RGB", "1", "L", "P"),
    "TIFF": ("RGB", "1", "L", "P", "RGBA", "CMYK", "I;16", "F"),
    "GIF": ("P", "L"),
    "AVIF": ("RGB", "RGBA"),
}
OPTIONS = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}, "AVIF": {"quality": 90, "speed": 10}}
SUFFIXES = (".jpg", ".jpeg", ".JPG", ".png", ".PNG", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".jfif")
# with an end that no format of images has, which is passed over
OTHER_SUFFIXES = (".txt", ".csv", ".json", ".mp4", ".xyz", ".db", ".jpg.part", "")
SIZES = ((1, 1), (1, 40), (40, 1), (2, 3), (7, 5), (16, 16), (24, 24), (30, 20), (33, 47), (178, 218), (218, 178))
STEMS = (
    *("000001", "1", "photo", "IMG_2024", "photo 1 (copy)", " leading", "trailing ", "a.b.c", "-dash", "#hash", "50%"),
    *("it's", 'a"quote', "a,b;c", "[x]", "{y}", "*", "?", "~", "$HOME", "line\nbreak", "tab\there", "bell\a", "\r"),
    *(
        "ü",
        "u\u0308",
        "日本語",
        "שלום",
        "\u202eltr",
        "😀",
        "nul0",
        "CON",
        "back\\slash",
        "C:\\x",
        "\u2028",
        "\xa0",
        "x" * 200,
    ),
)
FOLDERS = (
    "",
    "",
    "",
    "a",
    "a/b",
    "A",
    "my photos",
    "line\nbreak",
    "ünï",
    ".hidden",
    "__MACOSX",
    "train",
    "deep/er/and/on",
)
BYTES = (
    b"",
    b"\0" * 40,
    b"no image at all",
    b"<!DOCTYPE html><html>",
    b"\xff\xd8",
    b"\xff\xd8\xff\xe0",
    b"BM",
    b"GIF89a",
)


class MadeFile(NamedTuple):
    """A file to be: its path below a folder, its bytes, and the RGB pixels that it is to be read as; None: none."""

    name: str
    data: bytes
    pixels: np.ndarray | None


def drawn(seed: int, mode: str, size: tuple[int, int]) -> Image.Image:
    """Draw random pixels, smooth enough for lossy formats."""
    rng = np.random.default_rng(seed)
    width, height = size
    small = Image.fromarray(rng.integers(0, 256, (2, 2, 4), np.uint8))
    image = small.resize(size, Image.Resampling.BILINEAR)
    if mode == "I;16":
        levels = np.asarray(image.convert("L"), np.uint16) * 257
        return Image.fromarray(levels.reshape(height, width))
    if mode in {"RGBA", "LA"}:
        return image.convert(mode)
    return image.convert("RGB").convert(mode)


def by_pillow(data: bytes) -> np.ndarray | None:
    """Give the pixels of a file as Pillow has them, upright, on white; None where it has none, or floating ones."""
    try:
        with Image.open(io.BytesIO(data), formats=tuple(FORMATS)) as image:
            image.load()
            image = ImageOps.exif_transpose(image)
            if image.mode == "F":
                return None
            if image.mode.startswith("I"):
                grey = np.rint(np.asarray(image) / 257).astype(np.uint8)
                return np.stack([grey] * 3, axis=-1)
            if image.has_transparency_data:
                white = Image.new("RGBA", image.size, (255, 255, 255, 255))
                white.alpha_composite(image.convert("RGBA"))
                image = white
            return np.asarray(image.convert("RGB"))
    except Exception:
        return None


@st.composite
def image_bytes(draw: st.DrawFn) -> bytes:
    """A whole image, turned by its EXIF data or not, of one picture or two."""
    kind = draw(st.sampled_from(sorted(FORMATS)))
    mode = draw(st.sampled_from(FORMATS[kind]))
    image = drawn(draw(st.integers(0, 50)), mode, draw(st.sampled_from(SIZES)))
    options = dict(OPTIONS.get(kind, {}))
    turned = draw(st.sampled_from((0, 0, 0, 0, 3, 6, 8, 99)))
    if turned and kind in {"JPEG", "PNG", "WEBP", "TIFF"}:
        exif = Image.Exif()
        exif[0x0112] = turned
        options["exif"] = exif
    if kind == "GIF" and draw(st.booleans()):
        options |= {"save_all": True, "append_images": [drawn(99, mode, image.size)]}
    if kind == "JPEG" and draw(st.booleans()):
        options["progressive"] = True
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@st.composite
def contents(draw: st.DrawFn, damaged: bool = True) -> bytes:
    """What an image's file holds: an image, in one of eight cases a part of one, or nothing that is one."""
    fault = draw(st.sampled_from(("", "", "", "", "", "", "cut", "other"))) if damaged else ""
    if fault == "other":
        return draw(st.sampled_from(BYTES))
    data = draw(image_bytes())
    return data[: len(data) // draw(st.integers(2, 8))] if fault == "cut" else data


@st.composite
def names(draw: st.DrawFn, suffixes: tuple[str, ...] = SUFFIXES, folders: tuple[str, ...] = FOLDERS) -> str:
    """A path below a folder, as odd as file systems allow."""
    folder = draw(st.sampled_from(folders))
    stem = draw(st.sampled_from(STEMS))
    return f"{folder}/{stem}{draw(st.sampled_from(suffixes))}".lstrip("/")


@st.composite
def files(draw: st.DrawFn, most: int = 8) -> list[MadeFile]:
    """Some files of different names, most of them images."""
    kinds = st.sampled_from((SUFFIXES, SUFFIXES, SUFFIXES, OTHER_SUFFIXES))
    of_name = draw(st.lists(kinds.flatmap(names), min_size=0, max_size=most, unique_by=str.casefold))
    made = [(name, draw(contents())) for name in of_name]
    return [MadeFile(name, data, by_pillow(data)) for name, data in made]

"""Strategies of CelebA's lists as people have them, with what each says; and of files that are no lists."""

import gzip
import io
import zipfile
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

SPELLINGS = (
    *(("0", "1", "2"), ("0.0", "1.0", "2.0"), ("train", "val", "test"), ("Train", "Valid", "Test")),
    *(("training", "validation", "testing"), ("TRAIN", "DEV", "TEST")),
)
# how an attribute is written where it holds and where it does not
TRUTHS = (("1", "-1"), ("1", "0"), ("True", "False"), ("TRUE", "FALSE"), ("1.0", "0.0"), ("yes", "no"), ("+1", "-1"))
TITLES = (("image_id", "partition"), ("filename", "split"), ("Image", "Set"), ("file name", "subset"), ("path", "fold"))
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")
PREFIXES = ("", "", "", "img_align_celeba/", "./", "C:\\data\\img_align_celeba\\", "/mnt/celeba/")
LINE_ENDS = ("\n", "\n", "\r\n", "\r")
ATTRIBUTES = ("Smiling", "Male", "Young", "5_o_Clock_Shadow")
BROKEN_VALUES = ("7", "x", "", "nan", "-3", "0,1", "0.5")


class Form(NamedTuple):
    """How a list is written."""

    delimiter: str
    quoted: bool
    line_end: str
    encoding: str
    titles: tuple[str, str] | None
    index: bool
    prefix: str
    suffix: str
    words: tuple[str, ...]
    last_line_ends: bool
    count_first: bool


class Listed(NamedTuple):
    """A list: its bytes, and what it says of each image that it names rightly."""

    data: bytes
    says: dict[str, Any]
    broken: int
    named: int


def forms(words: Sequence[tuple[str, ...]]) -> st.SearchStrategy[Form]:
    """Any form but those in which even people can't tell what is what."""
    return st.builds(
        Form,
        delimiter=st.sampled_from((",", ",", ";", "\t", "|", " ")),
        quoted=st.booleans(),
        line_end=st.sampled_from(LINE_ENDS),
        encoding=st.sampled_from(ENCODINGS),
        titles=st.sampled_from((None, *TITLES)),
        index=st.booleans(),
        prefix=st.sampled_from(PREFIXES),
        suffix=st.sampled_from((".jpg", ".jpg", ".png", ".JPG", "")),
        words=st.sampled_from(words),
        last_line_ends=st.booleans(),
        count_first=st.booleans(),
    )


def text_of(rows: Sequence[Sequence[str]], form: Form, above: str = "") -> bytes:
    """Write rows in a form."""

    def cell(text: str) -> str:
        special = any(mark in text for mark in (form.delimiter, '"', "\n", "\r"))
        return f'"{text.replace(chr(34), chr(34) * 2)}"' if form.quoted or special else text

    lines = [form.delimiter.join(map(cell, row)) for row in rows]
    text = form.line_end.join([above, *lines] if above else lines) + form.line_end * form.last_line_ends
    return text.encode(form.encoding)


def name_in(form: Form, image: str) -> str:
    """Give the name of an image as a list of this form has it."""
    return f"{form.prefix}{image.rpartition('.')[0]}{form.suffix}"


@st.composite
def partitions(draw: st.DrawFn, images: Sequence[str]) -> Listed:
    """A partition file of some or all of these images, of others, too, and with some broken lines."""
    form = draw(forms(SPELLINGS))
    named = draw(st.permutations(images))[: draw(st.sampled_from((len(images), len(images), len(images) - 1)))]
    says, rows, broken = {}, [], 0
    for image in named:
        code = draw(st.sampled_from((0, 0, 0, 1, 2)))
        if draw(st.integers(0, 19)) == 19:
            broken += 1
            rows.append([name_in(form, image), draw(st.sampled_from(BROKEN_VALUES))])
        else:
            says[image] = code
            rows.append([name_in(form, image), form.words[code]])
    for number in range(draw(st.sampled_from((0, 0, 0, 1, 30)))):
        rows.append([name_in(form, f"9{number:05d}.jpg"), form.words[draw(st.integers(0, 2))]])
    if form.index:
        rows = [[str(number), *row] for number, row in enumerate(rows)]
    if form.titles:
        rows.insert(0, [""] * form.index + list(form.titles))
    return Listed(text_of(rows, form), says, broken, len(named))


@st.composite
def attribute_lists(draw: st.DrawFn, images: Sequence[str]) -> Listed:
    """An attribute list of all of these images, of one attribute at least."""
    form = draw(forms(TRUTHS))
    titles = ATTRIBUTES[: draw(st.integers(1, len(ATTRIBUTES)))]
    says = {image: [draw(st.sampled_from((1, -1))) for _ in titles] for image in images}
    # a list in which nothing holds could as well say that nothing is known
    rows = [[name_in(form, image), *(form.words[value < 0] for value in says[image])] for image in images]
    head = ["image_id", *titles]
    if form.index:
        rows = [[str(number), *row] for number, row in enumerate(rows)]
        head = ["", *head]
    above = str(len(images)) if form.count_first else ""
    return Listed(text_of([head, *rows], form, above), says, 0, len(images))


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("list.txt", data)
    return file.getvalue()


# what is found under a list's name, and is none
NO_LISTS: tuple[bytes, ...] = (
    *(b"", b" \n \n", b"\xef\xbb\xbf", b"\0" * 100, b"\xff\xfe", b"\xff\xd8\xff\xe0\0\x10JFIF", b"\x89PNG\r\n\x1a\n"),
    *(b"<!DOCTYPE html>\n<html><head><title>Quota exceeded</title>", b"<?xml version='1.0'?><Error/>", b"%PDF-1.7\n"),
    *(
        b'{"error": "not found"}',
        b"[]",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
        b"\x1f\x8b\x08\0",
    ),
    *(
        gzip.compress(b"000001.jpg 0\n", mtime=0),
        b"PAR1\0\0\0\0PAR1",
        b"{\\rtf1\\ansi}",
        b"404: Not Found",
        b"Not Found\n",
    ),
    *(b"a,b,c\n1,2,3\n4,5,6\n", b"000001.jpg\n000002.jpg\n", b"train\ntest\n", b'"000001.jpg,0\n000002.jpg,1\n' * 30),
    *(
        b"image_id,partition\n",
        b"0\n1\n2\n",
        b"zz1.jpg 0\nzz2.jpg 1\n",
        b"x" * 200_000,
        b"000001.jpg," + b"1," * 70_000,
    ),
)

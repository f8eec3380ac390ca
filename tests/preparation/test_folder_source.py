"""Any folder or zip of images: all formats by content, links followed, the rest counted, odd collections named."""

import io
import logging
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from base_config import base_config
from PIL import Image

from celeba_vae.config import DataEngineeringConfig
from celeba_vae.errors import DataError
from celeba_vae.preparation.listing import in_words
from celeba_vae.preparation.preparing import PreparedImages, prepare_images
from celeba_vae.preparation.sources import FolderSource
from celeba_vae.preparation.splits import assign_splits

Photograph = Callable[..., np.ndarray]
SUFFIXES = (
    *("jpg", "jpeg", "JPG", "jpe", "jfif", "jif", "pjpeg", "pjp", "mpo", "png", "PNG", "apng", "webp"),
    *("bmp", "dib", "tif", "TIFF", "gif", "avif", "avifs"),
)
COLOURS = {"red": (250, 0, 0), "green": (0, 250, 0), "blue": (0, 0, 250)}


def save(
    file: Path, colour: tuple[int, ...] | int, size: tuple[int, int] = (40, 40), format_: str | None = None
) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if isinstance(colour, int) else "RGB", size, colour).save(file, format_)


def prepare(folder: Path, work: Path, **parameters: Any) -> tuple[PreparedImages, dict[str, Any]]:
    """Prepare a folder's images, most of them for training; give the summary, too."""
    config = base_config(DataEngineeringConfig, source={"name": "folder", "folder": str(folder)}, **parameters)
    originals = FolderSource(folder=str(folder)).collect(folder)
    prepared = prepare_images(originals, assign_splits(originals.image_ids, None, config.split), config, work)
    return prepared, prepared.summary(originals, config)


def pack(archive: Path, folder: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as opened:
        for file in sorted(folder.rglob("*")):
            opened.write(file, file.relative_to(folder.parent))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_is_read_under_each_of_its_suffixes(tmp_path: Path, suffix: str) -> None:
    formats = {
        "pn": "PNG",
        "ap": "PNG",
        "we": "WEBP",
        "bm": "BMP",
        "di": "BMP",
        "ti": "TIFF",
        "gi": "GIF",
        "av": "AVIF",
    }
    save(tmp_path / "faces" / f"a.{suffix}", COLOURS["green"], format_=formats.get(suffix[:2].lower(), "JPEG"))
    prepared, summary = prepare(tmp_path / "faces", tmp_path / "work")
    assert np.abs(np.load(prepared.arrays["train"])[0].astype(int) - COLOURS["green"]).max() <= 4
    assert (summary["statuses"], summary["passed_over"]) == ({"ok": 1}, {})
    assert summary["forms"] == {"40x40 RGB": 1}


def test_the_content_counts_where_the_suffix_lies(tmp_path: Path) -> None:
    for name, format_ in {"a.jpg": "PNG", "b.png": "JPEG", "c.webp": "GIF", "d.tiff": "AVIF"}.items():
        save(tmp_path / "faces" / name, COLOURS["blue"], format_=format_)
    (tmp_path / "faces" / "e.jpg").write_text("only words\n")
    prepared, summary = prepare(tmp_path / "faces", tmp_path / "work", max_bad_share=0.2)
    assert summary["statuses"] == {"damaged": 1, "ok": 4}
    (fault,) = prepared.index.bad.values()
    assert prepared.index.image_ids[fault.position] == "e.jpg"
    assert fault.reason.startswith("not an image of a known format (JPEG, PNG, ")
    assert np.abs(np.load(prepared.arrays["train"]).astype(int) - COLOURS["blue"]).max() <= 4


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_several_pictures_in_a_file_the_first_counts(tmp_path: Path, format_: str) -> None:
    (tmp_path / "faces").mkdir()
    first, *others = [Image.new("RGB", (40, 40), colour) for colour in COLOURS.values()]
    first.save(tmp_path / "faces" / "a.gif", format_, save_all=True, append_images=others)
    prepared, _ = prepare(tmp_path / "faces", tmp_path / "work")
    assert np.abs(np.load(prepared.arrays["train"])[0].astype(int) - COLOURS["red"]).max() <= 4


@pytest.mark.parametrize("format_", ["BMP", "TIFF", "GIF", "AVIF", "WEBP", "PNG"])
def test_half_a_file_is_damaged(tmp_path: Path, photograph: Photograph, format_: str) -> None:
    data = io.BytesIO()
    Image.fromarray(photograph(0)).save(data, format_)
    save(tmp_path / "faces" / "good.png", COLOURS["red"])
    (tmp_path / "faces" / "half.jpg").write_bytes(data.getvalue()[: len(data.getvalue()) // 2])
    assert prepare(tmp_path / "faces", tmp_path / "work", max_bad_share=0.5)[1]["statuses"] == {"damaged": 1, "ok": 1}


@pytest.mark.parametrize("levels", [np.float32, np.int32])
def test_pixels_without_a_known_range_are_named_not_made_black(tmp_path: Path, levels: type) -> None:
    save(tmp_path / "faces" / "good.png", COLOURS["red"])
    Image.fromarray(np.linspace(0, 1, 1600).reshape(40, 40).astype(levels) * 10**6).save(tmp_path / "faces" / "odd.tif")
    prepared, summary = prepare(tmp_path / "faces", tmp_path / "work", max_bad_share=0.5)
    assert summary["statuses"] == {"damaged": 1, "ok": 1}
    assert "save it with 8 bits" in next(iter(prepared.index.bad.values())).reason


def test_what_is_passed_over_is_counted_by_suffix(tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    save(folder / "a.jpg", COLOURS["red"])
    for name in ("1.txt", "2.TXT", "below/3.txt", "b.heic", "README", "img.0001", "img.0002", ".hidden.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    expected = {".txt": 3, ".heic": 1, "without a suffix": 3}
    assert FolderSource(folder="faces").collect(tmp_path).passed_over == expected
    assert in_words(expected) == "3 .txt, 3 without a suffix, 1 .heic"
    assert prepare(folder, tmp_path / "work")[1]["passed_over"] == expected
    pack(tmp_path / "packed" / "faces.zip", folder)
    assert FolderSource(folder="packed").collect(tmp_path).passed_over == expected


def test_of_very_many_suffixes_only_the_first_are_named() -> None:
    assert in_words({f".{letter}": 1 for letter in "hgfedcba"}) == "1 .a, 1 .b, 1 .c, 1 .d, 1 .e, 1 .f, 2 others"


def test_linked_folders_are_followed_and_loops_ended(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "faces", tmp_path / "elsewhere"
    for file in (folder / "a.png", folder / "real" / "b.png", elsewhere / "c.png", elsewhere / "deep" / "d.png"):
        save(file, COLOURS["red"])
    (folder / "more").symlink_to(elsewhere)
    (folder / "again").symlink_to(elsewhere)
    (folder / "loop").symlink_to(folder)
    (elsewhere / "up").symlink_to(elsewhere / "deep")
    (folder / "a link to real").symlink_to(folder / "real")
    (folder / "itself").symlink_to(folder / "itself")
    (folder / "nowhere").symlink_to(tmp_path / "nothing")
    (folder / "e.png").symlink_to(elsewhere / "c.png")
    collection = FolderSource(folder="faces").collect(tmp_path)
    assert collection.image_ids == ["a.png", "again/c.png", "again/deep/d.png", "e.png", "real/b.png"]
    assert collection.read("again/deep/d.png") == (elsewhere / "deep" / "d.png").read_bytes()
    assert collection.passed_over == {"broken links": 2}
    (tmp_path / "link").symlink_to(folder)
    assert FolderSource(folder="link").collect(tmp_path).image_ids == collection.image_ids


def test_an_image_that_is_a_link_to_itself_is_unreadable_by_name(tmp_path: Path) -> None:
    save(tmp_path / "faces" / "a.png", COLOURS["red"])
    (tmp_path / "faces" / "b.png").symlink_to(tmp_path / "faces" / "b.png")
    prepared, summary = prepare(tmp_path / "faces", tmp_path / "work", max_bad_share=0.5)
    assert summary["statuses"] == {"ok": 1, "unreadable": 1}
    assert prepared.index.table()["status"].tolist() == ["ok", "unreadable"]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    save(tmp_path / "faces" / "a.png", COLOURS["red"])
    os.mkfifo(tmp_path / "faces" / "b.png")
    collection = FolderSource(folder="faces").collect(tmp_path)
    assert (collection.image_ids, collection.passed_over) == (["a.png"], {".png": 1})


@pytest.mark.parametrize("named", ["packed/faces.zip", "packed", "packed/faces.ZIP", "packed/faces.dat"])
def test_a_zip_of_images_is_read_in_place(tmp_path: Path, named: str) -> None:
    for name in ("b.png", "deep/a.bmp", "deep/.hidden/c.png", "__MACOSX/._b.png", "notes.txt"):
        save(tmp_path / "faces" / name, COLOURS["green"], format_="PNG")
    name = named.partition("/")[2] or "faces.zip"
    pack(tmp_path / "packed" / name, tmp_path / "faces")
    if named == "packed":
        (tmp_path / "packed" / "licence.txt").touch()
    source = FolderSource(folder=named)
    source.check(tmp_path)
    collection = source.collect(tmp_path)
    assert collection.image_ids == ["faces/b.png", "faces/deep/a.bmp"]
    assert collection.read("faces/deep/a.bmp") == (tmp_path / "faces" / "deep" / "a.bmp").read_bytes()
    assert collection.passed_over == {".txt": 1}
    sent = collection.subset(["faces/deep/a.bmp"])
    assert sent.read("faces/deep/a.bmp") == collection.read("faces/deep/a.bmp")


def test_a_zip_gives_what_its_folder_gives(tmp_path: Path, photograph: Photograph) -> None:
    for seed in range(12):
        file = tmp_path / "faces" / f"{seed % 3}" / f"{seed}.{('jpg', 'png', 'webp')[seed % 3]}"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photograph(seed, 60 + seed, 80)).save(file)
    pack(tmp_path / "packed" / "faces.zip", tmp_path / "faces")
    folder, _ = prepare(tmp_path / "faces", tmp_path / "work")
    packed, _ = prepare(tmp_path / "packed" / "faces.zip" / "faces", tmp_path / "work2")
    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(np.load(folder.arrays[split]), np.load(packed.arrays[split]))


def test_a_folder_in_a_zip_can_be_named(tmp_path: Path) -> None:
    for name in ("HQ/faces/1.png", "HQ/masks/1.png", "HQ/faces2/1.png"):
        save(tmp_path / "HQ" / name, COLOURS["green"])
    pack(tmp_path / "HQ.zip", tmp_path / "HQ" / "HQ")
    assert FolderSource(folder="HQ.zip/HQ/faces").collect(tmp_path).image_ids == ["1.png"]
    with pytest.raises(DataError, match=r"No images in \S+HQ.zip, folder HQ/nose/: nothing there"):
        FolderSource(folder="HQ.zip/HQ/nose").check(tmp_path)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], ": the folder is empty. Put JPEG, PNG, WebP"),
        (["a.heic", "b.heic", "c.txt"], ": 2 .heic, 1 .txt. Put JPEG"),
        (["faces.tar", "b/more.7z"], ": there is b/more.7z, faces.tar. Unpack it there"),
        (["a.zip", "b/c.zip"], ", but 2 zips: a.zip, b/c.zip. Name one of them: data_engineering.source.folder"),
    ],
)
def test_a_folder_without_images_says_what_is_there(tmp_path: Path, names: list[str], words: str) -> None:
    (tmp_path / "faces" / "b").mkdir(parents=True)
    for name in names:
        (tmp_path / "faces" / name).touch()
    with pytest.raises(DataError) as error:
        FolderSource(folder="faces").check(tmp_path)
    assert f"No images in {tmp_path / 'faces'}{words}" in str(error.value)


def test_what_is_no_folder_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "faces.7z").write_bytes(b"7z")
    with pytest.raises(DataError, match=r"No images in \S+/nowhere: there is no such folder"):
        FolderSource(folder="nowhere").check(tmp_path)
    with pytest.raises(DataError, match=r"faces.7z: that is a file, and no zip. Unpack it into a folder"):
        FolderSource(folder="faces.7z").check(tmp_path)
    (tmp_path / "notes.txt").touch()
    with zipfile.ZipFile(tmp_path / "in a zip.zip", "w") as archive:
        archive.write(tmp_path / "notes.txt", "faces.zip")
    with pytest.raises(DataError, match=r"No images in \S+/in a zip.zip: 1 .zip. .*unpack what is packed in it"):
        FolderSource(folder="in a zip.zip").check(tmp_path)
    (tmp_path / "half.zip").write_bytes(b"PK half")
    with pytest.raises(DataError, match=r"half.zip is damaged or was not downloaded to its end"):
        FolderSource(folder="half.zip").check(tmp_path)


def test_sizes_and_colours_that_differ_are_named_with_counts_and_folders(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for i in range(5):
        save(tmp_path / "HQ" / "top" / "faces" / f"{i}.jpg", COLOURS["red"], (64, 64))
        for part in ("nose", "hair"):
            save(tmp_path / "HQ" / "top" / "masks" / str(i % 2) / f"{i}_{part}.png", 255, (32, 32))
    for _ in range(2):
        # what was prepared before is told again
        caplog.clear()
        prepared, summary = prepare(tmp_path / "HQ", tmp_path / "work")
        (warning,) = summary["warnings"]
        assert "10 of 32x32 grey (in top/masks/), 5 of 64x64 RGB (in top/faces/)" in warning
        assert "data_engineering.source.folder" in warning
        assert [r.message for r in caplog.records if r.levelno == logging.WARNING].count(warning) == 1
        assert summary["forms"] == {"32x32 grey": 10, "64x64 RGB": 5}
        assert prepared.index.counts["train"] == 13


def test_masks_of_the_faces_own_size_are_told_by_their_colours(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / "HQ" / f"{i}.jpg", COLOURS["red"])
        Image.new("P", (40, 40)).save(tmp_path / "HQ" / f"{i}.png")
    assert "3 of 40x40 RGB, 3 of 40x40 palette" in prepare(tmp_path / "HQ", tmp_path / "work")[1]["warnings"][0]


def test_of_very_many_sizes_the_most_frequent_are_named(tmp_path: Path) -> None:
    for i in range(30):
        save(tmp_path / "HQ" / f"{i}.png", COLOURS["red"], (40 + min(i, 25), 40))
    (warning,) = prepare(tmp_path / "HQ", tmp_path / "work")[1]["warnings"]
    assert "5 of 65x40 RGB, 1 of 40x40 RGB" in warning
    assert "22 of other sizes or colours" in warning


@pytest.mark.parametrize(
    ("crop", "size", "words"),
    [
        (
            148,
            (1024, 1024),
            "148x148 at the centre keeps less than a quarter of 5 of 5 images, 2.1% of those of 1024x1024",
        ),
        ([0, 0, 40, 40], (100, 90), r"box \(0, 0, 40, 40\) keeps less than a quarter .* 17.8%"),
        ("auto", (900, 100), "images so wide or high are rarely faces"),
        (51, (100, 100), None),
        ("none", (1000, 10), None),
        ("auto", (100, 399), None),
    ],
)
def test_a_crop_that_keeps_little_is_warned_of(tmp_path: Path, crop: Any, size: tuple[int, int], words: str) -> None:
    for i in range(5):
        save(tmp_path / "faces" / f"{i}.png", COLOURS["red"], size)
    warnings = prepare(tmp_path / "faces", tmp_path / "work", crop=crop)[1]["warnings"]
    if words is None:
        assert warnings == []
    else:
        assert re.search(words, warnings[0])
        assert len(warnings) == 1


def test_a_crop_that_keeps_little_of_a_few_is_no_matter(tmp_path: Path) -> None:
    for i, side in enumerate((50, 50, 200, 200)):
        save(tmp_path / "faces" / f"{i}.png", COLOURS["red"], (side, side))
    (warning,) = prepare(tmp_path / "faces", tmp_path / "work", crop=40)[1]["warnings"]
    assert "differ in size" in warning


def test_auto_is_celebas_own_crop_for_its_form_and_the_largest_square_of_others(
    tmp_path: Path, photograph: Photograph
) -> None:
    boxes = {(178, 218): (15, 35, 163, 183), (218, 178): (20, 0, 198, 178), (90, 300): (0, 105, 90, 195)}
    (tmp_path / "faces").mkdir()
    for seed, size in enumerate(boxes):
        Image.fromarray(photograph(seed, *size)).save(tmp_path / "faces" / f"{seed}.png")
    prepared, _ = prepare(
        tmp_path / "faces", tmp_path / "work", split={"by": "counts", "train": 3, "validation": 0, "test": 0, "seed": 1}
    )
    rows = np.load(prepared.arrays["train"]).astype(float)
    for seed, (size, box) in enumerate(boxes.items()):
        cropped = Image.fromarray(photograph(seed, *size)).crop(box)
        shrinks = cropped.width >= 96
        filter_ = Image.Resampling.BOX if shrinks else Image.Resampling.LANCZOS
        assert np.abs(rows[seed] - cropped.resize((96, 96), filter_)).max() <= 1


def test_images_without_a_suffix_are_read_by_content(tmp_path: Path) -> None:
    for name, kind in (("000001", "JPEG"), ("000002", "PNG"), ("frame.0003", "BMP"), ("b/000004", "AVIF")):
        save(tmp_path / "faces" / name, COLOURS["red"], format_=kind)
    (tmp_path / "faces" / "README").write_text("no image")
    collection = FolderSource(folder="faces").collect(tmp_path)
    assert collection.image_ids == ["000001", "000002", "b/000004", "frame.0003"]
    assert dict(collection.passed_over) == {"without a suffix": 1}


def test_many_damaged_images_are_one_message_of_ten_lines(tmp_path: Path) -> None:
    for number in range(30):
        save(tmp_path / "faces" / f"{number}.jpg", COLOURS["red"])
        (tmp_path / "faces" / f"bad\n{number}.jpg").write_bytes(b"")
    with pytest.raises(DataError) as error:
        prepare(tmp_path / "faces", tmp_path / "work")
    assert len(str(error.value).splitlines()) == 10

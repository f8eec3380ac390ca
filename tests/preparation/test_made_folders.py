"""Made folders and zips of images: each ends in arrays that agree with what was made, or in one short message."""

import os
import shutil
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import made_images
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from made_images import MadeFile
from made_runs import MADE, Prepared, assert_agrees, cut_and_resized, empty_folder, prepare
from made_runs import SPLITS as SPLIT_NAMES

pytestmark = pytest.mark.slow

CROPS = st.sampled_from(("auto", "auto", None, 1, 16, 148, (0, 0, 7, 5), (2, 1, 20, 17)))
IMAGE_SIZES = st.sampled_from((8, 8, 16, 1, (8, 12), (20, 6)))
SPLITS = st.fixed_dictionaries(
    {
        "train": st.sampled_from((1, 3, 5, 170_000)),
        "validation": st.sampled_from((0, 1, 2, 20_000)),
        "test": st.sampled_from((0, 1, 10_000)),
        "seed": st.integers(0, 3),
    }
)
PARAMETERS = st.fixed_dictionaries(
    {
        "crop": CROPS,
        "image_size": IMAGE_SIZES,
        "split": SPLITS,
        "max_bad_share": st.sampled_from((0, 0.01, 0.2, 0.5, 0.99, 1)),
        "workers": st.sampled_from((1, 2)),
    }
)


def size_of(parameters: dict[str, Any]) -> tuple[int, int]:
    size = parameters["image_size"]
    return (size, size) if isinstance(size, int) else size


def is_found(name: str) -> bool:
    """Whether a file is taken for an image by its name."""
    return name.lower().endswith(made_images.SUFFIXES) and not name.startswith(".") and "/." not in name


def is_found_by_content(file: MadeFile) -> bool:
    """Whether a file without a suffix is taken for an image."""
    begins = file.data.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*"))
    bitmap = file.data.startswith(b"BM") and len(file.data) > 9
    hidden = file.name.startswith(".") or "/." in file.name
    return not hidden and "." not in file.name.rpartition("/")[2] and (begins or bitmap or b"ftypavi" in file.data[:12])


def assert_right(
    result: Prepared | str, files: Sequence[MadeFile], parameters: dict[str, Any], in_folder: bool
) -> None:
    """What a plain model says of files and parameters is what came of them."""
    images = [file for file in files if is_found(file.name) or (in_folder and is_found_by_content(file))]
    if not images:
        assert isinstance(result, str)
        assert "No images" in result
        return
    size = size_of(parameters)
    expected = {
        file.name: None if file.pixels is None else cut_and_resized(file.pixels, parameters["crop"], size)
        for file in images
    }
    asked = sum(parameters["split"][split] for split in ("train", "validation", "test"))
    dealt = min(asked, len(images))
    bad = [name for name, pixels in expected.items() if pixels is None]
    whole = {name: pixels for name, pixels in expected.items() if pixels is not None}
    if isinstance(result, str):
        assert bad, result
        too_many = len(bad) > parameters["max_bad_share"] * dealt
        assert too_many or "left to train on" in result, result
        return
    if asked >= len(images):
        assert_agrees(result, whole)
        assert len(bad) <= parameters["max_bad_share"] * dealt
    else:
        used = result.splits()
        assert used.keys() <= whole.keys()
        assert len(used) >= asked - len(bad)
        assert_agrees(result, {name: whole[name] for name in used})
    assert set(result.index.image_id) == set(expected)
    assert set(result.index[result.index.status == "damaged"].image_id) <= set(bad)
    if len(images) >= 3 and not bad:
        counts = [parameters["split"][split] > 0 for split in ("train", "validation", "test")]
        assert [count > 0 for count in result.counts] == counts


def write(folder: Path, files: Sequence[MadeFile]) -> None:
    folder.mkdir()
    for name, data, _ in files:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


@MADE(max_examples=150)
@given(
    files=made_images.files(),
    parameters=PARAMETERS,
    odd=st.sampled_from(("", "", "loop", "broken", "elsewhere", "latin")),
)
def test_folders(files: list[MadeFile], parameters: dict[str, Any], odd: str) -> None:
    with empty_folder() as raw:
        write(raw / "faces", files)
        if odd == "loop":
            (raw / "faces/loop").symlink_to(raw / "faces")
            (raw / "faces/itself").symlink_to("itself")
        elif odd == "broken":
            (raw / "faces/broken.jpg").symlink_to("nowhere")
        elif odd == "elsewhere" and files:
            (raw / "faces").rename(raw / "elsewhere")
            (raw / "faces").symlink_to("elsewhere")
        elif odd == "latin":
            (raw / "faces" / os.fsdecode(b"f\xfcr.jpg")).write_bytes(files[0].data if files else b"")
        result = prepare(raw, raw / "work", source={"name": "folder", "folder": "faces"}, **parameters)
    if odd == "latin":
        assert isinstance(result, str)
        assert "UTF-8" in result
        return
    if odd == "broken":
        files = [*files, MadeFile("broken.jpg", b"", None)]
    assert_right(result, files, parameters, in_folder=True)


@st.composite
def packed(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "compression": draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))),
        "separator": draw(st.sampled_from(("/", "/", "\\"))),
        "zip64": draw(st.booleans()),
        "fault": draw(st.sampled_from(("", "", "", "", "encrypted", "cut", "no directory", "empty", "twice", "text"))),
        "top": draw(st.sampled_from(("", "faces/", "./", "__MACOSX/x/", "../"))),
    }


def pack(archive: Path, files: Sequence[MadeFile], form: dict[str, Any]) -> None:
    with zipfile.ZipFile(archive, "w", form["compression"]) as opened:
        for again in range(2 if form["fault"] == "twice" else 1):
            for name, data, _ in files:
                info = zipfile.ZipInfo("x")
                info.filename = f"{form['top']}{name}".replace("/", form["separator"])
                info.compress_type = form["compression"]
                with opened.open(info, "w", force_zip64=form["zip64"]) as member:
                    member.write(data if again or form["fault"] != "twice" else b"the first of two")
    content = bytearray(archive.read_bytes())
    if form["fault"] == "encrypted":
        for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            start = content.find(mark)
            while start >= 0:
                flags = struct.unpack_from("<H", content, start + offset)[0]
                struct.pack_into("<H", content, start + offset, flags | 1)
                start = content.find(mark, start + 4)
    elif form["fault"] == "cut":
        content = content[: len(content) // 2]
    elif form["fault"] == "no directory":
        content = content[:-22]
    elif form["fault"] == "empty":
        content = bytearray()
    elif form["fault"] == "text":
        content = bytearray(b"<html>quota exceeded</html>")
    archive.write_bytes(content)


@MADE(max_examples=150)
@given(files=made_images.files(most=6), parameters=PARAMETERS, form=packed(), beside=st.booleans())
def test_zips(files: list[MadeFile], parameters: dict[str, Any], form: dict[str, Any], beside: bool) -> None:
    with empty_folder() as raw:
        (raw / "faces").mkdir()
        pack(raw / "faces/all.zip", files, form)
        folder = "faces" if beside else "faces/all.zip"
        result = prepare(raw, raw / "work", source={"name": "folder", "folder": folder}, **parameters)
    if form["fault"] in {"cut", "no directory", "empty", "text"}:
        assert isinstance(result, str)
        return
    top = form["top"].removeprefix("./")
    files = [file._replace(name=f"{top}{file.name}".replace("\\", "/")) for file in files]
    files = [file for file in files if not file.name.startswith("__MACOSX/")]
    found = [file for file in files if is_found(file.name)]
    if form["fault"] == "encrypted" and found:
        assert isinstance(result, str)
        assert "encrypted" in result
    elif form["compression"] == zipfile.ZIP_BZIP2 and found:
        assert isinstance(result, str)
        assert "method" in result
    else:
        # of members of one name the last counts, as for every unpacker
        last = {file.name: file for file in files}
        assert_right(result, list(last.values()), parameters, in_folder=False)


@MADE(max_examples=12)
@given(files=made_images.files(), parameters=PARAMETERS)
def test_whole_runs(
    files: list[MadeFile], parameters: dict[str, Any], project: Path, run_kedro: Callable[..., CompletedProcess[str]]
) -> None:
    shutil.rmtree(project / "data", ignore_errors=True)
    (project / "data/01_raw").mkdir(parents=True)
    write(project / "data/01_raw/faces", files)
    block = {"source": {"name": "folder", "folder": "faces"}, **parameters}
    (project / "conf/local/parameters.yml").write_text(yaml.safe_dump({"data_engineering": block}))

    result = run_kedro(project, "--pipelines=data_engineering")

    said = result.stdout + result.stderr
    assert "Traceback" not in said
    if result.returncode:
        assert result.returncode == 1
        assert not list((project / "data").glob("05_model_input/*.npy"))
    else:
        counts = [len(np.load(project / f"data/05_model_input/{split}_images.npy")) for split in SPLIT_NAMES]
        whole = [file for file in files if file.pixels is not None]
        assert 0 < sum(counts) <= len(whole)

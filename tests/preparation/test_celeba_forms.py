"""CelebA in the forms that people have it in, and what is said of what is not read."""

import logging
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from base_config import base_config
from PIL import Image

from celeba_vae.config import SplitConfig
from celeba_vae.errors import DataError
from celeba_vae.preparation.sources import CelebaSource
from celeba_vae.preparation.splits import assign_splits

WriteCeleba = Callable[..., list[str]]


@pytest.fixture
def celeba(tmp_path: Path) -> Path:
    return tmp_path / "celeba"


def faces(tmp_path: Path, write_celeba: WriteCeleba, count: int = 5) -> list[Path]:
    """Write images that lie nowhere yet."""
    names = write_celeba(tmp_path / "made", count)
    return [tmp_path / "made" / "img_align_celeba" / name for name in names]


def put(files: list[Path], folder: Path, rename: Callable[[str], str] = str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, folder / rename(file.name))


def pack(archive: Path, members: dict[str, Path | str]) -> None:
    """Pack files, or texts, under any names."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as opened:
        for name, content in members.items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            opened.writestr(info, content.read_bytes() if isinstance(content, Path) else content)


def splits_of(tmp_path: Path) -> dict[str, int]:
    collection = CelebaSource().collect(tmp_path)
    index = assign_splits(collection.image_ids, collection.partition, base_config(SplitConfig, by="partition"))
    return dict(zip(collection.image_ids, index.splits.tolist(), strict=True))


def assert_collected(tmp_path: Path, files: dict[str, Path]) -> None:
    """The images have these names and the content of these files; ``check`` finds nothing wrong."""
    CelebaSource().check(tmp_path)
    collection = CelebaSource().collect(tmp_path)
    assert sorted(collection.image_ids) == sorted(files)
    for name, file in files.items():
        assert collection.read(name) == file.read_bytes()


def message(tmp_path: Path) -> str:
    """What is said of a folder without CelebA, by ``check`` and by ``collect``."""
    with pytest.raises(DataError) as checked:
        CelebaSource().check(tmp_path)
    with pytest.raises(DataError) as collected:
        CelebaSource().collect(tmp_path)
    assert str(checked.value) == str(collected.value)
    assert len(str(checked.value).splitlines()) <= 10
    return str(checked.value)


@pytest.mark.parametrize("folder", ["img_align_celeba_png", "Img/img_align_celeba_png", "IMG_ALIGN_CELEBA_PNG"])
def test_the_png_edition_is_found(tmp_path: Path, celeba: Path, photograph: Callable, folder: str) -> None:
    (celeba / folder).mkdir(parents=True)
    for seed in range(3):
        Image.fromarray(photograph(seed)).save(celeba / folder / f"{seed + 1:06d}.png")
    (celeba / "list_eval_partition.txt").write_text("000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n")
    assert_collected(tmp_path, {file.name: file for file in (celeba / folder).iterdir()})
    assert CelebaSource().collect(tmp_path).partition.name == str(celeba / "list_eval_partition.txt")


@pytest.mark.parametrize("inside", ["", "img_align_celeba_png/", "img_align_celeba_png\\"])
@pytest.mark.parametrize("name", ["img_align_celeba_png.zip", "Img_Align_CelebA_PNG.ZIP"])
def test_the_png_editions_zip_is_read(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba, name: str, inside: str
) -> None:
    files = {f"{file.stem}.png": file for file in faces(tmp_path, write_celeba)}
    pack(celeba / name, {f"{inside}{png}": file for png, file in files.items()})
    assert_collected(tmp_path, files)


def test_of_both_editions_the_one_that_the_lists_name_is_read_and_the_other_named(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba, caplog: pytest.LogCaptureFixture
) -> None:
    files = faces(tmp_path, write_celeba)
    put(files, celeba / "img_align_celeba")
    put(files, celeba / "img_align_celeba_png", lambda name: name.replace(".jpg", ".png"))
    with caplog.at_level(logging.INFO):
        assert_collected(tmp_path, {file.name: file for file in files})
    assert f"Not read in {celeba}: {celeba / 'img_align_celeba_png'}." in caplog.text


@pytest.mark.parametrize("rename", [str, "celeba_face_{}".format])
@pytest.mark.parametrize("list_in", ["", "Anno/"])
def test_images_right_beside_the_lists_are_read(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba, rename: Callable[[str], str], list_in: str
) -> None:
    files = faces(tmp_path, write_celeba)
    put(files, celeba, rename)
    (celeba / list_in).mkdir(exist_ok=True)
    (celeba / list_in / "list_eval_partition.txt").write_text("".join(f"{rename(f.name)} 0\n" for f in files))
    (celeba / "readme.md").write_text("")
    assert_collected(tmp_path, {rename(file.name): file for file in files})
    assert set(splits_of(tmp_path).values()) == {0}
    # the list is read, not passed over
    assert CelebaSource().collect(tmp_path).passed_over == {".md": 1}


@pytest.mark.parametrize("folder", ["images", "Img/faces", "", "img_align_celeba (1)"])
@pytest.mark.parametrize("zipped", [False, True])
def test_images_with_celebas_names_are_found_without_its_folder(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba, folder: str, zipped: bool
) -> None:
    files = faces(tmp_path, write_celeba)
    if zipped:
        pack(celeba / "download.zip", {f"{folder}/{file.name}".lstrip("/"): file for file in files})
    else:
        put(files, celeba / folder)
    assert_collected(tmp_path, {file.name: file for file in files})


def test_images_in_the_folder_and_below_it_are_not_mixed(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba
) -> None:
    files = faces(tmp_path, write_celeba)
    put(files, celeba)
    put(files[:1], celeba / "masks")
    assert f"More than one folder or archive of CelebA images:\n  {celeba}\n  {celeba / 'masks'}\n" in message(tmp_path)


@pytest.mark.parametrize(
    ("folder", "validation"),
    [
        ("img_align_celeba", "val"),
        ("img_align_celeba/img_align_celeba", "valid"),
        ("Img_Align_CelebA", "Validation"),
        ("", "VAL"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_folders_of_splits_are_the_splits(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba, folder: str, validation: str, zipped: bool
) -> None:
    files = faces(tmp_path, write_celeba)
    dealt = {file: ("train", "train", validation, "test", "train")[i] for i, file in enumerate(files)}
    members = {f"{split}/{file.name}": file for file, split in dealt.items()}
    if zipped:
        pack(celeba / "celeba.zip", {f"{folder}/{name}".lstrip("/"): file for name, file in members.items()})
    else:
        for file, split in dealt.items():
            put([file], celeba / folder / split)
    assert_collected(tmp_path, members)
    codes = {"train": 0, validation: 1, "test": 2}
    assert splits_of(tmp_path) == {name: codes[name.partition("/")[0]] for name in members}
    # a partition file counts before the folders
    (celeba / "list_eval_partition.txt").write_text("".join(f"{name} 0\n" for name in members))
    assert splits_of(tmp_path) == dict.fromkeys(members, 0)


def test_an_image_outside_of_the_splits_folders_is_said(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba, caplog: pytest.LogCaptureFixture
) -> None:
    files = faces(tmp_path, write_celeba)
    put(files[1:], celeba / "img_align_celeba" / "train")
    put(files[:1], celeba / "img_align_celeba")
    assert CelebaSource().collect(tmp_path).partition is None
    assert f"1 of 5 images in {celeba / 'img_align_celeba'} lie outside of train/, val/ and test/" in caplog.text


@pytest.mark.parametrize("change", [str.upper, str.title])
def test_capitals_make_no_difference(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba, change: Callable[[str], str]
) -> None:
    files = faces(tmp_path, write_celeba)
    put(files, celeba / change("img_align_celeba"), change)
    (celeba / change("list_eval_partition.csv")).write_text("".join(f"{change(f.name)},0\n" for f in files))
    (celeba / change("list_attr_celeba.txt")).write_text("5\nBald\n")
    assert_collected(tmp_path, {change(file.name): file for file in files})
    assert set(splits_of(tmp_path).values()) == {0}
    assert CelebaSource().collect(tmp_path).attributes.name == str(celeba / change("list_attr_celeba.txt"))


@pytest.mark.parametrize("prefix", ["img_align_celeba\\", "archive\\img_align_celeba\\", ".\\img_align_celeba\\", "./"])
def test_a_zip_of_windows_is_read_with_its_lists(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba, prefix: str
) -> None:
    files = faces(tmp_path, write_celeba)
    lists = {"Eval\\list_eval_partition.txt": "".join(f"{file.name} 0\n" for file in files)}
    pack(celeba / "img_align_celeba.zip", {**{f"{prefix}{file.name}": file for file in files}, **lists})
    assert_collected(tmp_path, {file.name: file for file in files})
    assert set(splits_of(tmp_path).values()) == {0}


def test_lists_are_found_in_the_folder_of_images_and_in_a_zip_of_their_own(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba
) -> None:
    files = faces(tmp_path, write_celeba, 2)
    put(files, celeba / "img_align_celeba")
    (celeba / "img_align_celeba" / "list_eval_partition.csv").write_text("000001.jpg,0\n000002.jpg,2\n")
    pack(celeba / "list_attr_celeba.csv.zip", {"list_attr_celeba.csv": "image_id,Bald\n000001.jpg,1\n"})
    collection = CelebaSource().collect(tmp_path)
    assert splits_of(tmp_path) == {"000001.jpg": 0, "000002.jpg": 2}
    assert collection.attributes.name == str(celeba / "list_attr_celeba.csv.zip" / "list_attr_celeba.csv")


def test_a_second_download_of_a_list_counts_after_the_first(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba, caplog: pytest.LogCaptureFixture
) -> None:
    files = faces(tmp_path, write_celeba, 1)
    put(files, celeba / "img_align_celeba")
    (celeba / "list_eval_partition (1).txt").write_text("000001.jpg 1")
    assert CelebaSource().collect(tmp_path).partition.name == str(celeba / "list_eval_partition (1).txt")
    (celeba / "list_eval_partition.txt").write_text("000001.jpg 2")
    with caplog.at_level(logging.INFO):
        assert CelebaSource().collect(tmp_path).partition.name == str(celeba / "list_eval_partition.txt")
    assert "list_eval_partition (1).txt" in caplog.text


def test_linked_folders_are_followed_once(tmp_path: Path, celeba: Path, write_celeba: WriteCeleba) -> None:
    files = faces(tmp_path, write_celeba)
    celeba.mkdir()
    (celeba / "img_align_celeba").symlink_to(files[0].parent)
    (celeba / "loop").symlink_to(celeba)
    (celeba / "again").symlink_to(files[0].parent)
    (celeba / "itself").symlink_to(celeba / "itself")
    assert_collected(tmp_path, {file.name: file for file in files})


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["img_align_celeba.7z"], "There is a img_align_celeba.7z: unpack it into {celeba}."),
        (
            ["img_celeba.tar.gz", "img_align_celeba.tar.gz"],
            "There is a img_align_celeba.tar.gz and 1 more of this kind",
        ),
        (["img_align_celeba.tar"], "There is a img_align_celeba.tar: unpack it into {celeba}."),
        (["celeba.TGZ"], "There is a celeba.TGZ: unpack it into {celeba}."),
        (["celeba.rar"], "There is a celeba.rar: unpack it into {celeba}."),
        (
            [f"Img/img_align_celeba_png.7z/img_align_celeba_png.7z.{i:03d}" for i in range(1, 17)],
            "There is a Img/img_align_celeba_png.7z/img_align_celeba_png.7z.001 and 15 more of this kind: unpack them",
        ),
        (["img_align_celeba.zip.001"], "There is a img_align_celeba.zip.001: unpack it into {celeba}."),
        (["img_align_celeba.zip.crdownload"], "download it to the end into {celeba}."),
        (
            ["celeb_a-train.tfrecord-00000-of-00004", "celeb_a-train.tfrecord-00001-of-00004"],
            "There is a celeb_a-train.tfrecord-00000-of-00004 and 1 more of this kind: unpack the images in them into",
        ),
        (["celeba.h5"], "There is a celeba.h5: unpack the images in it into {celeba}/img_align_celeba"),
        (["Anno/list_landmarks_align_celeba.txt"], "list_landmarks_align_celeba.txt: it holds no images"),
        (["mask/0/00000_hair.png"], "There are 1 masks in {celeba}/mask/0, no faces: unpack the images into"),
        (["img_celeba/000001.jpg"], "There is a folder {celeba}/img_celeba, images in the wild, not aligned: unpack"),
        (["pictures/a.jpg", "pictures/b.jpg"], "There are 2 images in {celeba}/pictures, not named as CelebA's"),
        (["notes.txt", "b.txt", "c.md"], "Seen there: 2 .txt, 1 .md."),
        (["a.jpg", "notes.txt"], "Seen there: images, 1 .txt."),
    ],
)
def test_what_is_not_read_is_named_with_what_to_do(tmp_path: Path, celeba: Path, files: list[str], said: str) -> None:
    for file in files:
        (celeba / file).parent.mkdir(parents=True, exist_ok=True)
        (celeba / file).write_bytes(b"something")
    told = message(tmp_path)
    assert told.startswith(f"No CelebA images in {celeba}.\n")
    assert said.format(celeba=celeba) in told


def test_an_archive_in_an_archive_is_named(tmp_path: Path, celeba: Path) -> None:
    pack(celeba / "Img-20240101T000000Z-001.zip", {"Img/img_align_celeba.zip": "PK"})
    said = (
        "There is a Img/img_align_celeba.zip in Img-20240101T000000Z-001.zip: unpack Img-20240101T000000Z-001.zip into"
    )
    assert f"{said} {celeba}." in message(tmp_path)
    pack(celeba / "Img-20240101T000000Z-001.zip", {"photos\\a.jpg": "", "photos\\b.jpg": ""})
    assert "There are 2 images in" in message(tmp_path)


def test_nothing_is_said_to_be_nothing(tmp_path: Path, celeba: Path) -> None:
    assert "Seen there: no such folder." in message(tmp_path)
    celeba.mkdir()
    assert "Seen there: nothing." in message(tmp_path)


def test_what_lies_beside_the_images_and_is_not_read_is_logged(
    tmp_path: Path, celeba: Path, write_celeba: WriteCeleba, caplog: pytest.LogCaptureFixture
) -> None:
    put(faces(tmp_path, write_celeba), celeba / "img_align_celeba")
    for name in ("img_align_celeba.7z", "list_attr_celeba.xlsx", "readme.md"):
        (celeba / name).write_bytes(b"")
    with caplog.at_level(logging.INFO):
        CelebaSource().collect(tmp_path)
    assert f"Not read in {celeba}: img_align_celeba.7z, list_attr_celeba.xlsx." in caplog.text
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warned == [f"{celeba}/list_attr_celeba.xlsx is not read: save it as text or CSV, .txt or .csv."]
    # one that is read stands beside it
    (celeba / "list_attr_celeba.txt").write_text("")
    caplog.clear()
    CelebaSource().collect(tmp_path)
    assert "is not read" not in caplog.text


def test_an_encrypted_zip_is_one_clear_error(tmp_path: Path, celeba: Path, write_celeba: WriteCeleba) -> None:
    archive = celeba / "img_align_celeba.zip"
    pack(archive, {f"img_align_celeba/{file.name}": file for file in faces(tmp_path, write_celeba)})
    data = bytearray(archive.read_bytes())
    at = data.find(b"PK\1\2")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\1\2", at + 1)
    archive.write_bytes(data)
    with pytest.raises(DataError, match=rf"{archive} is encrypted: unpack it where it lies"):
        CelebaSource().collect(tmp_path)


def test_one_run_of_each_form_gives_the_same_arrays(
    tmp_path: Path, write_celeba: WriteCeleba, run_kedro: Callable, project: Path
) -> None:
    """A whole data_engineering of a zip of Windows, of images beside the lists, and of folders as splits."""
    files = faces(tmp_path, write_celeba, 20)
    split = {file.name: (0, 0, 0, 1, 2)[i % 5] for i, file in enumerate(files)}
    lists = "".join(f"{name} {code}\n" for name, code in split.items())
    celeba = project / "data/01_raw/celeba"
    arrays = []
    for form in ("flat", "windows", "splits"):
        shutil.rmtree(celeba, ignore_errors=True)
        if form == "flat":
            put(files, celeba)
            (celeba / "list_eval_partition.txt").write_text(lists)
        elif form == "windows":
            members = {f"img_align_celeba\\{file.name}": file for file in files}
            pack(celeba / "img_align_celeba.zip", {**members, "Eval\\list_eval_partition.txt": lists})
        else:
            for file in files:
                put([file], celeba / "img_align_celeba" / ("train", "val", "test")[split[file.name]])
        process = run_kedro(project, "--pipelines", "data_engineering", "--params", "data_engineering.image_size=32")
        assert process.returncode == 0, process.stdout
        made = project / "data/05_model_input"
        arrays.append({name: np.load(made / f"{name}_images.npy") for name in ("train", "validation", "test")})
    assert [len(array) for array in arrays[0].values()] == [12, 4, 4]
    for others in arrays[1:]:
        for name, array in arrays[0].items():
            np.testing.assert_array_equal(others[name], array)

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from celeba_vae.config import ComponentConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.errors import DataError, SettingError
from celeba_vae.preparation.lists import read_attributes, read_partition
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.preparation.sources import CelebaSource, FolderSource, SyntheticSource

WriteCeleba = Callable[..., list[str]]


def splits_of(collection: ImageCollection) -> dict[str, int]:
    """What the collection's partition file says of each image."""
    splits = read_partition(collection.partition, collection.image_ids).splits
    return dict(zip(collection.image_ids, splits.tolist(), strict=True))


def test_the_parameters_name_the_source() -> None:
    source = create_component("sources", ComponentConfig(name="synthetic", count=7))
    assert source == SyntheticSource(count=7)
    with pytest.raises(SettingError, match="folder: Field required"):
        create_component("sources", ComponentConfig(name="folder"))


@pytest.mark.parametrize("nested", ["", "img_align_celeba", "archive", "archive/Img"])
def test_celeba_is_found_nested_or_not(tmp_path: Path, write_celeba: WriteCeleba, nested: str) -> None:
    names = write_celeba(tmp_path / "celeba" / nested, count=3, partition=[0, 1, 2])
    CelebaSource().check(tmp_path)
    collection = CelebaSource().collect(tmp_path)
    assert list(collection.image_ids) == names
    file = tmp_path / "celeba" / nested / "img_align_celeba" / names[1]
    assert collection.read(names[1]) == file.read_bytes()


def test_the_lists_are_found_beside_the_images_or_in_a_folder_of_their_own(
    tmp_path: Path, write_celeba: WriteCeleba
) -> None:
    folder = tmp_path / "celeba"
    names = write_celeba(folder, count=3, partition=[0, 1, 2])
    (folder / "list_attr_celeba.txt").write_text("3\n")
    expected = dict(zip(names, (0, 1, 2), strict=True))
    assert splits_of(CelebaSource().collect(tmp_path)) == expected
    (folder / "Eval").mkdir()
    (folder / "list_eval_partition.txt").rename(folder / "Eval" / "list_eval_partition.txt")
    collection = CelebaSource().collect(tmp_path)
    assert splits_of(collection) == expected
    assert collection.attributes.name == str(folder / "list_attr_celeba.txt")


def test_a_folder_elsewhere_can_be_named(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    names = write_celeba(tmp_path / "elsewhere", count=2)
    collection = CelebaSource(folder=str(tmp_path / "elsewhere")).collect(Path("/nowhere"))
    assert list(collection.image_ids) == names
    assert collection.partition is None


@pytest.mark.parametrize("made", ["", "celeba", "celeba/img_align_celeba"])
def test_without_celeba_the_message_says_what_to_do(tmp_path: Path, made: str) -> None:
    (tmp_path / made).mkdir(parents=True, exist_ok=True)
    with pytest.raises(DataError) as error:
        CelebaSource().check(tmp_path)
    for words in (str(tmp_path / "celeba"), "mmlab.ie.cuhk.edu.hk", "jessicali9530", "non-commercial", "make demo"):
        assert words in str(error.value)


def test_two_folders_of_images_are_an_error_that_lists_them(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    write_celeba(tmp_path / "celeba", count=1)
    write_celeba(tmp_path / "celeba" / "copy", count=1)
    with pytest.raises(DataError, match="More than one") as error:
        CelebaSource().check(tmp_path)
    assert str(tmp_path / "celeba" / "copy" / "img_align_celeba") in str(error.value)


def pack(archive: Path, files: dict[str, Path], method: int = zipfile.ZIP_DEFLATED) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", method) as opened:
        opened.mkdir("folder")
        for name, file in files.items():
            opened.write(file, name)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("inside", ["", "img_align_celeba/"])
@pytest.mark.parametrize("place", ["", "Img"])
def test_the_zip_of_the_images_is_read_in_place(
    tmp_path: Path, write_celeba: WriteCeleba, place: str, inside: str, method: int
) -> None:
    names = write_celeba(tmp_path / "made", count=5, partition=[0, 1, 2, 0, 0])
    images = tmp_path / "made" / "img_align_celeba"
    # in any order, with what a Mac adds
    files = {f"{inside}{name}": images / name for name in reversed(names)}
    archive = tmp_path / "celeba" / place / "img_align_celeba.zip"
    pack(archive, {**files, f"__MACOSX/{inside}._{names[0]}": images / names[0]}, method)
    (tmp_path / "celeba" / "Eval").mkdir()
    shutil.copy(tmp_path / "made" / "list_eval_partition.txt", tmp_path / "celeba" / "Eval")
    CelebaSource().check(tmp_path)
    collection = CelebaSource().collect(tmp_path)
    assert list(collection.image_ids) == names
    assert splits_of(collection) == dict(zip(names, (0, 1, 2, 0, 0), strict=True))
    for name in names:
        assert collection.read(name) == (images / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "celeba").rglob("*.jpg")) == []


@pytest.mark.parametrize("name", ["archive.zip", "celeba-dataset.zip"])
def test_kaggles_archive_holds_images_and_lists(tmp_path: Path, write_celeba: WriteCeleba, name: str) -> None:
    names = write_celeba(tmp_path / "made", count=3)
    images = tmp_path / "made" / "img_align_celeba"
    lists = {
        "list_eval_partition.csv": "image_id,partition\n" + "".join(f"{image},0\n" for image in names),
        "list_attr_celeba.csv": "image_id,Bald,Young\n" + "".join(f"{image},-1,1\n" for image in names),
        "list_bbox_celeba.csv": "image_id,x_1\n",
    }
    for file, text in lists.items():
        (tmp_path / file).write_text(text)
    pack(
        tmp_path / "celeba" / name,
        {
            **{f"img_align_celeba/img_align_celeba/{image}": images / image for image in names},
            **{file: tmp_path / file for file in lists},
        },
    )
    collection = CelebaSource().collect(tmp_path)
    assert list(collection.image_ids) == names
    assert splits_of(collection) == dict.fromkeys(names, 0)
    assert read_attributes(collection.attributes, collection.image_ids).table.columns.tolist() == ["Bald", "Young"]
    # a list beside the archive counts before the one within
    (tmp_path / "celeba" / "list_eval_partition.txt").write_text("000001.jpg 2")
    assert splits_of(CelebaSource().collect(tmp_path)) == dict(zip(names, (2, -1, -1), strict=True))


def test_a_folder_and_an_archive_are_an_error_that_lists_them(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    names = write_celeba(tmp_path / "celeba", count=1)
    images = tmp_path / "celeba" / "img_align_celeba"
    pack(tmp_path / "celeba" / "img_align_celeba.zip", {names[0]: images / names[0]})
    pack(tmp_path / "celeba" / "other.zip", {"readme.jpg": images / names[0]})
    with pytest.raises(DataError, match="More than one folder or archive") as error:
        CelebaSource().check(tmp_path)
    assert f"\n  {images}\n  {images}.zip" in str(error.value)
    assert "other.zip" not in str(error.value)


def test_a_truncated_archive_is_one_clear_error(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    names = write_celeba(tmp_path / "made", count=3)
    archive = tmp_path / "celeba" / "img_align_celeba.zip"
    pack(archive, {name: tmp_path / "made" / "img_align_celeba" / name for name in names})
    os.truncate(archive, archive.stat().st_size // 2)
    with pytest.raises(DataError, match=rf"{archive} is damaged or was not downloaded to its end"):
        CelebaSource().check(tmp_path)


def test_a_file_whose_name_is_no_text_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with open(os.fsencode(tmp_path / "photos") + b"/\xff.jpg", "wb"):
        pass
    with pytest.raises(DataError, match=r"not valid UTF-8, b'\\xff.jpg': rename it"):
        FolderSource(folder="photos").collect(tmp_path)


def test_a_folder_is_searched_to_the_bottom_for_images(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpeg", "people/ann/1.webp", "people/notes.txt", ".hidden.jpg", ".thumbnails/1.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(name.encode())
    collection = FolderSource(folder="photos").collect(tmp_path)
    assert list(collection.image_ids) == ["a.jpeg", "b.PNG", "people/ann/1.webp"]
    assert collection.read("people/ann/1.webp") == b"people/ann/1.webp"
    assert collection.partition is None


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for folder in ("photos", "nowhere"):
        with pytest.raises(DataError, match=f"No images in {tmp_path / folder}"):
            FolderSource(folder=folder).check(tmp_path)


def test_the_state_changes_with_the_images_and_only_then(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    write_celeba(tmp_path / "celeba", count=3)
    images = tmp_path / "celeba" / "img_align_celeba"

    def state() -> str:
        return CelebaSource().collect(tmp_path).state

    first = state()
    assert state() == first
    shutil.copytree(images, tmp_path / "moved" / "img_align_celeba")
    assert CelebaSource(folder="moved").collect(tmp_path).state == first
    os.utime(images / "000002.jpg", ns=(0, 0))
    touched = state()
    (images / "000002.jpg").rename(images / "000009.jpg")
    renamed = state()
    (images / "000009.jpg").unlink()
    assert len({first, touched, renamed, state()}) == 4


def test_faces_are_drawn_once_and_again_when_the_settings_change(tmp_path: Path) -> None:
    source = SyntheticSource(count=4, seed=1)
    source.check(tmp_path)
    collection = source.collect(tmp_path)
    assert list(collection.image_ids) == ["000001.jpg", "000002.jpg", "000003.jpg", "000004.jpg"]
    assert set(splits_of(collection).values()) <= {0, 1, 2}
    images = tmp_path / "synthetic" / "img_align_celeba"
    assert np.asarray(Image.open(images / "000001.jpg")).shape == (218, 178, 3)

    first = images.stat().st_ino, collection.read("000001.jpg")
    assert (images.stat().st_ino, source.collect(tmp_path).read("000001.jpg")) == first
    other = SyntheticSource(count=2, seed=2).collect(tmp_path)
    assert len(other.image_ids) == 2
    assert other.read("000001.jpg") != first[1]
    assert source.collect(tmp_path).read("000001.jpg") == first[1]
    assert os.listdir(tmp_path) == ["synthetic"]


def test_drawing_never_replaces_what_others_made(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    write_celeba(tmp_path / "synthetic", count=1)
    with pytest.raises(DataError, match="were not drawn"):
        SyntheticSource(count=2).collect(tmp_path)
    assert (tmp_path / "synthetic" / "img_align_celeba" / "000001.jpg").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_of_one_name_the_last_counts(tmp_path: Path) -> None:
    (tmp_path / "celeba").mkdir()
    with zipfile.ZipFile(tmp_path / "celeba" / "img_align_celeba.zip", "w") as archive:
        for content in (b"first", b"last"):
            archive.writestr("img_align_celeba/000002.jpg", content)
            archive.writestr("img_align_celeba/000001.jpg", b"other")
    collection = CelebaSource().collect(tmp_path)
    assert list(collection.image_ids) == ["000001.jpg", "000002.jpg"]
    assert collection.read("000002.jpg") == b"last"

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from celeba_vae.config import ComponentConfig
from celeba_vae.errors import DataError, SettingError
from celeba_vae.imaging.annotations import Partition
from celeba_vae.imaging.sources import CelebaSource, FolderSource, SyntheticSource
from celeba_vae.plugins import create_component

WriteCeleba = Callable[..., list[str]]


def as_mapping(partition: Partition) -> dict[str, int]:
    return dict(zip(partition.names.tolist(), partition.values.tolist(), strict=True))


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
    assert as_mapping(CelebaSource().collect(tmp_path).partition) == expected
    (folder / "Eval").mkdir()
    (folder / "list_eval_partition.txt").rename(folder / "Eval" / "list_eval_partition.txt")
    collection = CelebaSource().collect(tmp_path)
    assert as_mapping(collection.partition) == expected
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
    assert list(collection.partition.names) == list(collection.image_ids)
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

"""Originals at an address give what the same originals on a disk give; in fsspec's file system in memory."""

import shutil
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from celeba_vae.datasets import InputFolderDataset
from celeba_vae.errors import DataError
from celeba_vae.photos.own_photos import photo_files, read_photos
from celeba_vae.preparation.sources import CelebaSource, FolderSource, SyntheticSource

PARTITION = [0, 0, 1, 2]


@pytest.fixture
def raw_folder(tmp_path):
    """A remote folder of originals with what is in ``tmp_path/originals`` when it is asked for."""

    def upload():
        address = f"memory://{tmp_path.name}/01_raw"
        fs = fsspec.filesystem("memory")
        if (tmp_path / "originals").exists():
            fs.put(str(tmp_path / "originals"), address, recursive=True)
        return InputFolderDataset(path=address, cache={"path": str(tmp_path / "cache")}).load()

    return upload


@pytest.fixture
def originals(tmp_path):
    return tmp_path / "originals"


def assert_equal(remote, local):
    assert list(remote.image_ids) == list(local.image_ids)
    assert len(local.image_ids)
    assert [remote.read(name) for name in remote.image_ids] == [local.read(name) for name in local.image_ids]
    assert (remote.partition is None) == (local.partition is None)
    if local.partition:
        assert remote.partition.state == local.partition.state
    assert (remote.attributes and remote.attributes.state) == (local.attributes and local.attributes.state)


@pytest.mark.parametrize("layout", ["beside", "nested", "zip", "archive", "flat", "splits", "shards"])
def test_celeba_is_found_in_every_form(originals, raw_folder, write_celeba, layout):
    celeba = originals / "celeba"
    write_celeba(celeba, len(PARTITION), PARTITION)
    (celeba / "list_attr_celeba.csv").write_text("image_id,Smiling\n000001.jpg,1\n")
    images = celeba / "img_align_celeba"
    (images / ".hidden.jpg").write_bytes(b"")
    if layout == "nested":
        shutil.move(images, celeba / "images")
        images.mkdir()
        shutil.move(celeba / "images", images / "img_align_celeba")
    elif layout == "zip":
        shutil.make_archive(str(celeba / "img_align_celeba"), "zip", images)
        shutil.rmtree(images)
    elif layout == "archive":
        archive = shutil.make_archive(str(originals / "archive"), "zip", celeba)
        shutil.rmtree(celeba)
        celeba.mkdir()
        shutil.move(archive, celeba / "archive.zip")
    elif layout == "flat":
        for image in images.iterdir():
            image.rename(celeba / image.name)
        images.rmdir()
    elif layout == "splits":
        for image, split in zip(sorted(images.glob("[!.]*.jpg")), ("train", "valid", "test", "Train"), strict=True):
            (images / split).mkdir()
            image.rename(images / split / image.name)
        (celeba / "list_eval_partition.txt").unlink()
    elif layout == "shards":
        for number, image in enumerate(sorted(images.glob("[!.]*.jpg"))):
            rows = [{"bytes": image.read_bytes(), "path": image.name}]
            pq.write_table(pa.table({"image": rows}), celeba / f"train-0000{number}-of-00004.parquet")
        shutil.rmtree(images)
    source = CelebaSource()
    source.check(raw_folder())
    assert_equal(source.collect(raw_folder()), source.collect(originals))


def test_more_than_one_folder_or_none_is_an_error_that_names_addresses(originals, raw_folder, write_celeba):
    with pytest.raises(DataError, match="No CelebA images in memory://"):
        CelebaSource().check(raw_folder())
    write_celeba(originals / "celeba/one", 1)
    write_celeba(originals / "celeba/two", 1)
    with pytest.raises(DataError, match=r"More than one(?s:.*)memory://\S+/one(?s:.*)memory://\S+/two"):
        CelebaSource().collect(raw_folder())


def test_a_damaged_archive_is_named_by_its_address(originals, raw_folder):
    (originals / "celeba").mkdir(parents=True)
    (originals / "celeba/archive.zip").write_bytes(b"PK half")
    with pytest.raises(DataError, match=r"memory://\S+/celeba/archive.zip is damaged"):
        CelebaSource().check(raw_folder())


def test_any_folder_of_images_is_a_source_and_changes_are_seen(originals, raw_folder, write_celeba):
    with pytest.raises(DataError, match="No images in memory://"):
        FolderSource(folder="mine").check(raw_folder())
    write_celeba(originals / "mine/deep", 3)
    source = FolderSource(folder="mine")
    folder = raw_folder()
    before = source.collect(folder)
    assert_equal(before, source.collect(originals))
    assert source.collect(folder).state == before.state
    (folder / "mine/deep/img_align_celeba/000002.jpg").write_bytes(b"another")
    assert source.collect(folder).state != before.state


@pytest.mark.parametrize("named", ["mine", "mine/faces.zip", "mine/faces.zip/img_align_celeba"])
def test_a_zip_of_images_is_a_source_and_what_is_passed_over_is_counted(originals, raw_folder, write_celeba, named):
    write_celeba(originals / "made", 3, [0, 1, 2])
    shutil.make_archive(str(originals / "mine" / "faces"), "zip", originals / "made")
    source = FolderSource(folder=named)
    source.check(raw_folder())
    remote = source.collect(raw_folder())
    assert_equal(remote, source.collect(originals))
    assert remote.passed_over == ({} if named.endswith("celeba") else {".txt": 1})
    assert FolderSource(folder="made").collect(raw_folder()).passed_over == {".txt": 1}


def test_a_source_may_name_an_address_itself(originals, raw_folder, write_celeba, tmp_path):
    write_celeba(originals / "mine", 2)
    source = FolderSource(folder=f"{raw_folder()}/mine")
    assert_equal(source.collect(tmp_path), FolderSource(folder="mine").collect(originals))
    assert_equal(FolderSource(folder=str(originals / "mine")).collect(raw_folder()), source.collect(tmp_path))


def test_a_file_that_is_gone_or_empty_is_told_as_of_a_disk(originals, raw_folder, write_celeba):
    write_celeba(originals / "mine", 2)
    (originals / "mine/empty.jpg").write_bytes(b"")
    collection = FolderSource(folder="mine").collect(raw_folder())
    assert collection.read("empty.jpg") == b""
    with pytest.raises(FileNotFoundError):
        collection.read("gone.jpg")


def test_faces_are_drawn_once_and_uploaded(raw_folder, tmp_path):
    fs = fsspec.filesystem("memory")
    source = SyntheticSource(count=3, seed=1)
    first = source.collect(raw_folder())
    assert_equal(first, source.collect(tmp_path / "here"))
    assert source.collect(raw_folder()).state == first.state
    assert len(SyntheticSource(count=2, seed=1).collect(raw_folder()).image_ids) == 2
    fs.rm_file(f"{raw_folder()}/synthetic/drawn.json")
    with pytest.raises(DataError, match="were not drawn by the source 'synthetic'"):
        source.collect(raw_folder())


def test_own_photos_are_read(originals, raw_folder, write_celeba):
    assert list(photo_files(raw_folder() / "own_photos")) == []
    write_celeba(originals / "own_photos", 2)
    (originals / "own_photos/.hidden").mkdir()
    (originals / "own_photos/.hidden/me.jpg").write_bytes(b"")
    remote = read_photos(raw_folder() / "own_photos", (16, 16, 3), 148)
    local = read_photos(Path(originals) / "own_photos", (16, 16, 3), 148)
    assert remote.names == local.names == ["000001.jpg", "000002.jpg"]
    np.testing.assert_array_equal(remote.images, local.images)


def test_of_two_lists_of_one_name_the_same_counts_as_on_a_disk(originals, raw_folder, write_celeba):
    write_celeba(originals / "celeba", 2, [0, 0])
    (originals / "celeba/Eval").mkdir()
    (originals / "celeba/Eval/list_eval_partition.txt").write_text("000001.jpg 1\n000002.jpg 1\n")
    local = CelebaSource().collect(originals)
    assert_equal(CelebaSource().collect(raw_folder()), local)
    assert local.partition.name == str(originals / "celeba/list_eval_partition.txt")

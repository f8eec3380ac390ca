"""Remote files and their local copies, on fsspec's file system in memory and in a store of S3's protocol."""

import errno
import hashlib
import json
import os
import pickle
import sys
from pathlib import Path

import fsspec
import numpy as np
import pytest
from base_config import base_config
from fsspec.implementations.memory import MemoryFileSystem
from kedro.io import DatasetError
from s3_server import running_s3_server

from celeba_vae.config import EvaluationConfig
from celeba_vae.datasets import NumpyDataset
from celeba_vae.errors import DataError, SettingError
from celeba_vae.pipelines.versions.nodes import compare_versions
from celeba_vae.storage import RemotePath, readable, written


@pytest.fixture
def store(tmp_path):
    """The address of a folder of this test's own."""
    return f"memory://{tmp_path.name}"


@pytest.fixture
def array():
    return np.random.default_rng(0).integers(0, 256, (10, 4, 5, 3), np.uint8)


@pytest.fixture
def downloads(monkeypatch):
    """The names of the files that were downloaded; ``downloads.damage`` is how many arrive damaged."""

    class Downloads(list):
        damage = 0

    seen = Downloads()
    get_file = MemoryFileSystem.get_file

    def counted(self, remote, local, *arguments, **options):
        get_file(self, remote, local, *arguments, **options)
        seen.append(os.path.basename(remote))
        if seen.damage:
            seen.damage -= 1
            content = bytearray(Path(local).read_bytes())
            content[-1] ^= 1
            Path(local).write_bytes(content)

    monkeypatch.setattr(MemoryFileSystem, "get_file", counted)
    return seen


@pytest.fixture
def dataset(store, tmp_path):
    """``dataset(cache)`` is an array in the store, with a local copy of its own."""
    return lambda cache="cache": NumpyDataset(
        filepath=f"{store}/train_images.npy", cache={"path": str(tmp_path / cache)}
    )


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]


def test_an_array_is_downloaded_once_and_mapped(dataset, downloads, array, store):
    assert not dataset().exists()
    dataset("writer's").save(array)
    assert dataset().exists()
    for _ in range(2):
        loaded = dataset().load()
        assert isinstance(loaded, np.memmap)
        np.testing.assert_array_equal(loaded, array)
    # who has written it need not download it
    np.testing.assert_array_equal(dataset("writer's").load(), array)
    assert downloads == ["train_images.npy"]
    content = fsspec.filesystem("memory").cat(f"{store}/train_images.npy")
    beside = fsspec.filesystem("memory").cat(f"{store}/train_images.npy.sha256").decode()
    assert beside == f"{hashlib.sha256(content).hexdigest()}  train_images.npy\n"


def test_a_changed_array_is_downloaded_anew_and_the_older_copy_is_removed(dataset, downloads, array, tmp_path):
    dataset("writer's").save(array)
    mapped = dataset().load()
    dataset("writer's").save(255 - array)
    np.testing.assert_array_equal(dataset().load(), 255 - array)
    assert len(downloads) == 2
    assert len(files(tmp_path / "cache")) == 1
    # what is mapped stays as it was
    np.testing.assert_array_equal(mapped, array)


def test_an_array_that_others_have_uploaded_without_a_checksum_is_loaded_too(
    dataset, downloads, array, store, tmp_path
):
    for content in (array, 255 - array):
        np.save(tmp_path / "uploaded.npy", content)
        fsspec.filesystem("memory").put_file(tmp_path / "uploaded.npy", f"{store}/train_images.npy")
        for _ in range(2):
            np.testing.assert_array_equal(dataset().load(), content)
    assert len(downloads) == 2


def test_what_arrives_damaged_is_downloaded_once_more(dataset, downloads, array, caplog):
    dataset("writer's").save(array)
    downloads.damage = 1
    np.testing.assert_array_equal(dataset().load(), array)
    assert len(downloads) == 2
    assert "arrived damaged" in caplog.text


def test_a_damaged_array_is_an_error_that_names_it_and_leaves_no_copy(dataset, downloads, array, store, tmp_path):
    dataset("writer's").save(array)
    downloads.damage = 2
    with pytest.raises(DatasetError, match=rf"{store}/train_images.npy is damaged") as refused:
        dataset().load()
    assert isinstance(refused.value.__cause__, DataError)
    assert not files(tmp_path / "cache")
    np.testing.assert_array_equal(dataset().load(), array)


def test_a_download_that_is_interrupted_does_not_count(dataset, array, tmp_path, monkeypatch):
    dataset("writer's").save(array)

    def half(self, remote, local, *arguments, **options):
        with open(local, "wb") as file:
            file.write(self.cat_file(remote)[:100])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(MemoryFileSystem, "get_file", half)
        with pytest.raises(KeyboardInterrupt):
            dataset().load()
    # a killed process leaves more behind
    entry = next(path for path in (tmp_path / "cache").glob("*/*") if path.is_dir())
    (entry / ".train_images-0123abcd.npy").write_bytes(b"half")
    np.testing.assert_array_equal(dataset().load(), array)
    assert len(files(tmp_path / "cache")) == 1


def test_a_finished_file_is_uploaded_only_when_it_has_changed(dataset, array, store, tmp_path, monkeypatch):
    uploads = []
    put_file = MemoryFileSystem.put_file

    def counted(self, *arguments, **options):
        uploads.append(arguments)
        put_file(self, *arguments, **options)

    monkeypatch.setattr(MemoryFileSystem, "put_file", counted)
    working = tmp_path / "working.npy"
    for content in (array, array, 255 - array):
        if not working.exists() or (np.load(working) != content).any():
            np.save(working, content)
        dataset().save(working)
        np.testing.assert_array_equal(dataset().load(), content)
    assert len(uploads) == 2


def test_an_array_that_is_not_there_names_its_address(dataset, store):
    with pytest.raises(DatasetError, match=rf"{store}/train_images.npy is not there"):
        dataset().load()


def test_a_file_that_could_not_be_written_leaves_the_older_one(store):
    place = RemotePath(f"{store}/report.html")

    def write(text, fail):
        with written(place) as path:
            path.write_text(text)
            if fail:
                raise RuntimeError

    write("older", fail=False)
    with pytest.raises(RuntimeError):
        write("newer", fail=True)
    assert place.read_text() == "older"
    with readable(place) as path:
        assert path.read_text() == "older"
    assert not path.exists()


def test_unknown_file_systems_and_missing_packages_are_named(monkeypatch):
    with pytest.raises(SettingError, match="s4://"):
        RemotePath("s4://bucket")
    with pytest.raises(SettingError, match="s3:// names no bucket: write s3://BUCKET/FOLDER"):
        RemotePath("s3://")
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "gs", raising=False)
    with pytest.raises(SettingError, match=r"gs:// addresses need the package gcsfs: pip install .* -e '\.\[gs\]'"):
        RemotePath("gs://bucket")


def test_versions_are_compared_wherever_they_are(store, tmp_path):
    results = []
    for folder in (RemotePath(store), tmp_path):
        for version, psnr in (("2024", 18.5), ("2025", 19.0)):
            with written(folder / "metrics.json" / version / "metrics.json") as file:
                file.write_text(json.dumps({"vae": {"test": {"psnr": psnr}}}))
            with written(folder / "settings" / version / "evaluated_settings.json") as file:
                file.write_text(json.dumps({"variants": {"vae": {"epochs": psnr}}}))
        results.append(compare_versions(folder / "metrics.json", folder / "settings", base_config(EvaluationConfig)))
    (remote, remote_page), (local, local_page) = results
    assert remote.equals(local)
    assert len(remote) == 1
    assert remote_page == local_page
    assert "variants.vae.epochs" in remote_page


@pytest.fixture(scope="module")
def s3():
    pytest.importorskip("moto", reason="needs the extra dev: moto, a server of S3's protocol")
    with running_s3_server() as server:
        yield server


def test_objects_are_read_and_written_by_one_request_each_and_listed_once(s3, tmp_path):
    folder = RemotePath("s3://bucket/requests", s3.credentials)
    place = folder / "deep/000001.jpg"
    asked = {"/bucket/requests/deep/000001.jpg": "object", "/bucket?list": "listing"}

    def requests(what, *arguments):
        place.fs.invalidate_cache()
        s3.requests.clear()
        result = what(*arguments)
        keys = [request.split("-type")[0].split(" ") for request in s3.requests]
        return result, [f"{method} {asked.get(key, key)}" for method, key in keys]

    assert requests(place.write_bytes, b"photo")[1] == ["PUT object"]
    (tmp_path / "here.jpg").write_bytes(b"photo")
    assert requests(place.upload, tmp_path / "here.jpg")[1] == ["PUT object"]
    assert requests(place.read_bytes) == (b"photo", ["GET object"])
    assert requests(place.read_text) == ("photo", ["GET object"])
    assert requests(place.download, tmp_path / "there.jpg")[1] == ["GET object"]
    assert requests(place.exists) == (True, ["HEAD object"])
    names, listed = requests(lambda: [name for name, _ in folder.files()])
    assert (names, listed) == (["deep/000001.jpg"], ["GET listing"])
    assert requests(folder.check)[1] == ["GET listing"]
    assert requests(place.unlink)[1] == ["DELETE object"]


def test_a_bucket_that_is_not_there_is_said_and_never_made(s3, tmp_path):
    place = RemotePath("s3://no-bucket/celeba", s3.credentials)
    (tmp_path / "here.jpg").write_bytes(b"photo")
    for use, address in (
        (place.check, "s3://no-bucket"),
        (lambda: (place / "me.jpg").upload(tmp_path / "here.jpg"), "s3://no-bucket/celeba/me.jpg"),
        (lambda: (place / "me.jpg").write_bytes(b"photo"), "s3://no-bucket/celeba/me.jpg"),
    ):
        with pytest.raises(DataError, match=f"^{address} can't be used: FileNotFoundError(?s:.*)credentials.yml"):
            use()
    with pytest.raises(FileNotFoundError):
        RemotePath("s3://bucket/gone.jpg", s3.credentials).read_bytes()
    assert s3.fs.ls("") == ["bucket"]


def test_a_full_disk_of_this_machine_is_not_the_stores_fault(store, monkeypatch, tmp_path):
    place = RemotePath(f"{store}/me.jpg")
    place.write_bytes(b"photo")

    def failing(number):
        def get_file(self, *arguments, **options):
            raise OSError(number, os.strerror(number))

        return get_file

    for number, raised in ((errno.ENOSPC, OSError), (errno.EIO, DataError)):
        monkeypatch.setattr(MemoryFileSystem, "get_file", failing(number))
        with pytest.raises(raised, match=os.strerror(number)):
            place.download(tmp_path / "me.jpg")


def test_a_path_takes_its_options_and_its_cache_along(tmp_path):
    folder = RemotePath("s3://bucket/celeba", {"anon": True}, tmp_path)
    sent = pickle.loads(pickle.dumps(folder / "deep"))
    for path in (folder / "me.jpg", folder.with_segments("s3://other/me.jpg"), sent / "me.jpg", sent.parent):
        assert path.fs is folder.fs
        assert path.cache == tmp_path
    assert str(folder.with_segments("s3://other/me.jpg")) == "s3://other/me.jpg"

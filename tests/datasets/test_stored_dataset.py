"""Each dataset at an address, versioned and not, on fsspec's file system in memory."""

import pickle

import fsspec
import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError, Version
from PIL import Image

from celeba_vae.datasets import (
    AnimationDataset,
    ArraysDataset,
    FolderDataset,
    ImageFolder,
    ImageFolderDataset,
    InputFolderDataset,
    KerasModelDataset,
    NumpyDataset,
    PageDataset,
    PictureDataset,
    ReportDataset,
    TableDataset,
)
from celeba_vae.errors import SettingError

OLD, NEW = "2024-01-01T00.00.00.000Z", "2024-01-02T00.00.00.000Z"


def picture(seed):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8))


def folder_of_images(seed, count=5):
    images = np.random.default_rng(seed).integers(0, 256, (count, 6, 8, 3), np.uint8)
    return ImageFolder(images, pd.DataFrame({"id": range(count), "seed": seed}))


def as_bytes(content):
    """What two contents are compared by."""
    if isinstance(content, ImageFolder):
        return np.asarray(content.images).tobytes(), content.index.to_csv()
    if isinstance(content, dict):
        return {name: np.asarray(value).tobytes() for name, value in content.items()}
    if isinstance(content, list):
        return [frame.tobytes() for frame in content]
    if isinstance(content, pd.DataFrame):
        return content.to_csv()
    return content.tobytes() if hasattr(content, "tobytes") else content


DATASETS = {
    "arrays.npz": (ArraysDataset, lambda seed: {"means": np.full(3, seed)}),
    "generated": (ImageFolderDataset, folder_of_images),
    "latents.npy": (NumpyDataset, lambda seed: np.full((3, 2), seed, np.float32)),
    "report.html": (PageDataset, lambda seed: f"<p>Größe {seed}</p>"),
    "grid.png": (PictureDataset, picture),
    "way.gif": (AnimationDataset, lambda seed: [Image.new("RGB", (4, 4), (seed, i * 100, 0)) for i in range(2)]),
    "summary.json": (ReportDataset, lambda seed: {"seed": seed}),
    "table.csv": (TableDataset, lambda seed: pd.DataFrame({"seed": [seed, 1]})),
}


@pytest.fixture
def store(tmp_path):
    return f"memory:///{tmp_path.name}"


@pytest.fixture
def make(store, tmp_path):
    def dataset(name, load=None, save=None):
        options = {"cache": {"path": str(tmp_path / "cache")}} if name.endswith(".npy") else {}
        version = Version(load, save) if load or save else None
        return DATASETS[name][0](filepath=f"{store}/{name}", version=version, **options)

    return dataset


@pytest.mark.parametrize("name", DATASETS)
def test_content_comes_back(name, make):
    content = DATASETS[name][1](3)
    assert not make(name).exists()
    make(name).save(content)
    assert make(name).exists()
    assert as_bytes(make(name).load()) == as_bytes(content)
    pickle.dumps(make(name))


@pytest.mark.parametrize("name", DATASETS)
def test_versions_come_back_the_newest_first(name, make, store):
    content = DATASETS[name][1]
    for version, seed in ((OLD, 3), (NEW, 4)):
        make(name, save=version).save(content(seed))
    some = make(name, load=OLD)
    assert some.list_versions(full_path=False) == [NEW, OLD]
    assert as_bytes(some.load()) == as_bytes(content(3))
    newest = make(name, save="2024-01-03T00.00.00.000Z")
    assert newest.exists()
    assert newest.resolve_load_version() == NEW
    assert as_bytes(newest.load()) == as_bytes(content(4))
    assert not make(name, load="2000-01-01T00.00.00.000Z").exists()
    with pytest.raises(DatasetError, match="must not exist if versioning is enabled"):
        make(name, save=NEW).save(content(5))


def test_a_folder_of_images_that_was_not_finished_is_none(make, store):
    make("generated", save=OLD).save(folder_of_images(3))

    def broken():
        yield folder_of_images(4).images
        raise RuntimeError("killed")

    with pytest.raises(DatasetError, match="killed"):
        make("generated", save=NEW).save(ImageFolder(broken(), pd.DataFrame({"id": range(9)})))
    # a killed process removes nothing
    fsspec.filesystem("memory").pipe(f"{store}/generated/{NEW}/generated/000000.png", b"half")
    newest = make("generated", save="2024-01-03T00.00.00.000Z")
    assert newest.list_versions(full_path=False) == [OLD]
    assert len(newest.load().index) == 5


def test_previews_are_those_of_local_files(make, tmp_path):
    for name, dataset in (("generated", ImageFolderDataset), ("grid.png", PictureDataset)):
        content = DATASETS[name][1](3)
        make(name).save(content)
        local = dataset(filepath=str(tmp_path / name))
        local.save(content)
        assert make(name).preview() == local.preview()


def test_a_model_comes_back(store, tmp_path):
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    KerasModelDataset(filepath=f"{store}/encoder.keras").save(model)
    loaded = KerasModelDataset(filepath=f"{store}/encoder.keras").load()
    for weights, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)
    fsspec.filesystem("memory").pipe(f"{store}/encoder.keras", b"damaged")
    with pytest.raises(DatasetError, match=rf"memory://{tmp_path.name}/encoder.keras can't be read as a Keras model"):
        KerasModelDataset(filepath=f"{store}/encoder.keras").load()


def test_a_finished_table_is_uploaded_as_it_is(make, store, tmp_path):
    (tmp_path / "finished.csv").write_bytes(b"image_id,split\n0.jpg,train\n")
    make("table.csv").save(tmp_path / "finished.csv")
    assert fsspec.filesystem("memory").cat(f"{store}/table.csv") == b"image_id,split\n0.jpg,train\n"


def test_working_folders_are_local_and_input_folders_need_not_be(store, tmp_path):
    assert FolderDataset(path=str(tmp_path)).load() == tmp_path
    with pytest.raises(DatasetError, match=r"(?s)s3://bucket/x.*`work` in globals\.yml") as refused:
        FolderDataset(path="s3://bucket/x").load()
    assert isinstance(refused.value.__cause__, SettingError)
    folder = InputFolderDataset(path=store)
    assert not folder.exists()
    (folder.load() / "me.jpg").write_bytes(b"photo")
    assert folder.exists()
    assert [(str(path), path.read_bytes()) for path in folder.load().glob("*.jpg")] == [
        (f"memory://{tmp_path.name}/me.jpg", b"photo")
    ]
    assert InputFolderDataset(path=str(tmp_path)).load() == tmp_path

"""Image folders on real files: lossless, versioned as a whole, complete or not there."""

import base64
import io
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError, Version
from kedro_viz.models.flowchart.node_metadata import DataNodeMetadata
from kedro_viz.models.flowchart.nodes import GraphNode
from PIL import Image

from celeba_vae.datasets import ImageFolder, ImageFolderDataset

OLD, NEW = "2024-01-01T00.00.00.000Z", "2024-01-02T00.00.00.000Z"


def image_folder(count=5, seed=0, height=12, width=10):
    random = np.random.default_rng(seed)
    index = pd.DataFrame(
        {
            "sampler": ["standard_normal"] * count,
            "seed": [seed] * count,
            "distance": random.normal(16, 1, count),
            "enhancer": ["none"] * count,
        }
    )
    return ImageFolder(random.integers(0, 256, (count, height, width, 3), np.uint8), index)


def assert_same(loaded, saved):
    np.testing.assert_array_equal(np.asarray(loaded.images), saved.images)
    assert loaded.images.dtype == np.uint8
    assert loaded.images.shape == saved.images.shape
    pd.testing.assert_frame_equal(loaded.index, saved.index, check_exact=True)


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_images_and_table_come_back_as_they_were(tmp_path):
    dataset, saved = ImageFolderDataset(filepath=str(tmp_path / "faces")), image_folder()

    dataset.save(saved)

    assert_same(dataset.load(), saved)


def test_folder_holds_png_files_that_pillow_reads_and_a_table_that_names_them(tmp_path):
    saved = image_folder(count=3)

    ImageFolderDataset(filepath=str(tmp_path / "faces")).save(saved)

    names = ["000000.png", "000001.png", "000002.png"]
    assert sorted(path.name for path in (tmp_path / "faces").iterdir()) == [*names, "index.csv"]
    table = pd.read_csv(tmp_path / "faces" / "index.csv")
    assert list(table.columns) == ["file", "sampler", "seed", "distance", "enhancer"]
    assert list(table["file"]) == names
    for name, image in zip(names, saved.images, strict=True):
        assert Image.open(tmp_path / "faces" / name).tobytes() == image.tobytes()


def test_version_is_one_folder_and_older_ones_can_be_loaded(tmp_path):
    path = str(tmp_path / "faces")

    ImageFolderDataset(filepath=path, version=Version(None, OLD)).save(image_folder(seed=1))
    ImageFolderDataset(filepath=path, version=Version(None, NEW)).save(image_folder(seed=2))

    assert (tmp_path / "faces" / OLD / "faces" / "000000.png").is_file()
    assert_same(ImageFolderDataset(filepath=path, version=Version(None, None)).load(), image_folder(seed=2))
    assert_same(ImageFolderDataset(filepath=path, version=Version(OLD, None)).load(), image_folder(seed=1))
    assert ImageFolderDataset(filepath=path, version=Version(None, None)).list_versions(full_path=False) == [NEW, OLD]


def test_images_may_come_in_blocks_of_any_size(tmp_path):
    dataset, saved = ImageFolderDataset(filepath=str(tmp_path / "faces")), image_folder(count=200)

    dataset.save(ImageFolder(iter(np.split(saved.images, [1, 1, 3, 190])), saved.index))

    assert_same(dataset.load(), saved)


def test_memory_is_that_of_few_images_when_they_are_saved_and_loaded(tmp_path):
    count, height, width = 4000, 64, 64
    block = np.random.default_rng(0).integers(0, 256, (50, height, width, 3), np.uint8)
    dataset = ImageFolderDataset(filepath=str(tmp_path / "faces"))

    tracemalloc.start()
    dataset.save(ImageFolder((block.copy() for _ in range(count // 50)), pd.DataFrame({"id": range(count)})))
    seen = sum(len(images) for images in dataset.load().blocks())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert seen == count
    # all of them together are 49 MB
    assert peak < 12e6


def test_loaded_images_are_taken_one_by_one_and_by_slices(tmp_path):
    dataset, saved = ImageFolderDataset(filepath=str(tmp_path / "faces")), image_folder()
    dataset.save(saved)

    images = dataset.load().images

    assert len(images) == 5
    np.testing.assert_array_equal(images[-1], saved.images[-1])
    np.testing.assert_array_equal(images[1:4], saved.images[1:4])
    assert images[9:].shape == (0, 12, 10, 3)


def broken_stream(images):
    yield images[:3]
    raise OSError("the disk is full")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (lambda images: broken_stream(images), "the disk is full"),
        (lambda images: images[:4], "it has 5 for 4 images"),
        (lambda images: np.concatenate([images, images]), "one row an image; it has 5 for 10"),
        (lambda images: images.astype(np.float32) / 255, "expected images .* of uint8, found float32"),
        (lambda images: images[..., :1], "found uint8 .*, 1"),
    ],
)
def test_failed_save_leaves_nothing(tmp_path, images, message):
    folder = image_folder()
    dataset = ImageFolderDataset(filepath=str(tmp_path / "faces"), version=Version(None, NEW))

    with pytest.raises(DatasetError, match=message):
        dataset.save(ImageFolder(images(folder.images), folder.index))

    assert files_below(tmp_path) == []
    assert not dataset.exists()


def test_failed_save_keeps_the_version_before(tmp_path):
    path = str(tmp_path / "faces")
    ImageFolderDataset(filepath=path, version=Version(None, OLD)).save(image_folder(seed=1))

    with pytest.raises(DatasetError):
        ImageFolderDataset(filepath=path, version=Version(None, NEW)).save(
            ImageFolder(broken_stream(image_folder().images), image_folder().index)
        )

    assert_same(ImageFolderDataset(filepath=path, version=Version(None, None)).load(), image_folder(seed=1))


def test_no_images_are_no_folder(tmp_path):
    with pytest.raises(DatasetError, match="it has 0"):
        ImageFolderDataset(filepath=str(tmp_path / "faces")).save(image_folder(count=0))


def test_damaged_file_is_named(tmp_path):
    dataset = ImageFolderDataset(filepath=str(tmp_path / "faces"))
    dataset.save(image_folder())
    (tmp_path / "faces" / "000003.png").write_bytes(b"not a picture")

    images = dataset.load().images

    np.testing.assert_array_equal(images[2], image_folder().images[2])
    with pytest.raises(DatasetError, match=r"000003\.png can't be read"):
        images[:]


def test_kedro_viz_shows_a_grid_of_the_images(tmp_path):
    dataset = ImageFolderDataset(filepath=str(tmp_path / "faces"), version=Version(None, None))
    dataset.save(image_folder(count=9))

    node = GraphNode.create_data_node(
        "faces", "faces", layer="model_output", tags=set(), dataset=dataset, modular_pipelines=None
    )
    shown = DataNodeMetadata(data_node=node)

    assert shown.preview_type == "ImagePreview"
    picture = Image.open(io.BytesIO(base64.b64decode(shown.preview)))
    assert picture.width >= 7 * 10
    assert picture.height >= 2 * 12

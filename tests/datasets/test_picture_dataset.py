"""Pictures as the catalog keeps them, on real files, and as kedro-viz shows them."""

import base64
import io

import numpy as np
import pytest
from kedro.io import DatasetError, Version
from kedro_viz.models.flowchart.node_metadata import DataNodeMetadata
from kedro_viz.models.flowchart.nodes import GraphNode
from matplotlib.figure import Figure
from PIL import Image

from celeba_vae.datasets import PictureDataset


@pytest.fixture
def picture():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8))


def test_picture_comes_back_as_it_was(tmp_path, picture):
    dataset = PictureDataset(filepath=str(tmp_path / "new" / "grid.png"))

    dataset.save(picture)

    assert dataset.load().tobytes() == picture.tobytes()
    assert Image.open(tmp_path / "new" / "grid.png").format == "PNG"


def test_a_chart_comes_back_as_a_picture_with_pixels_for_a_phones_screen(tmp_path):
    figure = Figure(figsize=(4, 3))
    figure.add_subplot().plot([0, 1])
    dataset = PictureDataset(filepath=str(tmp_path / "chart.png"))

    dataset.save(figure)

    chart = dataset.load()
    assert chart.size == (768, 576)
    assert chart.info["dpi"] == pytest.approx((192, 192), abs=0.01)
    assert len(chart.getcolors(maxcolors=100_000)) > 2
    assert [path.name for path in tmp_path.iterdir()] == ["chart.png"]


def test_each_save_is_a_version_and_the_newest_is_loaded(tmp_path, picture):
    path = str(tmp_path / "grid.png")
    black = Image.new("RGB", (4, 4))

    PictureDataset(filepath=path, version=Version(None, "2024-01-01T00.00.00.000Z")).save(black)
    PictureDataset(filepath=path, version=Version(None, "2024-01-02T00.00.00.000Z")).save(picture)

    assert (tmp_path / "grid.png" / "2024-01-01T00.00.00.000Z" / "grid.png").is_file()
    assert PictureDataset(filepath=path, version=Version(None, None)).load().size == (40, 30)
    assert PictureDataset(filepath=path, version=Version("2024-01-01T00.00.00.000Z", None)).load().size == (4, 4)


def test_failed_save_keeps_the_old_picture_and_leaves_nothing_else(tmp_path, picture):
    dataset = PictureDataset(filepath=str(tmp_path / "grid.png"))
    dataset.save(picture)

    with pytest.raises(DatasetError, match="cannot write mode HSV as PNG"):
        dataset.save(picture.convert("HSV"))

    assert dataset.load().tobytes() == picture.tobytes()
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]


def test_missing_picture_does_not_exist(tmp_path):
    path = str(tmp_path / "grid.png")

    assert not PictureDataset(filepath=path).exists()
    assert not PictureDataset(filepath=path, version=Version(None, None)).exists()


def test_kedro_viz_shows_the_picture(tmp_path, picture):
    dataset = PictureDataset(filepath=str(tmp_path / "grid.png"), metadata={"kedro-viz": {"layer": "reporting"}})
    dataset.save(picture)

    node = GraphNode.create_data_node(
        "grid", "grid", layer="reporting", tags=set(), dataset=dataset, modular_pipelines=None
    )
    shown = DataNodeMetadata(data_node=node)

    assert shown.preview_type == "ImagePreview"
    assert Image.open(io.BytesIO(base64.b64decode(shown.preview))).tobytes() == picture.tobytes()
    assert shown.filepath.endswith("grid.png")

"""Animations on real files: every frame is there, in order, without end, and in few bytes."""

import base64
import io

import numpy as np
import pytest
from kedro.io import DatasetError, Version
from kedro_viz.models.flowchart.node_metadata import DataNodeMetadata
from kedro_viz.models.flowchart.nodes import GraphNode
from PIL import Image

from celeba_vae.datasets import AnimationDataset


@pytest.fixture
def frames(photograph):
    """From one photograph to another."""
    start, end = (photograph(seed, 200, 120).astype(float) for seed in (1, 2))
    return [Image.fromarray(np.uint8(start + at * (end - start))) for at in np.linspace(0, 1, 10)]


def test_frames_come_back_in_order(tmp_path, frames):
    dataset = AnimationDataset(filepath=str(tmp_path / "new" / "way.gif"))

    dataset.save(frames)

    loaded = dataset.load()
    assert len(loaded) == 10
    errors = [[np.abs(np.asarray(a, int) - np.asarray(b, int)).mean() for b in frames] for a in loaded]
    assert np.argmin(errors, axis=1).tolist() == list(range(10))
    assert np.diag(errors).max() < 6


def test_file_plays_without_end_and_rests_on_equal_frames(tmp_path, frames):
    AnimationDataset(filepath=str(tmp_path / "way.gif")).save([frames[0]] * 5 + frames[1:])

    with Image.open(tmp_path / "way.gif") as image:
        assert image.format == "GIF"
        assert image.info["loop"] == 0
        assert image.n_frames == 10
        durations = [image.info["duration"]]
        image.seek(1)
        durations.append(image.info["duration"])
    assert durations[0] == 5 * durations[1]
    assert (tmp_path / "way.gif").stat().st_size < 10 * 200 * 120


def test_each_save_is_a_version_and_a_failed_one_leaves_nothing(tmp_path, frames):
    path = str(tmp_path / "way.gif")
    AnimationDataset(filepath=path, version=Version(None, "2024-01-01T00.00.00.000Z")).save(frames)

    with pytest.raises(DatasetError, match="only RGB or L"):
        AnimationDataset(filepath=path, version=Version(None, "2024-01-02T00.00.00.000Z")).save(
            [frames[0], frames[1].convert("HSV")]
        )

    assert len(AnimationDataset(filepath=path, version=Version(None, None)).load()) == 10
    assert [file.name for file in tmp_path.rglob("*.gif") if file.is_file()] == ["way.gif"]


def test_kedro_viz_shows_the_animation(tmp_path, frames):
    dataset = AnimationDataset(filepath=str(tmp_path / "way.gif"), metadata={"kedro-viz": {"layer": "reporting"}})
    dataset.save(frames)

    node = GraphNode.create_data_node(
        "way", "way", layer="reporting", tags=set(), dataset=dataset, modular_pipelines=None
    )
    shown = DataNodeMetadata(data_node=node)

    assert shown.preview_type == "ImagePreview"
    assert Image.open(io.BytesIO(base64.b64decode(shown.preview))).n_frames == 10

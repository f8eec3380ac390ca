"""A preparation of made files, from its source to its arrays, and whether it ends as it should."""

import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from base_config import base_config
from hypothesis import HealthCheck, settings
from PIL import Image

from celeba_vae.config import DataEngineeringConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.errors import CelebaVaeError
from celeba_vae.pipelines.data_engineering import nodes

# the same examples each time, and nothing kept; whether one is slow is judged by all of them together
MADE = partial(
    settings, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False
)
SPLITS = ("train", "validation", "test")
MOST_LINES = 10
# what rounding in decoders and in the bilinear lookup may differ by
TOLERANCE = 3


class Prepared(NamedTuple):
    """What a run gave: an array and a table of attributes a split, the index, the summary."""

    arrays: dict[str, np.ndarray]
    attributes: dict[str, pd.DataFrame]
    index: pd.DataFrame
    summary: dict[str, Any]

    @property
    def counts(self) -> tuple[int, ...]:
        return tuple(len(self.arrays[split]) for split in SPLITS)

    def splits(self) -> dict[str, str]:
        """Give each prepared image's split."""
        used = self.index[self.index.row >= 0]
        return dict(zip(used.image_id, used.split, strict=True))


@contextmanager
def empty_folder() -> Iterator[Path]:
    """Give a folder for one run, in memory where the system has such: most of a run's time is for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def prepare(raw: Path, work: Path, **parameters: Any) -> Prepared | str:
    """Prepare as the pipeline does; give what came of it, or the one message that it ended in."""
    config = base_config(DataEngineeringConfig, **parameters)
    try:
        create_component("sources", config.source).check(raw)
        originals = nodes.collect_images(raw, config)
        index = nodes.assign_splits(originals, config)
        made = nodes.prepare_images(originals, index, config, work)
    except CelebaVaeError as error:
        message = str(error)
        assert 1 <= len(message.splitlines()) <= MOST_LINES, message
        assert "Traceback" not in message
        return message
    arrays = {split: np.load(made[f"{split}_images"]) for split in SPLITS}
    attributes = {
        split: pd.read_csv(made[f"{split}_attributes"], index_col="image_id", dtype={"image_id": str}, **AS_WRITTEN)
        for split in SPLITS
    }
    index_table = pd.read_csv(made["image_index"], dtype={"image_id": str}, **AS_WRITTEN)
    return Prepared(arrays, attributes, index_table, made["data_summary"])


AS_WRITTEN: dict[str, Any] = {"keep_default_na": False, "na_filter": False, "lineterminator": "\n"}


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Give the bytes of an image's file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def cut_and_resized(pixels: np.ndarray, crop: Any, size: tuple[int, int]) -> np.ndarray | None:
    """Give what Pillow makes of an image's pixels; None where it does not hold the crop."""
    height, width = pixels.shape[:2]
    if crop == "auto":
        crop = 148 if (width, height) == (178, 218) else min(width, height)
    if isinstance(crop, int):
        left, top = (width - crop) // 2, (height - crop) // 2
        box = (left, top, left + crop, top + crop)
    else:
        box = tuple(crop or (0, 0, width, height))
    if min(box) < 0 or box[2] > width or box[3] > height:
        return None
    part = Image.fromarray(pixels).crop(box)
    shrinks = part.width >= size[1] and part.height >= size[0]
    filter_ = Image.Resampling.BOX if shrinks else Image.Resampling.LANCZOS
    return np.asarray(part.resize((size[1], size[0]), filter_))


def assert_agrees(result: Prepared, expected: Mapping[str, np.ndarray], table_of_attributes: bool = False) -> None:
    """The images that are expected are in the arrays, each once, with its pixels, and no others."""
    used = result.index[result.index.row >= 0]
    assert sorted(used.image_id) == sorted(expected)
    assert sum(result.counts) == len(expected)
    for split in SPLITS:
        rows = used[used.split == split]
        assert sorted(rows.row) == list(range(len(result.arrays[split])))
        assert result.summary["images"][split] == len(rows)
        for name, row in zip(rows.image_id, rows.row, strict=True):
            difference = np.abs(result.arrays[split][row].astype(int) - expected[name])
            assert difference.max() <= TOLERANCE, f"{name!r} differs by {difference.max()}"
            if table_of_attributes:
                assert result.attributes[split].index[row] == name

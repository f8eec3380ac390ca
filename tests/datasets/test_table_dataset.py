import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from celeba_vae.datasets import ReportDataset, TableDataset

ATTRIBUTES = {"save_args": {"index": False}, "load_args": {"dtype": {"image_id": str, "*": "int8"}}}


def test_a_finished_file_is_copied_as_it_is(tmp_path: Path) -> None:
    source, target = tmp_path / "working" / "table.csv", tmp_path / "table.csv"
    source.parent.mkdir()
    source.write_text("image_id,Bald,Young\n000001.jpg,-1,1\n000002.jpg,0,1\n")
    dataset = TableDataset(filepath=str(target), **ATTRIBUTES)
    dataset.save(source)
    assert target.read_bytes() == source.read_bytes()
    # a copy: who edits the table does not change the working file
    assert not os.path.samefile(source, target)
    frame = dataset.load()
    assert frame["image_id"].tolist() == ["000001.jpg", "000002.jpg"]
    assert frame[["Bald", "Young"]].to_numpy().tolist() == [[-1, 1], [0, 1]]
    assert (frame.dtypes[["Bald", "Young"]] == np.int8).all()
    assert dataset.preview()["columns"] == ["image_id", "Bald", "Young"]


def test_a_frame_is_saved_and_comes_back(tmp_path: Path) -> None:
    dataset = TableDataset(filepath=str(tmp_path / "a" / "table.csv"), **ATTRIBUTES)
    frame = pd.DataFrame({"image_id": ["x, y.jpg"], "Bald": np.array([1], np.int8)})
    dataset.save(frame)
    assert dataset.load().to_dict() == frame.to_dict()
    assert os.listdir(tmp_path / "a") == ["table.csv"]


def test_a_failed_save_leaves_what_was_there(tmp_path: Path) -> None:
    dataset = TableDataset(filepath=str(tmp_path / "table.csv"), **ATTRIBUTES)
    dataset.save(pd.DataFrame({"image_id": ["a"]}))
    with pytest.raises(DatasetError):
        dataset.save(tmp_path / "nowhere.csv")
    assert dataset.load()["image_id"].tolist() == ["a"]
    assert os.listdir(tmp_path) == ["table.csv"]


def test_a_report_that_can_not_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    dataset = ReportDataset(filepath=str(tmp_path / "report.json"), save_args={"indent": 2})
    dataset.save({"images": 3})
    with pytest.raises(DatasetError):
        dataset.save({"images": {1, 2}})
    assert dataset.load() == {"images": 3}
    assert os.listdir(tmp_path) == ["report.json"]

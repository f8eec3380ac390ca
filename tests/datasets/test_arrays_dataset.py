"""Arrays that are saved come back; anything else in their place is named with what to do."""

import numpy as np
import pytest
from kedro.io import DatasetError

from celeba_vae.datasets import ArraysDataset


def test_arrays_come_back(tmp_path):
    dataset = ArraysDataset(filepath=str(tmp_path / "new/arrays.npz"))
    assert not dataset.exists()

    dataset.save({"means": np.eye(3, dtype=np.float32), "weights": np.array([0.5])})

    assert dataset.exists()
    loaded = dataset.load()
    assert set(loaded) == {"means", "weights"}
    assert loaded["means"].dtype == np.float32
    np.testing.assert_array_equal(loaded["means"], np.eye(3))


def test_no_arrays_come_back_as_none(tmp_path):
    dataset = ArraysDataset(filepath=str(tmp_path / "arrays.npz"))

    dataset.save({})

    assert dataset.load() == {}


def test_pickles_are_neither_written_nor_read(tmp_path):
    file = tmp_path / "arrays.npz"
    dataset = ArraysDataset(filepath=str(file))
    objects = {"objects": np.array([{}], dtype=object)}

    with pytest.raises(DatasetError, match=r"[Oo]bject"):
        dataset.save(objects)
    assert list(tmp_path.iterdir()) == []

    np.savez(file, **objects)
    with pytest.raises(DatasetError, match="can't be read as arrays"):
        dataset.load()


def test_a_damaged_file_is_named(tmp_path):
    file = tmp_path / "arrays.npz"
    ArraysDataset(filepath=str(file)).save({"means": np.arange(100)})
    file.write_bytes(file.read_bytes()[:200])

    with pytest.raises(DatasetError, match=r"can't be read as arrays.*Delete it"):
        ArraysDataset(filepath=str(file)).load()

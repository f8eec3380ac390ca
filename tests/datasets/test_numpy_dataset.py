import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError, Version

from celeba_vae.datasets import NumpyDataset


class Blocks:
    """An array in blocks of rows; ``rows`` may promise more than there are."""

    def __init__(self, blocks: list[np.ndarray], rows: int) -> None:
        self._blocks = blocks
        self.shape = (rows, *blocks[0].shape[1:])
        self.dtype = blocks[0].dtype

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self._blocks)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (10, 4, 5, 3), np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "05_model_input" / "train_images.npy"


def test_an_array_comes_back_mapped_and_read_only(images: np.ndarray, path: Path) -> None:
    dataset = NumpyDataset(filepath=str(path))
    assert not dataset.exists()
    dataset.save(images)
    loaded = dataset.load()
    assert dataset.exists()
    assert isinstance(loaded, np.memmap)
    np.testing.assert_array_equal(loaded, images)
    with pytest.raises(ValueError, match="read-only"):
        loaded[0] = 0


def test_an_array_without_rows_can_be_saved_and_loaded(images: np.ndarray, path: Path) -> None:
    NumpyDataset(filepath=str(path)).save(images[:0])
    assert NumpyDataset(filepath=str(path)).load().shape == (0, 4, 5, 3)


def test_blocks_of_rows_make_the_file_that_numpy_makes(images: np.ndarray, path: Path) -> None:
    NumpyDataset(filepath=str(path)).save(Blocks([images[:3], images[3:4], images[4:]], rows=10))
    np.save(path.with_name("expected.npy"), images)
    assert path.read_bytes() == path.with_name("expected.npy").read_bytes()


@pytest.mark.parametrize("rows", [9, 11])
def test_blocks_that_do_not_add_up_leave_the_old_file(images: np.ndarray, path: Path, rows: int) -> None:
    dataset = NumpyDataset(filepath=str(path))
    dataset.save(images)
    with pytest.raises(DatasetError, match=f"10 rows, but the array was to have {rows}"):
        dataset.save(Blocks([255 - images], rows=rows))
    np.testing.assert_array_equal(dataset.load(), images)
    assert os.listdir(path.parent) == [path.name]


def test_a_block_of_another_shape_is_refused(images: np.ndarray, path: Path) -> None:
    with pytest.raises(DatasetError, match="does not fit"):
        NumpyDataset(filepath=str(path)).save(Blocks([images[:5], images[5:, :2]], rows=10))


def test_a_finished_file_is_linked_and_outlives_its_working_folder(images: np.ndarray, path: Path) -> None:
    working = path.parents[1] / "working.npy"
    np.save(working, images)
    dataset = NumpyDataset(filepath=str(path))
    dataset.save(working)
    assert path.samefile(working)
    dataset.save(working)
    working.unlink()
    np.testing.assert_array_equal(dataset.load(), images)


def test_versions_are_kept_apart(images: np.ndarray, path: Path) -> None:
    for version, content in (("2020-01-01", images), ("2020-01-02", 255 - images)):
        NumpyDataset(filepath=str(path), version=Version(None, version)).save(content)
    np.testing.assert_array_equal(NumpyDataset(filepath=str(path), version=Version("2020-01-01", None)).load(), images)
    np.testing.assert_array_equal(NumpyDataset(filepath=str(path), version=Version(None, None)).load(), 255 - images)


@pytest.mark.parametrize("kept_bytes", [0, 50, 200])
def test_a_truncated_file_is_one_clear_error(images: np.ndarray, path: Path, kept_bytes: int) -> None:
    dataset = NumpyDataset(filepath=str(path))
    dataset.save(images)
    os.truncate(path, kept_bytes)
    with pytest.raises(DatasetError, match=f"{path} can't be read as an array .* Delete it and run"):
        dataset.load()


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(DatasetError, match=f"{path} is not there"):
        NumpyDataset(filepath=str(path)).load()


def test_pickles_are_neither_written_nor_read(path: Path) -> None:
    objects = np.array([{"a": 1}], dtype=object)
    with pytest.raises(DatasetError):
        NumpyDataset(filepath=str(path)).save(objects)
    assert not path.exists()
    np.save(path, objects, allow_pickle=True)
    with pytest.raises(DatasetError, match="can't be read as an array"):
        NumpyDataset(filepath=str(path)).load()


def test_a_process_killed_while_saving_leaves_the_old_file(images: np.ndarray, path: Path) -> None:
    dataset = NumpyDataset(filepath=str(path))
    dataset.save(images)
    script = f"""
        import os, signal
        import numpy as np
        from celeba_vae.datasets import NumpyDataset

        class Blocks:
            shape, dtype = (20_000, 4, 5, 3), np.dtype(np.uint8)
            def __iter__(self):
                yield np.zeros((10_000, 4, 5, 3), np.uint8)
                os.kill(os.getpid(), signal.SIGKILL)

        NumpyDataset(filepath={str(path)!r}).save(Blocks())
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert killed.returncode == -signal.SIGKILL
    np.testing.assert_array_equal(dataset.load(), images)

from pathlib import Path

import numpy as np
import pytest

from celeba_vae.storage.npy import NpyRows, kept_order

SHAPE = (4, 5, 3)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (12, *SHAPE), np.uint8)


def filled(path: Path, images: np.ndarray) -> NpyRows:
    rows = NpyRows(path, len(images), SHAPE)
    rows.allocate()
    for start in (8, 0, 4):
        rows.write(start, images[start : start + 4])
    return rows


def test_rows_written_in_any_order_make_the_file_that_numpy_makes(tmp_path: Path, images: np.ndarray) -> None:
    filled(tmp_path / "rows.npy", images)
    np.save(tmp_path / "expected.npy", images)
    assert (tmp_path / "rows.npy").read_bytes() == (tmp_path / "expected.npy").read_bytes()


@pytest.mark.parametrize("holes", [[], [0], [11], [0, 11], [10, 11], [1, 2, 9], [0, 1, 2, 3, 4, 5, 6], list(range(12))])
def test_holes_are_filled_from_the_end(tmp_path: Path, images: np.ndarray, holes: list[int]) -> None:
    kept = np.ones(12, bool)
    kept[holes] = False
    # by hand: walk from the front; whenever a hole comes, take the last row that is still to be placed
    expected = [row for row in range(12) if kept[row]]
    front = 0
    while front < len(expected):
        if expected[front] != front:
            expected.insert(front, expected.pop())
        front += 1
    assert kept_order(kept).tolist() == expected

    rows = filled(tmp_path / "rows.npy", images)
    rows.keep(kept)
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), images[expected])
    assert rows.is_complete(len(expected))


def test_cutting_again_changes_nothing(tmp_path: Path, images: np.ndarray) -> None:
    kept = np.ones(12, bool)
    kept[[0, 5]] = False
    rows = filled(tmp_path / "rows.npy", images)
    rows.keep(kept)
    content = (tmp_path / "rows.npy").read_bytes()
    rows.keep(kept)
    assert (tmp_path / "rows.npy").read_bytes() == content


def test_cutting_goes_on_where_a_killed_process_stopped(tmp_path: Path, images: np.ndarray) -> None:
    kept = np.ones(12, bool)
    kept[[0, 5]] = False
    uninterrupted = filled(tmp_path / "uninterrupted.npy", images)
    uninterrupted.keep(kept)
    interrupted = filled(tmp_path / "interrupted.npy", images)
    # the first hole is filled, the second is not, and the file still has its full length
    interrupted.write(0, images[11:12])
    interrupted.keep(kept)
    assert interrupted.path.read_bytes() == uninterrupted.path.read_bytes()

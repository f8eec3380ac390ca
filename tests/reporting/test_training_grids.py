import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from celeba_vae.reporting.training_grids import forming_grid
from celeba_vae.training.earlier_epochs import Kind, epoch_file


def keep(folder: Path, epochs: list[int], count: int = 3, kind: Kind = "samples") -> None:
    """Images of an epoch are of one colour: red is the epoch, green the image's number times 20."""
    for epoch in epochs:
        images = np.zeros((count, 16, 16, 3), np.uint8)
        images[..., 0] = epoch
        images[..., 1] = 20 * np.arange(count)[:, None, None]
        np.save(epoch_file(folder, kind, epoch, "npy"), images)


def tiles(picture: Image.Image) -> list[list[tuple[int, int]]]:
    """(epoch, number) of each tile, row by row: runs of at least 32 equal pixels that are no background.

    Tiles of 16 pixels are drawn twice as large.
    """
    pixels = np.asarray(picture)
    found = []
    for line in pixels:
        starts = [0, *(np.flatnonzero(np.any(line[1:] != line[:-1], axis=1)) + 1), len(line)]
        runs = [line[a] for a, b in itertools.pairwise(starts) if b - a >= 32 and line[a][2] == 0]
        row = [(int(colour[0]), int(colour[1]) // 20) for colour in runs]
        if row and (not found or found[-1] != row):
            found.append(row)
    return found


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ([1], [1]),
        ([1, 6], [1, 6]),
        (list(range(1, 9)), list(range(1, 9))),
        (list(range(1, 10)), [1, 2, 3, 4, 5, 6, 7, 9]),
        (list(range(1, 25)), [1, 2, 3, 4, 6, 10, 15, 24]),
        ([1, *range(5, 251, 5)], [1, 5, 10, 20, 40, 80, 140, 250]),
    ],
)
def test_a_row_is_an_epoch_and_a_column_a_latent(tmp_path: Path, kept: list[int], shown: list[int]) -> None:
    keep(tmp_path, kept)
    assert tiles(forming_grid(tmp_path, "vae", kept[-1], "samples")) == [
        [(epoch, number) for number in range(3)] for epoch in shown
    ]


def test_six_columns_are_enough(tmp_path: Path) -> None:
    keep(tmp_path, [2], count=12)
    assert tiles(forming_grid(tmp_path, "vae", 2, "samples")) == [[(2, number) for number in range(6)]]


def test_samples_and_reconstructions_are_kept_apart(tmp_path: Path) -> None:
    keep(tmp_path, [1, 3], kind="samples")
    keep(tmp_path, [2, 4], kind="reconstructions")
    assert [row[0][0] for row in tiles(forming_grid(tmp_path, "vae", 4, "samples"))] == [1, 3]
    assert [row[0][0] for row in tiles(forming_grid(tmp_path, "ae", 4, "reconstructions"))] == [2, 4]


def test_samples_of_a_longer_training_are_left_out(tmp_path: Path) -> None:
    keep(tmp_path, [1, 2, 3, 4])
    assert [row[0][0] for row in tiles(forming_grid(tmp_path, "vae", 3, "samples"))] == [1, 2, 3]


def test_samples_are_replaced_as_a_whole(tmp_path: Path) -> None:
    keep(tmp_path, [1], count=2)
    keep(tmp_path, [1], count=4)
    assert [path.name for path in tmp_path.iterdir()] == ["samples_epoch_0001.npy"]
    assert len(np.load(tmp_path / "samples_epoch_0001.npy", allow_pickle=False)) == 4


def test_without_samples_the_picture_says_so(tmp_path: Path) -> None:
    picture = forming_grid(tmp_path / "missing", "vae", 3, "samples")
    assert np.asarray(picture).min() < 100
    assert not (tmp_path / "missing").exists()

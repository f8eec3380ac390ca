"""What the same latents or images became after one epoch and another, kept so that one can see faces form."""

from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from celeba_vae.reporting.grids import GRID_SCALE, image_grid, text_picture
from celeba_vae.storage.atomic import written_atomically

Kind = Literal["samples", "reconstructions"]

ROWS, COLUMNS = 8, 6
_COLUMN = {
    "samples": "in each column from the same point of the latent space",
    "reconstructions": "in each column the reconstruction of the same image",
}


def save_images(folder: Path, kind: Kind, epoch: int, images: np.ndarray) -> None:
    """Keep the images (n, h, w, 3) uint8 that a model made after ``epoch``, as ``samples_epoch_0003.npy``."""
    with written_atomically(_file(folder, kind, epoch)) as temporary:
        np.save(temporary, images)


def forming_grid(folder: Path, name: str, last_epoch: int, kind: Kind) -> Image.Image:
    """Draw what was kept of a training, a row an epoch, up to eight of them, and a column a latent or an image.

    Of 24 epochs these are 1, 2, 3, 4, 6, 10, 15 and 24: faces change most at the start.

    Args:
        folder: Where ``save_images`` put them.
        name: The variant's name, for the title.
        last_epoch: What was kept of later epochs, by a longer training in the same folder, is left out.
        kind: What to show: samples, decoded from N(0, I), or reconstructions.
    """
    epochs = _spread([epoch for epoch in _kept_epochs(Path(folder), kind) if epoch <= last_epoch])
    if not epochs:
        return text_picture(f"{name}: faces forming", f"No {kind} of this training were kept in {folder}.")
    rows = [np.load(_file(folder, kind, epoch), allow_pickle=False)[:COLUMNS] for epoch in epochs]
    return image_grid(
        np.concatenate(rows),
        columns=len(rows[0]),
        title=f"{name}: faces forming, {_COLUMN[kind]}",
        row_labels=[f"epoch {epoch}" for epoch in epochs],
        scale=GRID_SCALE,
    )


def _file(folder: Path, kind: Kind, epoch: int) -> Path:
    return Path(folder) / f"{kind}_epoch_{epoch:04d}.npy"


def _kept_epochs(folder: Path, kind: Kind) -> list[int]:
    return sorted(int(path.stem.rpartition("_")[2]) for path in folder.glob(f"{kind}_epoch_*.npy"))


def _spread(epochs: list[int]) -> list[int]:
    if len(epochs) <= ROWS:
        return epochs
    positions = np.maximum(np.rint(np.geomspace(1, len(epochs), ROWS)), np.arange(1, ROWS + 1))
    return [epochs[int(position) - 1] for position in positions]

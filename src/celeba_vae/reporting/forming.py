"""Pictures of faces forming: what the same latents or images became after one epoch and another."""

from pathlib import Path

import numpy as np
from PIL import Image

from celeba_vae.reporting.grids import GRID_SCALE, comparison_grid, image_grid, text_picture
from celeba_vae.training.earlier_epochs import Kind, epoch_file, kept_epochs

ROWS, COLUMNS = 8, 6
_PREVIEW_COLUMNS = 8
_COLUMN = {
    "samples": "in each column from the same point of the latent space",
    "reconstructions": "in each column the reconstruction of the same image",
}


def samples_grid(name: str, epoch: int, samples: np.ndarray) -> Image.Image:
    """Draw what a variant makes of some latents after ``epoch`` epochs, (n, h, w, 3) uint8."""
    title = f"{name}, epoch {epoch}: decoded from the same points of the latent space as ever"
    return image_grid(samples, _PREVIEW_COLUMNS, title=title)


def reconstructions_grid(name: str, images: np.ndarray, epoch: int, reconstructions: np.ndarray) -> Image.Image:
    """Draw images and what a variant makes of them after ``epoch`` epochs, (n, h, w, 3) uint8 each."""
    rows = {"image": images, f"epoch {epoch}": reconstructions}
    return comparison_grid(rows, _PREVIEW_COLUMNS, title=f"{name}, epoch {epoch}: images and their reconstructions")


def forming_grid(folder: Path, name: str, last_epoch: int, kind: Kind) -> Image.Image:
    """Draw what was kept of a training, a row an epoch, up to eight of them, and a column a latent or an image.

    Of 24 epochs these are 1, 2, 3, 4, 6, 10, 15 and 24: faces change most at the start.

    Args:
        folder: Where the training's monitor wrote.
        name: The variant's name, for the title.
        last_epoch: What was kept of later epochs, by a longer training in the same folder, is left out.
        kind: What to show: samples, decoded from N(0, I), or reconstructions.
    """
    epochs = _spread([epoch for epoch in kept_epochs(folder, kind) if epoch <= last_epoch])
    if not epochs:
        return text_picture(f"{name}: faces forming", f"No {kind} of this training were kept in {folder}.")
    rows = [np.load(epoch_file(folder, kind, epoch, "npy"), allow_pickle=False)[:COLUMNS] for epoch in epochs]
    return image_grid(
        np.concatenate(rows),
        columns=len(rows[0]),
        title=f"{name}: faces forming, {_COLUMN[kind]}",
        row_labels=[f"epoch {epoch}" for epoch in epochs],
        scale=GRID_SCALE,
    )


def _spread(epochs: list[int]) -> list[int]:
    if len(epochs) <= ROWS:
        return epochs
    positions = np.maximum(np.rint(np.geomspace(1, len(epochs), ROWS)), np.arange(1, ROWS + 1))
    return [epochs[int(position) - 1] for position in positions]

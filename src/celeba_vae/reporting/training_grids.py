"""A training in pictures: what a variant makes of the same latents and images after one epoch and another."""

from pathlib import Path

import numpy as np
from PIL import Image

from celeba_vae.reporting.grids import Row, comparison_grid, image_grid, row_grid, text_picture
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
    """Draw what the monitor of a training kept, a row an epoch, up to eight of them, and a column a latent or an image.

    Of 24 epochs these are 1, 2, 3, 4, 6, 10, 15 and 24: faces change most at the start. What was kept of later epochs
    than the last one, by a longer training in the same folder, is left out.
    """
    epochs = [epoch for epoch in kept_epochs(folder, kind) if epoch <= last_epoch]
    if not epochs:
        return text_picture(f"{name}: faces forming", f"No {kind} of this training were kept in {folder}.")
    if len(epochs) > ROWS:
        positions = np.maximum(np.rint(np.geomspace(1, len(epochs), ROWS)), np.arange(1, ROWS + 1))
        epochs = [epochs[int(position) - 1] for position in positions]
    images = {epoch: np.load(epoch_file(folder, kind, epoch, "npy"), allow_pickle=False) for epoch in epochs}
    rows = [Row(f"epoch {epoch}", images[epoch][:COLUMNS]) for epoch in epochs]
    return row_grid(rows, title=f"{name}: faces forming, {_COLUMN[kind]}")

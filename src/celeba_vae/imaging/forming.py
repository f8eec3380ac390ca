"""The images decoded from the same latents after one epoch and another, kept so that one can see faces form."""

from pathlib import Path

import numpy as np
from PIL import Image

from celeba_vae.files import written_atomically
from celeba_vae.imaging.grids import image_grid, text_picture

ROWS, COLUMNS = 8, 8
_NAME = "samples_epoch_"


def save_samples(folder: Path, epoch: int, images: np.ndarray) -> None:
    """Keep the images (n, h, w, 3) uint8 decoded after ``epoch``, as ``samples_epoch_0003.npy``."""
    with written_atomically(Path(folder) / f"{_NAME}{epoch:04d}.npy") as temporary:
        np.save(temporary, images)


def forming_grid(folder: Path, name: str, last_epoch: int) -> Image.Image:
    """Draw a training's kept samples, a row an epoch, up to eight of them, and in each column the same latent.

    Of 24 epochs these are 1, 2, 3, 4, 6, 10, 15 and 24: faces change most at the start.

    Args:
        folder: Where ``save_samples`` put them.
        name: The variant's name, for the title.
        last_epoch: What was kept of later epochs, by a longer training in the same folder, is left out.
    """
    epochs = _spread([epoch for epoch in _kept_epochs(Path(folder)) if epoch <= last_epoch])
    if not epochs:
        return text_picture(f"{name}: faces forming", f"No samples of this training were kept in {folder}.")
    rows = [np.load(Path(folder) / f"{_NAME}{epoch:04d}.npy", allow_pickle=False)[:COLUMNS] for epoch in epochs]
    return image_grid(
        np.concatenate(rows),
        columns=len(rows[0]),
        title=f"{name}: faces forming, in each column from the same point of the latent space",
        row_labels=[f"epoch {epoch}" for epoch in epochs],
    )


def _kept_epochs(folder: Path) -> list[int]:
    return sorted(int(path.stem.removeprefix(_NAME)) for path in folder.glob(f"{_NAME}*.npy"))


def _spread(epochs: list[int]) -> list[int]:
    if len(epochs) <= ROWS:
        return epochs
    positions = np.maximum(np.rint(np.geomspace(1, len(epochs), ROWS)), np.arange(1, ROWS + 1))
    return [epochs[int(position) - 1] for position in positions]

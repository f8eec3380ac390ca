"""What a model in training made of the same latents and images after one epoch and another, as files."""

from pathlib import Path
from typing import Literal

import numpy as np

from celeba_vae.storage.atomic import written_atomically

Kind = Literal["samples", "reconstructions"]


def save_epoch_images(folder: Path, kind: Kind, epoch: int, images: np.ndarray) -> None:
    """Keep the images (n, h, w, 3) uint8 that a model made after ``epoch``, as ``samples_epoch_0003.npy``."""
    with written_atomically(epoch_file(folder, kind, epoch, "npy")) as temporary:
        np.save(temporary, images)


def load_epoch_images(folder: Path, kind: Kind, epoch: int) -> np.ndarray:
    """Give what was kept of an epoch."""
    return np.load(epoch_file(folder, kind, epoch, "npy"), allow_pickle=False)


def kept_epochs(folder: Path, kind: Kind) -> list[int]:
    """Give the epochs of which images were kept, the first first."""
    return sorted(int(path.stem.rpartition("_")[2]) for path in Path(folder).glob(f"{kind}_epoch_*.npy"))


def epoch_file(folder: Path, kind: Kind, epoch: int, suffix: str) -> Path:
    """Name the file of an epoch's images, or of the picture that shows them."""
    return Path(folder) / f"{kind}_epoch_{epoch:04d}.{suffix}"

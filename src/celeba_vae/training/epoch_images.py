"""What a model in training made of the same latents and images after one epoch and another, as files."""

from pathlib import Path
from typing import Literal

Kind = Literal["samples", "reconstructions"]


def kept_epochs(folder: Path, kind: Kind) -> list[int]:
    """Give the epochs of which images were kept, the first first."""
    return sorted(int(path.stem.rpartition("_")[2]) for path in folder.glob(f"{kind}_epoch_*.npy"))


def epoch_file(folder: Path, kind: Kind, epoch: int, suffix: str) -> Path:
    """Name the file of an epoch's images, (n, h, w, 3) uint8 as ``npy``, or of the picture that shows them."""
    return folder / f"{kind}_epoch_{epoch:04d}.{suffix}"

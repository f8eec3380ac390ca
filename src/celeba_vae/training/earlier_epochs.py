"""What is kept of a training's earlier epochs: images that the model made then, and in checkpoints the model itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from celeba_vae.models.inference import weights_hash
from celeba_vae.training.checkpoints import VALIDATION_LOSS, Checkpoint, kept_checkpoints
from celeba_vae.training.recipe import Recipe

if TYPE_CHECKING:
    import keras

    from celeba_vae.models.autoencoders import Autoencoder

Kind = Literal["samples", "reconstructions"]


def kept_epochs(folder: Path, kind: Kind) -> list[int]:
    """Give the epochs of which images were kept, the first first."""
    return sorted(int(path.stem.rpartition("_")[2]) for path in folder.glob(f"{kind}_epoch_*.npy"))


def epoch_file(folder: Path, kind: Kind, epoch: int, suffix: str) -> Path:
    """Name the file of an epoch's images, (n, h, w, 3) uint8 as ``npy``, or of the picture that shows them."""
    return folder / f"{kind}_epoch_{epoch:04d}.{suffix}"


@dataclass(frozen=True)
class EarlierEpoch:
    """A model, float32, after some epochs of its training; a checkpoint within an epoch has a fraction."""

    epoch: float
    encoder: keras.Model
    decoder: keras.Model


def earliest_epoch(
    training: Path, recipe: Recipe, precision: str, encoder: keras.Model, decoder: keras.Model
) -> EarlierEpoch | None:
    """Give a model as it was after the earliest epoch whose weights are kept, in a checkpoint or as the best ones.

    Nothing in the folder of the training's checkpoints is changed, and a process may be training there. None where
    nothing earlier is kept, or where the weights of ``encoder`` and ``decoder`` are not from this training.

    Raises:
        DataError: a checkpoint is damaged.
    """
    from celeba_vae.training.building import build_autoencoder, compile_autoencoder

    image_shape = encoder.input_shape[1:]
    trained = build_autoencoder(recipe, image_shape, precision)
    compile_autoencoder(trained, recipe, precision)
    earlier = build_autoencoder(recipe, image_shape, precision="float32")
    wanted = [weights_hash(encoder), weights_hash(decoder)]
    kept = sorted(_kept_weights(training), key=lambda weights: weights.epoch)
    for weights in reversed(kept):
        earlier.set_weights(weights.load(trained))
        if [weights_hash(earlier.encoder), weights_hash(earlier.decoder)] == wanted:
            break
    else:
        return None
    earliest = kept[0]
    if earliest.epoch == weights.epoch:
        return None
    earlier.set_weights(earliest.load(trained))
    return EarlierEpoch(earliest.epoch, earlier.encoder, earlier.decoder)


class _KeptWeights(NamedTuple):
    epoch: float
    checkpoint: Checkpoint
    best: bool

    def load(self, model: Autoencoder) -> list[np.ndarray]:
        if self.best:
            return self.checkpoint.best_weights() or []
        self.checkpoint.restore(model)
        return model.kept_weights()


def _kept_weights(training: Path) -> Iterator[_KeptWeights]:
    progress = {checkpoint: checkpoint.restore() for checkpoint in kept_checkpoints(training)}
    # at the end of an epoch, steps and rows of the history tell how many steps an epoch has
    epoch_steps = next((each.step / len(each.history) for each in progress.values() if not each.epoch_seconds), 1)
    for checkpoint, each in progress.items():
        yield _KeptWeights(each.step / epoch_steps, checkpoint, best=False)
        if checkpoint.best_file:
            best = each.history[VALIDATION_LOSS].argmin()
            yield _KeptWeights(float(each.history["epoch"][best]), checkpoint, best=True)

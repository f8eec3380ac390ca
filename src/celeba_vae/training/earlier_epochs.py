"""A trained model as it was earlier in its training, as far as checkpoints are kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from celeba_vae.models.inference import weights_hash
from celeba_vae.training.checkpoints import (
    BEST_WEIGHTS,
    best_weights_of,
    kept_checkpoints,
    read_progress,
    restore_checkpoint,
)
from celeba_vae.training.recipe import Recipe


@dataclass(frozen=True)
class EarlierEpoch:
    """A model after some epochs of its training.

    Args:
        epoch: Epochs done; a checkpoint within an epoch has a fraction.
        encoder: float32, as the one that the whole training gave.
        decoder: Likewise.
    """

    epoch: float
    encoder: Any
    decoder: Any


def earliest_epoch(training: Path, recipe: Recipe, precision: str, encoder: Any, decoder: Any) -> EarlierEpoch | None:
    """Give a model as it was after the earliest epoch whose weights are kept, in a checkpoint or as the best ones.

    Args:
        training: Folder of the training's checkpoints. Nothing in it is changed, and a process may be training there.
        recipe: What was trained.
        precision: In what it was trained.
        encoder: The model that the training gave.
        decoder: Likewise.

    Returns:
        None where nothing earlier is kept, or where the model's weights are not from this training.

    Raises:
        DataError: a checkpoint is damaged.
    """
    from celeba_vae.training.trainer import build_autoencoder, compile_autoencoder, inference_models

    image_shape = encoder.input_shape[1:]
    model = build_autoencoder(recipe, image_shape, precision)
    compile_autoencoder(model, recipe, precision)
    float32_model = build_autoencoder(recipe, image_shape, precision="float32")
    wanted = [weights_hash(encoder), weights_hash(decoder)]
    kept = sorted(_kept_weights(training))
    for weights in reversed(kept):
        if [weights_hash(part) for part in inference_models(weights.load(model), float32_model)] == wanted:
            break
    else:
        return None
    earliest = kept[0]
    if earliest.epoch == weights.epoch:
        return None
    return EarlierEpoch(earliest.epoch, *inference_models(earliest.load(model), float32_model))


class _KeptWeights(NamedTuple):
    epoch: float
    path: Path
    best: bool

    def load(self, model: Any) -> list[Any]:
        if self.best:
            return best_weights_of(self.path) or []
        restore_checkpoint(self.path, model)
        return model.kept_weights()


def _kept_weights(training: Path) -> Iterator[_KeptWeights]:
    progress = {path: read_progress(path) for path in kept_checkpoints(training)}
    # at the end of an epoch, steps and rows of the history tell how many steps an epoch has
    epoch_steps = next((each.step / len(each.history) for each in progress.values() if not each.epoch_seconds), 1)
    for path, each in progress.items():
        yield _KeptWeights(each.step / epoch_steps, path, best=False)
        if (path / BEST_WEIGHTS).exists():
            best = each.history["validation_total_loss"].argmin()
            yield _KeptWeights(float(each.history["epoch"][best]), path, best=True)

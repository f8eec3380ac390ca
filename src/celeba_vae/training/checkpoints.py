"""How far a training has come, and its state on disk: weights, optimizer, history so far, and the best weights."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd

from celeba_vae.config.wording import fresh_parameter
from celeba_vae.errors import DataError, SettingError
from celeba_vae.storage.atomic import link_or_copy, written_atomically
from celeba_vae.storage.stages import changes_since_newest

if TYPE_CHECKING:
    import keras

    from celeba_vae.models.autoencoders import Autoencoder

VALIDATION_LOSS = "validation_total_loss"
_CHECKPOINTS = "step_*"
_STATE = "training.npz"
_BEST_WEIGHTS = "best.npz"
_FINISHED = "finished"
_DAMAGE = (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile)


@dataclass
class Progress:
    """Steps taken in all epochs, a history row for each whole one, see ``Trainer.train``, and the seconds of the next.

    Those are the seconds that its steps took, and of these, those in which they waited for images.
    """

    step: int = 0
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    epoch_seconds: float = 0.0
    wait_seconds: float = 0.0

    def with_epoch(self, row: Mapping[str, float]) -> Progress:
        """Give the progress at the end of an epoch, whose row is added to the history."""
        return Progress(self.step, pd.concat([self.history, pd.DataFrame([row])], ignore_index=True))

    def is_best(self, row: Mapping[str, float]) -> bool:
        """Say whether a new row has the lowest validation loss so far; not where there are no validation images."""
        if VALIDATION_LOSS not in row:
            return False
        return self.history.empty or row[VALIDATION_LOSS] < self.history[VALIDATION_LOSS].min()

    def epochs_since_best(self) -> int:
        """Give the epochs after the one with the lowest validation loss; 0 where there are no validation images."""
        if VALIDATION_LOSS not in self.history:
            return 0
        return len(self.history) - 1 - int(self.history[VALIDATION_LOSS].argmin())


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training after some steps: a folder, complete in itself.

    What reads it raises a DataError when it is damaged.
    """

    path: Path

    @property
    def step(self) -> int:
        """Steps taken."""
        return int(self.path.name.removeprefix("step_"))

    @property
    def best_file(self) -> Path | None:
        """Where the best weights so far are; None where there were no validation images."""
        file = self.path / _BEST_WEIGHTS
        return file if file.exists() else None

    def restore(self, model: Autoencoder | None = None) -> Progress:
        """Put the state into a compiled model built alike, if there is one; give how far the training had come."""
        with self._damage_named():
            return read_state(self.path / _STATE, model)

    def best_weights(self) -> list[np.ndarray] | None:
        """Give the weights of the epoch with the lowest validation loss; None where there were no validation images."""
        if self.best_file is None:
            return None
        with self._damage_named(), np.load(self.best_file, allow_pickle=False) as weights:
            return [weights[name] for name in weights.files]

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            # Keras writes whole arrays into its messages
            reason = str(error).split(" Target variable:")[0]
            raise DataError(
                f"The checkpoint {self.path} is damaged ({reason}). Delete this folder and run again."
            ) from error


class Checkpoints:
    """Checkpoints in a folder, ``step_00001270/`` after 1,270 steps; one process at a time may work there.

    The newest ``keep`` are kept, and those at which a training was finished: fewer or more epochs can be asked for
    later. A checkpoint appears under its name only when it is complete.
    """

    def __init__(self, folder: Path, keep: int = 1) -> None:
        self.folder = folder
        self.keep = keep
        self._last: Checkpoint | None = None
        for unfinished in folder.glob(f".{_CHECKPOINTS}"):
            # what a killed process was writing
            shutil.rmtree(unfinished)

    def restore(self, model: Autoencoder, steps: int) -> Progress:
        """Put the newest state of at most ``steps`` into a compiled model built alike; give how far it had come.

        Raises:
            DataError: the checkpoint is damaged.
        """
        self._last = max(self._until(steps), key=lambda checkpoint: checkpoint.step, default=None)
        return self._last.restore(model) if self._last else Progress()

    def save(self, model: Autoencoder, progress: Progress, finished: bool = False, best: bool = False) -> None:
        """Save the state of a compiled model, then remove the checkpoints that are not kept.

        ``finished`` says that the training ends here, ``best`` that the model's ``kept_weights`` are the best so far.

        Raises:
            SettingError: weights are not finite; the checkpoints before are kept.
        """
        if not all(np.isfinite(variable).all() for variable in state_of(model)):
            raise SettingError(
                f"After step {progress.step} of the training some weights are not finite, so no checkpoint is made of"
                " them; those before are kept. What may help: a lower learning_rate, gradient_clip_norm"
                " (parameters_training.yml)."
            )
        checkpoint = Checkpoint(self.folder / f"step_{progress.step:08d}")
        with written_atomically(checkpoint.path) as temporary:
            temporary.mkdir()
            write_state(temporary / _STATE, model, progress)
            if best:
                np.savez(temporary / _BEST_WEIGHTS, *model.kept_weights())
            elif self._last and self._last.best_file:
                link_or_copy(self._last.best_file, temporary / _BEST_WEIGHTS)
            if finished:
                (temporary / _FINISHED).touch()
        self._last = checkpoint
        # later ones are of a training to more epochs
        for old in self._until(progress.step)[: -self.keep]:
            if not (old.path / _FINISHED).exists():
                shutil.rmtree(old.path)

    def best_weights(self) -> list[np.ndarray] | None:
        """Give the weights of the epoch with the lowest validation loss, up to the checkpoint last saved or restored.

        None where there were no validation images. Raises DataError when the checkpoint is damaged.
        """
        return self._last.best_weights() if self._last else None

    def _until(self, steps: int) -> list[Checkpoint]:
        return [checkpoint for checkpoint in kept_checkpoints(self.folder) if checkpoint.step <= steps]


def kept_checkpoints(folder: Path) -> list[Checkpoint]:
    """Give the checkpoints in a folder, the earliest first; a process may be training there."""
    return [Checkpoint(file.parent) for file in sorted(folder.glob(f"{_CHECKPOINTS}/{_STATE}"))]


def state_of(model: Autoencoder) -> list[keras.Variable]:
    """Give all that changes in a compiled model as it trains: its weights, the epoch's means, the optimizer's state."""
    return [*model.variables, *model.metrics_variables, *model.optimizer.variables]


def write_state(file: Path | BinaryIO, model: Autoencoder, progress: Progress) -> None:
    """Write a compiled model's state and its progress, as npz."""
    content = {**vars(progress), "history": progress.history.to_dict("records")}
    text = np.frombuffer(json.dumps(content, indent=1).encode(), np.uint8)
    np.savez(file, text, *(np.asarray(variable) for variable in state_of(model)))


def read_state(file: Path | BinaryIO, model: Autoencoder | None = None) -> Progress:
    """Put what ``write_state`` wrote into a compiled model built alike, if there is one; give its progress."""
    with np.load(file, allow_pickle=False) as state:
        text, *names = state.files
        if model is not None:
            for variable, name in zip(state_of(model), names, strict=True):
                variable.assign(state[name])
        content = json.loads(state[text].tobytes())
    return Progress(**{**content, "history": pd.DataFrame(content["history"])})


def refuse_changed_training(folder: Path, identity: Mapping[str, Any], name: str) -> None:
    """Make sure that a variant's trainings in ``folder``, if there are any, include one that this run can go on with.

    ``identity`` is what determines the weights, or the part of it that is known already.

    Raises:
        SettingError: all are of other settings, data or hardware; the message names what differs from the newest.
    """
    changes = changes_since_newest(folder, identity, having=_CHECKPOINTS)
    if changes:
        raise SettingError(
            "\n  ".join([f"{name} has been trained with something else, in {folder}:", *changes])
            + _on_schedules(changes, name)
            + f"\nTo train it anew with what is set now: --params {fresh_parameter(name)} (the training that is"
            " there stays, and comes back with its settings). To go on with that one, set them back. To have both, give"
            " the new settings a block of their own under variants (parameters_training.yml)."
        )


def _on_schedules(changes: list[str], name: str) -> str:
    lengths = [re.fullmatch(r"variant\.(\w+_schedule\.epochs): ([\d.]+) -> .*", change) for change in changes]
    options = [f"variants.{name}.{length[1]}={length[2]}" for length in lengths if length]
    if not options:
        return ""
    return (
        "\nA schedule without epochs of its own follows the variant's, so that more of them change every step. To go on"
        f" with the length that it had: --params {','.join(options)} (from there on it stays at its end)."
    )

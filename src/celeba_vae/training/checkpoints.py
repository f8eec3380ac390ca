"""The state of a training on disk: weights, optimizer, counters, the history so far, and the best weights."""

import io
import json
import re
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from celeba_vae.errors import DataError, SettingError
from celeba_vae.storage.atomic import link_or_copy, written_atomically
from celeba_vae.storage.stages import changes_since_newest

_CHECKPOINTS = "step_*"
_FINISHED = "finished"
BEST_WEIGHTS = "best.npz"
_DAMAGE = (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile)


@dataclass
class Progress:
    """How far a training has come: steps, a history row for each whole epoch, and the epoch under way in seconds."""

    step: int = 0
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    epoch_seconds: float = 0.0
    wait_seconds: float = 0.0


class Checkpoints:
    """Checkpoints in a folder, ``step_00001270/`` after 1,270 steps, each complete in itself.

    The newest ones are kept, and those at which a training was finished: fewer or more epochs can be asked for later. A
    checkpoint appears under its name only when it is complete.

    Args:
        folder: Where they lie; one process at a time may work there.
        keep: How many of the newest are kept.
    """

    def __init__(self, folder: Path, keep: int = 1) -> None:
        self.folder = folder
        self.keep = keep
        self._best: Path | None = None
        for unfinished in folder.glob(f".{_CHECKPOINTS}"):
            # what a killed process was writing
            shutil.rmtree(unfinished)

    def save(self, model: Any, progress: Progress, finished: bool = False, best: bool = False) -> Path:
        """Save the state of a compiled model, then remove the checkpoints that are not kept.

        Args:
            model: What is trained.
            progress: How far it has come.
            finished: The training ends here.
            best: The model's ``kept_weights`` are the best so far.

        Raises:
            SettingError: weights are not finite; the checkpoints before are kept.
        """
        path = self._path(progress.step)
        state = {f"{i:04d}": np.asarray(variable) for i, variable in enumerate(_variables(model))}
        _refuse_not_finite(state, progress.step)
        with written_atomically(path) as temporary:
            temporary.mkdir()
            np.savez(temporary / "state.npz", **state)
            (temporary / "progress.json").write_text(_progress_text(progress))
            if best:
                np.savez(temporary / BEST_WEIGHTS, *model.kept_weights())
            elif self._best:
                link_or_copy(self._best, temporary / BEST_WEIGHTS)
            if finished:
                (temporary / _FINISHED).touch()
        if (path / BEST_WEIGHTS).exists():
            self._best = path / BEST_WEIGHTS
        self._remove_old(progress.step)
        return path

    def newest(self, steps: int) -> int:
        """Give the steps of the newest checkpoint of at most ``steps``; 0 when there is none."""
        return max((step for step in self._steps() if step <= steps), default=0)

    def restore(self, model: Any, step: int) -> Progress:
        """Put a checkpoint's state into a compiled model built alike; give how far it had come.

        Raises:
            DataError: the checkpoint is damaged.
        """
        path = self._path(step)
        progress = restore_checkpoint(path, model)
        self._best = path / BEST_WEIGHTS if (path / BEST_WEIGHTS).exists() else None
        return progress

    def best_weights(self) -> list[np.ndarray] | None:
        """Give the weights of the epoch with the lowest validation loss, up to the checkpoint last saved or restored.

        None where there were no validation images.

        Raises:
            DataError: the checkpoint is damaged.
        """
        return best_weights_of(self._best.parent) if self._best else None

    def _path(self, step: int) -> Path:
        return self.folder / f"step_{step:08d}"

    def _steps(self) -> list[int]:
        return [int(path.name.removeprefix("step_")) for path in kept_checkpoints(self.folder)]

    def _remove_old(self, newest: int) -> None:
        # later ones are of a training to more epochs
        steps = [step for step in self._steps() if step <= newest]
        for step in steps[: -self.keep]:
            if not (self._path(step) / _FINISHED).exists():
                shutil.rmtree(self._path(step))


class NoCheckpoints:
    """In place of ``Checkpoints`` where another process keeps the training: only knows up to which step it has."""

    def __init__(self) -> None:
        self._step = 0

    def save(self, model: Any, progress: Progress, finished: bool = False, best: bool = False) -> None:
        """Take note that the other process saves."""
        self._step = progress.step

    def newest(self, steps: int) -> int:
        """Give the steps of the newest checkpoint that this process knows of; 0 when there is none."""
        return self._step

    def restore(self, model: Any, step: int) -> Progress:
        """Give no progress: the other process tells."""
        return Progress()


def packed_state(model: Any, progress: Progress) -> bytes:
    """Give a compiled model's state and progress as bytes, for ``unpack_state``."""
    file = io.BytesIO()
    state = {f"{i:04d}": np.asarray(variable) for i, variable in enumerate(_variables(model))}
    np.savez(file, progress=np.frombuffer(_progress_text(progress).encode(), np.uint8), **state)
    return file.getvalue()


def unpack_state(content: bytes, model: Any) -> Progress:
    """Put a state into a compiled model built alike; give its progress."""
    with np.load(io.BytesIO(content), allow_pickle=False) as state:
        progress = _progress_of(state["progress"].tobytes().decode())
        for variable, name in zip(_variables(model), state.files[1:], strict=True):
            variable.assign(state[name])
    return progress


def kept_checkpoints(folder: Path) -> list[Path]:
    """Give the checkpoints in a folder, the earliest first; a process may be training there."""
    return sorted(folder.glob(_CHECKPOINTS))


def restore_checkpoint(path: Path, model: Any) -> Progress:
    """Put a checkpoint's state into a compiled model built alike; give how far it had come.

    Raises:
        DataError: the checkpoint is damaged.
    """
    try:
        with np.load(path / "state.npz", allow_pickle=False) as state:
            for variable, name in zip(_variables(model), state.files, strict=True):
                variable.assign(state[name])
        return read_progress(path)
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def read_progress(path: Path) -> Progress:
    """Read how far the training had come at a checkpoint.

    Raises:
        DataError: the checkpoint is damaged.
    """
    try:
        return _progress_of((path / "progress.json").read_text())
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def best_weights_of(path: Path) -> list[np.ndarray] | None:
    """Give the best weights up to a checkpoint; None where there were no validation images.

    Raises:
        DataError: the checkpoint is damaged.
    """
    if not (path / BEST_WEIGHTS).exists():
        return None
    try:
        with np.load(path / BEST_WEIGHTS, allow_pickle=False) as weights:
            return [weights[name] for name in weights.files]
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def refuse_changed_training(folder: Path, identity: Mapping[str, Any], name: str) -> None:
    """Make sure that a variant's trainings in ``folder``, if there are any, include one that this run can go on with.

    Args:
        folder: The variant's checkpoints, a folder for each training.
        identity: What determines the weights, or the part of it that is known already.
        name: The variant's name.

    Raises:
        SettingError: all are of other settings, data or hardware; the message names what differs from the newest.
    """
    changes = changes_since_newest(folder, identity, having=_CHECKPOINTS)
    if changes:
        raise SettingError(
            "\n  ".join([f"{name} has been trained with something else, in {folder}:", *changes])
            + _on_schedules(changes, name)
            + f"\nTo train it anew with what is set now: --params variants.{name}.fresh=true (the training that is"
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


def _variables(model: Any) -> list[Any]:
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.metrics_variables, *model.optimizer.variables]


def _progress_text(progress: Progress) -> str:
    return json.dumps({**vars(progress), "history": progress.history.to_dict("records")}, indent=1)


def _progress_of(text: str) -> Progress:
    content = json.loads(text)
    return Progress(**{**content, "history": pd.DataFrame(content["history"])})


def _refuse_not_finite(state: Mapping[str, np.ndarray], step: int) -> None:
    if not all(np.isfinite(values).all() for values in state.values()):
        raise SettingError(
            f"After step {step} of the training some weights are not finite, so no checkpoint is made of them; those"
            " before are kept. What may help: a lower learning_rate, gradient_clip_norm (parameters_training.yml)."
        )


def _damaged(path: Path, error: Exception) -> DataError:
    # Keras writes whole arrays into its messages
    reason = str(error).split(" Target variable:")[0]
    return DataError(f"The checkpoint {path} is damaged ({reason}). Delete this folder and run again.")

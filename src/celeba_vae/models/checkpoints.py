"""The state of a training on disk: weights, optimizer, counters and the history so far."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from celeba_vae.errors import DataError
from celeba_vae.files import written_atomically

_FINISHED = "finished"


class Checkpoints:
    """Checkpoints in a folder, ``epoch_0007/`` after seven epochs.

    The newest is kept, and those at which a training was finished: fewer or more epochs can be asked for later. A
    checkpoint appears under its name only when it is complete.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, model: Any, epoch: int, history: pd.DataFrame, finished: bool) -> None:
        """Save the state of a compiled model after ``epoch`` epochs, then remove the unfinished ones before it."""
        with written_atomically(self._path(epoch)) as temporary:
            temporary.mkdir()
            state = {f"{i:04d}": np.asarray(variable) for i, variable in enumerate(_variables(model))}
            np.savez(temporary / "state.npz", **state)
            history.to_csv(temporary / "history.csv", index=False)
            if finished:
                (temporary / _FINISHED).touch()
        for earlier in self._epochs():
            if earlier < epoch and not (self._path(earlier) / _FINISHED).exists():
                shutil.rmtree(self._path(earlier))

    def newest(self, epochs: int) -> int:
        """Give the epochs trained in the newest checkpoint of at most ``epochs``; 0 when there is none."""
        return max((epoch for epoch in self._epochs() if epoch <= epochs), default=0)

    def restore(self, model: Any, epoch: int) -> pd.DataFrame:
        """Put a checkpoint's state into a compiled model built alike; give the history so far.

        Raises:
            DataError: the checkpoint is damaged.
        """
        path = self._path(epoch)
        try:
            with np.load(path / "state.npz", allow_pickle=False) as state:
                for variable, name in zip(_variables(model), state.files, strict=True):
                    variable.assign(state[name])
            return pd.read_csv(path / "history.csv")
        except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"The checkpoint {path} is damaged ({error}). Delete this folder and run again.") from error

    def _path(self, epoch: int) -> Path:
        return self.folder / f"epoch_{epoch:04d}"

    def _epochs(self) -> list[int]:
        return [int(path.name.removeprefix("epoch_")) for path in self.folder.glob("epoch_[0-9]*")]


def _variables(model: Any) -> list[Any]:
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]

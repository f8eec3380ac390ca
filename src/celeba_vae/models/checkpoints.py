"""The state of a training on disk: weights, optimizer, counters and the history so far."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from celeba_vae.files import written_atomically


class Checkpoints:
    """Checkpoints in a folder, ``epoch_0007/`` after seven epochs; only the newest is kept.

    A checkpoint appears under its name only when it is complete.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, model: Any, epoch: int, history: pd.DataFrame) -> None:
        """Save the state of a compiled model after ``epoch`` epochs, then remove older checkpoints."""
        older = self._found()
        with written_atomically(self._path(epoch)) as temporary:
            temporary.mkdir()
            state = {f"{i:04d}": np.asarray(variable) for i, variable in enumerate(_variables(model))}
            np.savez(temporary / "state.npz", **state)
            history.to_csv(temporary / "history.csv", index=False)
        for path in older:
            shutil.rmtree(path)

    @property
    def last_epoch(self) -> int:
        """Epochs trained in the newest checkpoint; 0 when there is none."""
        return max((int(path.name.removeprefix("epoch_")) for path in self._found()), default=0)

    def restore(self, model: Any) -> pd.DataFrame:
        """Put the newest checkpoint's state into a compiled model built alike; give the history so far."""
        path = self._path(self.last_epoch)
        with np.load(path / "state.npz", allow_pickle=False) as state:
            for variable, name in zip(_variables(model), state.files, strict=True):
                variable.assign(state[name])
        return pd.read_csv(path / "history.csv")

    def _path(self, epoch: int) -> Path:
        return self.folder / f"epoch_{epoch:04d}"

    def _found(self) -> list[Path]:
        return list(self.folder.glob("epoch_[0-9]*"))


def _variables(model: Any) -> list[Any]:
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]

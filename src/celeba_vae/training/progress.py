"""How far a training has come, as checkpoints keep it."""

import json
from dataclasses import dataclass, field
from typing import Self

import pandas as pd

VALIDATION_LOSS = "validation_total_loss"


@dataclass
class Progress:
    """Steps taken, a history row for each whole epoch, and the epoch under way in seconds.

    Args:
        step: Steps of all epochs.
        history: A row an epoch, see ``Trainer.train``.
        epoch_seconds: Spent on the steps of the epoch under way.
        wait_seconds: Of these, spent waiting for images.
    """

    step: int = 0
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    epoch_seconds: float = 0.0
    wait_seconds: float = 0.0

    def with_epoch(self, row: dict[str, float]) -> "Progress":
        """Give the progress at the end of an epoch, whose row is added to the history."""
        return Progress(self.step, pd.concat([self.history, pd.DataFrame([row])], ignore_index=True))

    def is_best(self, row: dict[str, float]) -> bool:
        """Say whether a new row has the lowest validation loss so far; not where there are no validation images."""
        if VALIDATION_LOSS not in row:
            return False
        return self.history.empty or row[VALIDATION_LOSS] < self.history[VALIDATION_LOSS].min()

    def epochs_since_best(self) -> int:
        """Give the epochs after the one with the lowest validation loss; 0 where there are no validation images."""
        if VALIDATION_LOSS not in self.history:
            return 0
        return len(self.history) - 1 - int(self.history[VALIDATION_LOSS].argmin())

    def to_json(self) -> str:
        """Write it as JSON."""
        return json.dumps({**vars(self), "history": self.history.to_dict("records")}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote."""
        content = json.loads(text)
        return cls(**{**content, "history": pd.DataFrame(content["history"])})

"""Inputs that are not there, where a node goes on without them and reports it."""

from collections.abc import Iterable
from dataclasses import dataclass

# tag of a node that takes a MissingInput for those of its inputs that may be missing, named without their namespace
GOES_ON_WITHOUT = "goes_on_without"
MAY_BE_MISSING = frozenset({"encoder", "decoder", "history", "configuration", "test_attributes", "data_summary"})


@dataclass(frozen=True)
class MissingInput:
    """Stands for a dataset that is not there; the command makes it.

    Example:
        >>> MissingInput("ae.encoder", "kedro run --pipelines training --namespaces ae").problem
        'ae.encoder is not there: kedro run --pipelines training --namespaces ae'
    """

    name: str
    command: str

    @property
    def problem(self) -> str:
        """What is missing and what to do, in a line."""
        return f"{self.name} is not there: {self.command}"


def can_do_without(tags: Iterable[str], name: str) -> bool:
    """Say whether a node with these tags goes on without this input."""
    return GOES_ON_WITHOUT in tags and name.rpartition(".")[2] in MAY_BE_MISSING

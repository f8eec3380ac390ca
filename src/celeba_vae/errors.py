"""Errors that a user can act on."""

from collections.abc import Iterator


class CelebaVaeError(Exception):
    """An expected failure: its message says what is wrong, where, and what to do.

    ``kedro run`` prints such a message alone and exits with code 1; ``kedro run --traceback`` shows the full traceback.
    """


class DataError(CelebaVaeError):
    """Data is missing, damaged or does not fit."""


class SettingError(CelebaVaeError):
    """A parameter or a combination of parameters can't work."""


class HardwareError(CelebaVaeError):
    """The machine does not have what ``hardware.yml`` asks for."""


class ClusterError(CelebaVaeError):
    """Workers of a cluster, or their scheduler, can't do what they are asked for."""


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error, then each one that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)

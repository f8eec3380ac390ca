"""Commands, durations and near names in messages, as people read and type them."""

import difflib
import re
from collections.abc import Collection

# read without --env
_DEFAULT_ENVIRONMENTS = {"base", "local"}


def in_environment(text: str, environment: str) -> str:
    """Add the environment to each ``kedro run`` in a text that names none.

    Example:
        >>> in_environment("Train it: kedro run --pipelines training", "demo")
        'Train it: kedro run --env demo --pipelines training'
    """
    if environment in _DEFAULT_ENVIRONMENTS:
        return text
    return re.sub(r"kedro run(?! --env)", f"kedro run --env {environment}", text)


def duration(seconds: float) -> str:
    """Write a duration as ``48 s``, ``3 min 12 s`` or ``2 h 05 min``."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def nearest_of(name: str, known: Collection[str]) -> str:
    """Help with an unknown name: the nearest known one, or all of them."""
    return did_you_mean(name, known).replace(" Did", "did", 1) or f"known: {', '.join(known) or 'none'}"


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Ask after a sentence whether the nearest known name is meant; empty where none is near."""
    nearest = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean '{nearest[0]}'?" if nearest else ""

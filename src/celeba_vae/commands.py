"""Commands in messages, as they are to be typed."""

import re

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

"""What ``--params`` says over the parameter files."""

from collections.abc import Mapping
from typing import Any

from celeba_vae.config.wording import nearest_of
from celeba_vae.errors import SettingError


def check_names(given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Make sure that the blocks and variants that are given exist: Kedro would add them silently.

    Raises:
        SettingError: one does not.
    """
    _check_names(given, known, "")
    _check_names(given.get("variants"), known.get("variants"), "variants.")


def replace_components(parameters: dict[str, Any], known: Any, given: Mapping[str, Any]) -> None:
    """Leave a component that is given another name none of the options that the files give the one it replaces.

    Args:
        parameters: What the files say, mixed with what is given; it is changed.
        known: What the files say.
        given: What ``--params`` says.
    """
    for key, value in given.items():
        before = known.get(key) if isinstance(known, Mapping) else None
        if not isinstance(value, Mapping) or not isinstance(before, Mapping):
            continue
        if "name" in value and value["name"] != before.get("name"):
            parameters[key] = dict(value)
        else:
            replace_components(parameters[key], before, value)


def _check_names(given: Any, known: Any, prefix: str) -> None:
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for name in given:
            if name not in known:
                raise SettingError(f"--params {prefix}{name}: unknown name; {nearest_of(name, known)}")

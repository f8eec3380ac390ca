"""Names, commands, durations and nested settings in messages, as people read and type them."""

import difflib
import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

from celeba_vae.config.experiments_config import TRIAL

# read without --env
DEFAULT_ENVIRONMENTS = {"base", "local"}


def in_environment(text: str, environment: str) -> str:
    """Add the environment to each ``kedro run`` in a text that names none."""
    if environment in DEFAULT_ENVIRONMENTS:
        return text
    return re.sub(r"kedro run(?! --env)", f"kedro run --env {environment}", text)


def training_command(variant: str, fresh: bool = False) -> str:
    """Give the command that trains a variant; ``fresh``: that begins anew though nothing has changed."""
    pipeline = "experiments" if variant.startswith(TRIAL) else "variants"
    command = f"kedro run --pipelines {pipeline} --namespaces {variant}"
    return f"{command} --params {fresh_parameter(variant)}" if fresh else command


def fresh_parameter(variant: str) -> str:
    """Give what ``--params`` must say so that a variant's training begins anew."""
    # experiments make the trials' blocks of others, which have what is set for all
    block = "training" if variant.startswith(TRIAL) else f"variants.{variant}"
    return f"{block}.fresh=true"


def shown_name(variant: str) -> str:
    """Give a variant's name without what all trials' begin with."""
    return variant.removeprefix(TRIAL)


def title_of(variant: str) -> str:
    """Give what pictures call a variant."""
    return shown_name(variant).upper()


def flattened(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Give nested settings by their paths, such as ``encoder.name``, as ``--params`` names them."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= flattened(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def printable(text: str) -> str:
    """Replace what has no picture of its own in a text, such as a line break in a file's name; any space is a space."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else " " if unicodedata.category(each) == "Zs" else "\N{REPLACEMENT CHARACTER}"
        for each in text
    )


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

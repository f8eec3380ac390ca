"""Parameter blocks: read from the files, completed with what all variants share, overridden by ``--params``."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache, reduce
from pathlib import Path
from typing import Any, TypeVar

import yaml

from celeba_vae.config import TRIAL, ExperimentsConfig, Parameters, VariantConfig
from celeba_vae.config.wording import flattened, nearest_of
from celeba_vae.errors import SettingError

Block = TypeVar("Block", bound=Parameters)


@cache
def read_parameters(folder: Path) -> dict[str, Any]:
    """Give the parameter blocks that the files of a folder such as conf/base hold, as they stand there."""
    files = [*folder.glob("parameters*.yml"), *folder.glob("hardware*.yml")]
    return {name: block for file in files for name, block in yaml.safe_load(file.read_text()).items()}


def read_block(folder: Path, model: type[Block], /, **changes: Any) -> Block:
    """Give a block as the files of a folder such as conf/base have it, but for some values, nested ones too."""
    values: dict[str, Any] = reduce(lambda block, name: block[name], model.block.split("."), read_parameters(folder))
    # beside what all variants share stands which of them are trained
    known = {name: value for name, value in values.items() if name in model.model_fields}
    return model.model_validate(merged(known, changes))


def merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Put a block's own values over those that it shares, key by key; a component with another name replaces all."""
    result = deepcopy(dict(shared))
    for key, value in own.items():
        known = result.get(key)
        if isinstance(value, Mapping) and isinstance(known, Mapping) and not _names_another(value, known):
            result[key] = merged(known, value)
        else:
            result[key] = deepcopy(value)
    return result


def check_names(given: Any, known: Any, prefix: str = "") -> None:
    """Raise SettingError where a block or variant that is given does not exist: Kedro would add it silently."""
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for name in given:
            if name not in known:
                raise SettingError(f"--params {prefix}{name}: unknown name; {nearest_of(name, known)}")
        if not prefix:
            check_names(given.get("variants"), known.get("variants"), "variants.")


def replace_components(parameters: dict[str, Any], known: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Leave a component that is given another name none of the options that the files give the one it replaces.

    ``parameters`` are what the files say, ``known``, mixed with what is given; they are changed.
    """
    for key, value in given.items():
        before = known.get(key)
        if not isinstance(value, Mapping) or not isinstance(before, Mapping):
            continue
        if _names_another(value, before):
            parameters[key] = dict(value)
        else:
            replace_components(parameters[key], before, value)


def without_effect(given: Mapping[str, Any], variant: VariantConfig, block: str) -> list[str]:
    """Say which settings that ``--params`` gives all variants one of them does not take, a line each, and why.

    ``block`` is the name of the one under ``variants`` that it has its own values from.
    """
    lines = []
    settings, tried = variant.model_dump(), variant.name.startswith(TRIAL)
    given_it = {path for path, _ in _changes(given.get("variants", {}).get(block, {}), settings)}
    for path, change in _changes(given.get("training", {}), settings):
        of_budget = tried and path in ExperimentsConfig.model_fields
        # the names of trials say what is tried
        if variant.name.startswith(f"{TRIAL}{path}") or (path in given_it and not of_budget):
            continue
        if VariantConfig.model_validate(merged(settings, change)) != variant:
            place = "experiments" if of_budget else f"variants.{block}"
            value = reduce(lambda values, name: values[name], path.split("."), settings)
            lines.append(
                f"{_typed('training', change)} has no effect on {variant.name}: {place}.{path} is {_written(value)}."
                f" For it, too: {_typed(place, change)}"
            )
    return lines


def _changes(given: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each known setting's path and its value as nested blocks; a component is one setting."""
    for key, value in given.items():
        if isinstance(value, Mapping) and "name" not in settings[key]:
            yield from ((f"{key}.{path}", {key: change}) for path, change in _changes(value, settings[key]))
        elif key in settings:
            yield key, {key: value}


def _typed(place: str, change: Mapping[str, Any]) -> str:
    return f"--params {','.join(f'{place}.{path}={_written(value)}' for path, value in flattened(change).items())}"


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_written(each)}' for name, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return str(value).lower() if isinstance(value, bool | None) else str(value)


def _names_another(value: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    return "name" in value and value["name"] != known.get("name")

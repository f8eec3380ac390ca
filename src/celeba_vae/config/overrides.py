"""What ``--params`` gives: its names, the components that it replaces, and what it says without effect."""

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

from celeba_vae.config import TRIAL, ExperimentsConfig, VariantConfig
from celeba_vae.config.reading import merged, names_another
from celeba_vae.config.wording import flattened, nearest_of
from celeba_vae.errors import SettingError


def check_names(given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise SettingError where a block or variant that is given does not exist: Kedro would add it silently."""
    _check_names(given, known)
    _check_names(given.get("variants"), known.get("variants"), "variants.")


def replace_components(parameters: dict[str, Any], known: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Leave a component that is given another name none of the options that the files give the one it replaces.

    ``parameters`` are what the files say, ``known``, mixed with what is given; they are changed.
    """
    for key, value in given.items():
        before = known.get(key)
        if not isinstance(value, Mapping) or not isinstance(before, Mapping):
            continue
        if names_another(value, before):
            parameters[key] = dict(value)
        else:
            replace_components(parameters[key], before, value)


def without_effect(given: Mapping[str, Any], variant: VariantConfig, block: str) -> list[str]:
    """Say which settings that ``--params`` gives a variant, or all, it has no use for or does not take, and why.

    A line each; ``block`` is the name of the one under ``variants`` that it has its own values from.
    """
    settings = variant.model_dump()
    tried = variant.name.startswith(TRIAL)
    shared = given.get("training", {})
    own = given.get("variants", {}).get(block, {})
    useless = VariantConfig.of_other_model(variant.model)
    lines = []
    for place, changes in (("training", shared), (f"variants.{block}", own)):
        for path, change in _changes(changes, settings):
            if path in useless:
                lines.append(f"{_typed(place, change)} has no effect on {variant.name}: {useless[path]}.")
    given_it = {path for path, _ in _changes(own, settings)}
    for path, change in _changes(shared, settings):
        if path in useless:
            continue
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


def _check_names(given: Any, known: Any, prefix: str = "") -> None:
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for name in given:
            if name not in known:
                raise SettingError(f"--params {prefix}{name}: unknown name; {nearest_of(name, known)}")


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

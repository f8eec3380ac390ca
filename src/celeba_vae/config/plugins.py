"""From a component's name in the parameters to the component: an entry point's name or an import string.

A component is a Pydantic model: its fields are its options, its methods do the work. Built-ins are registered as entry
points of this package, in the same groups that third-party packages use, so nothing here knows any of them.
"""

import importlib
from importlib.metadata import entry_points
from typing import Any

from pydantic import BaseModel, ValidationError

from celeba_vae.config import ComponentConfig
from celeba_vae.config.validation import problems
from celeba_vae.config.wording import did_you_mean, nearest_of
from celeba_vae.errors import SettingError


def known_names(kind: str) -> list[str]:
    """Names registered for a kind of component, sorted."""
    return sorted({entry.name for entry in entry_points(group=f"celeba_vae.{kind}")})


def registering_packages(kind: str) -> set[str]:
    """Give the top-level packages that register components of a kind."""
    return {entry.module.partition(".")[0] for entry in entry_points(group=f"celeba_vae.{kind}")}


def create_component(kind: str, config: ComponentConfig) -> Any:
    """Make the component that ``config`` names, with its options validated.

    Raises:
        SettingError: the name is unknown or registered twice, what it names can't be imported or is no component, or an
            option is wrong; the message lists the known names and the nearest.
    """
    component = _find(kind, config.name)
    which = f"{_singular(kind)} '{config.name}'"
    if not (isinstance(component, type) and issubclass(component, BaseModel)):
        raise SettingError(f"{which} is no component: it must be a class derived from BaseModel.")
    # Pydantic's default is to ignore unknown names, which a plugin's author may not have thought of
    for option in config.options.keys() - component.model_fields.keys():
        raise SettingError(f"{which}: {option}: unknown name; {nearest_of(option, component.model_fields)}")
    try:
        return component(**config.options)
    except ValidationError as error:
        raise SettingError(f"{which}: {'; '.join(problems(error, component))}") from error


def component_record(kind: str, config: ComponentConfig) -> dict[str, Any]:
    """Give the component's name and all its options, defaults too, for JSON; raises as ``create_component`` does."""
    return {"name": config.name, **create_component(kind, config).model_dump(mode="json")}


def _find(kind: str, name: str) -> Any:
    registered = {entry.value: entry for entry in entry_points(group=f"celeba_vae.{kind}", name=name)}
    if len(registered) > 1:
        raise SettingError(
            f"{_singular(kind)} '{name}' is registered more than once. Name one: {', '.join(sorted(registered))}."
        )
    try:
        for entry in registered.values():
            return entry.load()
        if ":" in name:
            module, _, attribute = name.partition(":")
            return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingError(f"{_singular(kind)} '{name}' can't be imported: {error}") from error
    known = known_names(kind)
    raise SettingError(
        f"Unknown {_singular(kind)} '{name}'.{did_you_mean(name, known)} Known:"
        f" {', '.join(known) or 'none (install the project)'}; or give package.module:object."
    )


def _singular(kind: str) -> str:
    return kind.replace("_", " ").removesuffix("es" if kind.endswith("sses") else "s")

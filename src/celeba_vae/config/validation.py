"""Wrong parameters in words: one line for each wrong value, with its full name and the nearest known one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ValidationError

from celeba_vae.config import (
    TRIAL,
    DataEngineeringConfig,
    EvaluationConfig,
    ExperimentsConfig,
    GenerationConfig,
    HardwareConfig,
    VariantConfig,
)
from celeba_vae.config.wording import nearest_of
from celeba_vae.errors import SettingError


class _Blocks(BaseModel):
    """All blocks but those of the variants."""

    data_engineering: DataEngineeringConfig
    generation: GenerationConfig
    evaluation: EvaluationConfig
    experiments: ExperimentsConfig
    hardware: HardwareConfig


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Raise SettingError with a line for each value that is wrong or missing; ``variants`` is completed by then."""
    shared = {key: value for key, value in parameters["training"].items() if key != "variants"}
    of_all = _check(shared, VariantConfig, "training")
    found = _check(parameters, _Blocks) + of_all
    for name, block in parameters["variants"].items():
        # trials are made of other blocks, whose errors would be said again
        of_one = [] if name.startswith(TRIAL) else _check(block, VariantConfig, name)
        found += [f"variants.{line}" for line in of_one if f"training{line.removeprefix(name)}" not in of_all]
    if found:
        heading = "Wrong parameters (conf/*/parameters_*.yml, hardware.yml or --params):"
        raise SettingError("\n  ".join([heading, *found]))


@contextmanager
def of_setting(name: str) -> Iterator[None]:
    """Name a setting in the error that it leads to."""
    try:
        yield
    except SettingError as error:
        raise SettingError(f"{name}: {error}") from error


def problems(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[str]:
    """Write what is wrong, one line a value: ``kl_weight: Input should be greater than or equal to 0 (given -1)``."""
    messages: dict[str, list[str]] = {}
    for problem in error.errors():
        path, fields = _path(problem["loc"], model)
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = f"unknown name; {nearest_of(path[-1], fields)}"
        elif problem["type"] != "missing" and not isinstance(problem["input"], Mapping):
            message += f" (given {problem['input']!r})"
        messages.setdefault(".".join(filter(None, [prefix, *path])), []).append(message)
    return [f"{name}: {'; or '.join(each)}" if name else "; or ".join(each) for name, each in messages.items()]


def _check(block: Any, model: type[BaseModel], name: str = "") -> list[str]:
    try:
        model.model_validate(block)
    except ValidationError as error:
        return problems(error, model, name)
    return []


def _path(location: tuple[int | str, ...], model: Any) -> tuple[list[str], list[str]]:
    """Keep the field names of a location (it also names the branches of unions), and the names known where it ends."""
    path = []
    fields = getattr(model, "model_fields", {})
    for part in location:
        if not fields:
            break
        path.append(str(part))
        if part not in fields:
            break
        fields = getattr(fields[part].annotation, "model_fields", {})
    return path, list(fields)

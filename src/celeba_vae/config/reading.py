"""Parameter blocks as the files have them, and one put over another."""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache, reduce
from pathlib import Path
from typing import Any, TypeVar

import yaml

from celeba_vae.config import Parameters

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
        if isinstance(value, Mapping) and isinstance(known, Mapping) and not names_another(value, known):
            result[key] = merged(known, value)
        else:
            result[key] = deepcopy(value)
    return result


def names_another(value: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Say whether a component's block is given the name of another component than the known one."""
    return "name" in value and value["name"] != known.get("name")

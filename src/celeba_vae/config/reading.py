"""Parameter blocks straight from the files, for code that runs without Kedro: tests, benchmarks, notebooks."""

from functools import cache, reduce
from pathlib import Path
from typing import Any, TypeVar

import yaml

from celeba_vae.config.base import Parameters
from celeba_vae.config.overrides import merged

Block = TypeVar("Block", bound=Parameters)


@cache
def read_parameters(folder: Path) -> dict[str, Any]:
    """Give the parameter blocks that the files of a folder such as conf/base hold, as they stand there."""
    files = [*folder.glob("parameters*.yml"), *folder.glob("hardware*.yml")]
    return {name: block for file in files for name, block in yaml.safe_load(file.read_text()).items()}


def read_block(folder: Path, model: type[Block], /, **changes: Any) -> Block:
    """Give a block as the files of a folder such as conf/base have it, but for some values, nested ones too.

    Example:
        >>> read_block(Path("conf/base"), VariantConfig, epochs=3).batch_size  # doctest: +SKIP
        128
    """
    values: dict[str, Any] = reduce(lambda block, name: block[name], model.block.split("."), read_parameters(folder))
    # beside what all variants share stands which of them are trained
    known = {name: value for name, value in values.items() if name in model.model_fields}
    return model.model_validate(merged(known, changes))

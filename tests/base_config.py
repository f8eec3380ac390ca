"""Settings as conf/base has them: ``base_config(VariantConfig, epochs=3)`` changes what a test is about."""

from functools import partial
from pathlib import Path
from typing import Any

from celeba_vae.config.reading import read_block, read_parameters
from celeba_vae.config.variants import expand_variants

CONF = Path(__file__).parents[1] / "conf/base"

base_config = partial(read_block, CONF)


def base_parameters() -> dict[str, Any]:
    """All blocks, the variants' completed."""
    return expand_variants(read_parameters(CONF))

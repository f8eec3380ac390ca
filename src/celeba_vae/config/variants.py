"""Model variants: blocks of parameters that shape the graph before it is built.

Kedro builds the pipelines before any node sees a parameter, so what the graph's form depends on (which variants are
trained, generate images, are compared) is read once, when the context is created, and kept here for the registry.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from celeba_vae.config import TRIAL, ExperimentsConfig
from celeba_vae.config.overrides import merged
from celeba_vae.errors import SettingError


@dataclass(frozen=True)
class GraphShape:
    """The variants' names that the pipelines are built for.

    Args:
        trained: Those that are trained.
        every: All that have a block.
        generated: The one that generates images.
        sampled: Those that are compared by the images of the same points.
        compared: Those that are evaluated.
        tried: Those of the experiments.
    """

    trained: tuple[str, ...]
    every: tuple[str, ...]
    generated: str
    sampled: tuple[str, ...]
    compared: tuple[str, ...]
    tried: tuple[str, ...]

    @property
    def swept(self) -> str:
        """Of those that are evaluated, the one that generates images; else the last."""
        return self.generated if self.generated in self.compared else self.compared[-1]


@dataclass(frozen=True)
class Graph:
    """What the pipelines are built for.

    Args:
        shape: The variants' names; None: no context has said them yet.
        trains_only: Leave nothing but the training in the pipelines that train: this process helps another one.
    """

    shape: GraphShape | None = None
    trains_only: bool = False


_graph = Graph()


def use_graph(shape: GraphShape, trains_only: bool = False) -> None:
    """Build the pipelines for this shape from now on, see ``Graph``."""
    global _graph
    _graph = Graph(shape, trains_only)


def current_graph() -> Graph:
    """Give what the pipelines are to be built for."""
    return _graph


def expand_variants(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Complete each block under ``variants`` with what ``training`` says for all variants; a block's own value wins.

    What ``experiments`` names becomes blocks, too, see ``_trials``.

    Raises:
        SettingError: ``training``, ``variants`` or a variant is no block, or ``experiments`` names one that is not
            there.
    """
    training = _block(parameters.get("training"), "training")
    shared = {key: value for key, value in training.items() if key != "variants"}
    variants = {
        name: {**merged(shared, _block(block, f"variants.{name}")), "name": name}
        for name, block in _block(parameters.get("variants"), "variants").items()
    }
    variants |= _trials(_block(parameters.get("experiments"), "experiments"), variants)
    return {**deepcopy(dict(parameters)), "training": deepcopy(dict(training)), "variants": variants}


def graph_shape(parameters: Mapping[str, Any]) -> GraphShape:
    """Read from the parameters, which are complete, which variants the pipelines are built for.

    Raises:
        SettingError: a name has no block under ``variants``, or is not fit to be a name.
    """
    every = tuple(parameters["variants"])
    tried = tuple(name for name in every if name.startswith(TRIAL))
    for name in every:
        if not str(name).isidentifier():
            raise SettingError(
                f"The variant name '{name}' under variants (parameters_training.yml) must be an identifier."
            )
    untried = tuple(name for name in every if name not in tried)
    trained = _names(parameters["training"].get("variants") or untried)
    generated = parameters["generation"]["variant"]
    sampled = _names(parameters["generation"]["compared"])
    compared = _names(parameters["evaluation"]["variants"])
    named = {
        "training.variants": trained,
        "generation.variant": (generated,),
        "generation.compared": sampled,
        "evaluation.variants": compared,
    }
    for setting, names in named.items():
        for name in names:
            if names.count(name) > 1:
                raise SettingError(f"{setting} names '{name}' more than once.")
            if name not in every:
                raise SettingError(
                    f"{setting} names '{name}', but parameters_training.yml has no such block under variants."
                    f" Known: {', '.join(untried) or 'none'}."
                )
    return GraphShape(trained, every, generated, sampled, compared, tried)


def _trials(experiments: Mapping[str, Any], blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Make a block of each variant that experiments train on their budget, and of each value that they try.

    Each name begins with ``trial_``. Values that the block has anyway are tried once.
    """
    try:
        settings = ExperimentsConfig.model_validate(experiments)
    except ValidationError:
        # said with all else that is wrong, once the blocks are complete
        return {}
    for name in (*settings.variants, settings.like):
        if name not in blocks:
            raise SettingError(
                f"experiments names '{name}', but parameters_training.yml has no such block under variants."
                f" Known: {', '.join(blocks) or 'none'}."
            )
    budget = {"image_count": settings.image_count, "epochs": settings.epochs}
    wanted = {name: blocks[name] for name in settings.variants}
    for key, values in (("kl_weight", settings.kl_weights), ("latent_dim", settings.latent_dims)):
        for value in values:
            wanted[f"{key}_{value:g}".replace(".", "_").replace("-", "_")] = {**blocks[settings.like], key: value}
    trials: dict[str, Any] = {}
    for name, block in wanted.items():
        trial = {**block, **budget}
        if trial not in [{**other, "name": trial["name"]} for other in trials.values()]:
            trials[f"{TRIAL}{name}"] = {**trial, "name": f"{TRIAL}{name}"}
    return trials


def _block(value: Any, name: str) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise SettingError(f"{name} (parameters_training.yml) must be a block of settings, not {value!r}.")
    return value or {}


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)

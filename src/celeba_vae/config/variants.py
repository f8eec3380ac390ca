"""Model variants: blocks of parameters that shape the graph.

Kedro builds the pipelines before any node sees a parameter, so what their form depends on (which variants are trained,
generate images, are compared) is read when the context is created, and kept here for the registry.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from celeba_vae.config import TRIAL, ExperimentsConfig
from celeba_vae.config.reading import merged
from celeba_vae.errors import SettingError


@dataclass(frozen=True)
class GraphShape:
    """What the pipelines are built for: the variants' names, and whether this process only helps another one train."""

    trained: tuple[str, ...]
    every: tuple[str, ...]  # all that have a block
    generated: str  # the one that generates images
    sampled: tuple[str, ...]  # those that are compared by the images of the same points
    compared: tuple[str, ...]  # those that are evaluated
    tried: tuple[str, ...]  # those of the experiments
    trains_only: bool = False  # the pipelines hold nothing but the training

    @property
    def swept(self) -> str:
        """Of those that are evaluated, the one that generates images; else the last."""
        return self.generated if self.generated in self.compared else self.compared[-1]


_shape: GraphShape | None = None


def use_graph(shape: GraphShape) -> None:
    """Build the pipelines for this shape from now on."""
    global _shape
    _shape = shape


def current_graph() -> GraphShape | None:
    """Give the shape that the pipelines are to be built for; None: no context has said it yet."""
    return _shape


def expand_variants(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Complete each block under ``variants`` with what ``training`` says for all, and add those of ``experiments``.

    Raises:
        SettingError: one of these is no block, or ``experiments`` names one that is not there.
    """
    training = _block(parameters.get("training"), "training")
    shared = {key: value for key, value in training.items() if key != "variants"}
    variants = {
        name: {**merged(shared, _block(block, f"variants.{name}")), "name": name}
        for name, block in _block(parameters.get("variants"), "variants").items()
    }
    variants |= _trials(_block(parameters.get("experiments"), "experiments"), variants)
    return {**deepcopy(dict(parameters)), "training": deepcopy(dict(training)), "variants": variants}


def graph_shape(parameters: Mapping[str, Any], trains_only: bool = False) -> GraphShape:
    """Read from the parameters, which are complete, which variants the pipelines are built for.

    Raises:
        SettingError: a name has no block under ``variants``, or is not fit to be a name.
    """
    every = tuple(parameters["variants"])
    for name in every:
        if not str(name).isidentifier():
            raise SettingError(
                f"The variant name '{name}' under variants (parameters_training.yml) must be an identifier."
            )
    tried = tuple(name for name in every if name.startswith(TRIAL))
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
                raise _unknown_block(setting, name, untried)
    return GraphShape(trained, every, generated, sampled, compared, tried, trains_only)


def _trials(experiments: Mapping[str, Any], blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Make a block of each variant that experiments train, and of each value that they try and no other block has."""
    try:
        settings = ExperimentsConfig.model_validate(experiments)
    except ValidationError:
        # said with all else that is wrong, once the blocks are complete
        return {}
    for name in (*settings.variants, settings.like):
        if name not in blocks:
            raise _unknown_block("experiments", name, blocks)
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


def _unknown_block(setting: str, name: str, known: Iterable[str]) -> SettingError:
    return SettingError(
        f"{setting} names '{name}', but parameters_training.yml has no such block under variants."
        f" Known: {', '.join(known) or 'none'}."
    )


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)

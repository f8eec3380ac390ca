"""Variants found by what their settings say, and paired where they differ in nothing but what is compared."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeVar

from celeba_vae.claims.evidence import VariantEvidence

# what has no effect on a model, or the same: names, previews, checkpoints, where the KL term enters
WITHOUT_EFFECT = {"name", "fresh", "checkpoint_steps", "keep_checkpoints", "preview_epochs", "kl_term"}
OF_A_VAE = {"kl_weight", "kl_schedule", "free_bits"}
TEST_SPLIT = "data_engineering.split in parameters_data_engineering.yml"
# Of the test images' reconstructions: on drawn faces 162 steps gave 17% and grey ghosts, 525 steps 84% and clear faces.
HARDLY_TRAINED = 0.3

Candidate, Result = TypeVar("Candidate"), TypeVar("Result")


class EvidenceError(Exception):
    """A variant or a figure is missing; the message says which, and what helps."""


@dataclass(frozen=True)
class Outcome:
    """What a check came to: whether the claim holds, the run's figures in words, and what else would help.

    ``holds`` is None where the figures are there, but too close to tell.
    """

    holds: bool | None
    figure: str
    hint: str = ""


def setting(variant: VariantEvidence, path: str) -> Any:
    """Give one of a variant's settings, such as ``encoder.dense_units``; None where it is not set."""
    return _flat(variant.settings).get(path)


def of_model(variants: Iterable[VariantEvidence], model: str) -> list[VariantEvidence]:
    """Give those that are a ``vae`` or an ``ae``."""
    return [variant for variant in variants if setting(variant, "model") == model]


def differ_only_in(first: VariantEvidence, second: VariantEvidence, *paths: str) -> bool:
    """Say whether two variants have the same settings but for those named, such as ``decoder`` or ``decoder.name``.

    What has no effect on a model does not count, nor, where one of the two is a plain autoencoder, what only a
    variational one has.
    """
    ignored = WITHOUT_EFFECT | set(paths)
    if "ae" in (setting(first, "model"), setting(second, "model")):
        ignored |= OF_A_VAE
    return _without(first, ignored) == _without(second, ignored)


def pairs(
    first: Iterable[VariantEvidence], second: Sequence[VariantEvidence], *paths: str
) -> list[tuple[VariantEvidence, VariantEvidence]]:
    """Give each of the first with each of the second that differs from it only in ``paths``."""
    return [
        (one, other) for one in first for other in second if one is not other and differ_only_in(one, other, *paths)
    ]


def series(variants: Sequence[VariantEvidence], path: str) -> list[VariantEvidence]:
    """Give the longest series of variants that differ only in a number, by its value, the first given of each value."""
    members = [variant for variant in variants if is_known(setting(variant, path))]
    found = [
        {setting(other, path): other for other in reversed(members) if differ_only_in(variant, other, path)}
        for variant in members
    ]
    longest = max(found, key=len, default={})
    return [longest[value] for value in sorted(longest)]


def has(variant: VariantEvidence, group: str, measure: str) -> bool:
    """Say whether a figure of a variant is there and finite."""
    return is_known(variant.measured.get(group, {}).get(measure))


def figure(variant: VariantEvidence, group: str, measure: str) -> float:
    """Give a figure of a variant.

    Raises:
        EvidenceError: it is missing or not finite, or the variant is hardly trained.
    """
    ensure_trained(variant)
    if not has(variant, group, measure):
        missing = f"{variant.name} has no {measure} of {group}: kedro run --pipelines evaluation"
        if variant.measured and "test" not in variant.measured:
            missing = f"There are no test images to measure {variant.name} on. Give the test split some: {TEST_SPLIT}"
        raise EvidenceError(variant.problem or missing)
    return float(variant.measured[group][measure])


def ensure_trained(variant: VariantEvidence) -> None:
    """Refuse to conclude anything from a variant whose reconstructions explain next to nothing.

    Raises:
        EvidenceError: it is hardly trained.
    """
    explained = variant.measured.get("test", {}).get("explained_variance")
    if is_known(explained) and explained < HARDLY_TRAINED:
        raise EvidenceError(
            f"{variant.name} is hardly trained: its reconstructions explain {explained:.0%} of the test images'"
            " variance. Train longer: more epochs or images."
        )


def is_known(value: Any) -> bool:
    """Say whether a value is a finite number."""
    return isinstance(value, Real) and math.isfinite(value)


def first_known(candidates: Iterable[Candidate], read: Callable[[Candidate], Result], otherwise: str) -> Result:
    """Give what is read from the first candidate that has all that is needed.

    Raises:
        EvidenceError: none has; with what the first lacks, or ``otherwise`` where there is no candidate at all.
    """
    missing: list[EvidenceError] = []
    for candidate in candidates:
        try:
            return read(candidate)
        except EvidenceError as error:
            missing.append(error)
    raise missing[0] if missing else EvidenceError(otherwise)


def _without(variant: VariantEvidence, ignored: set[str]) -> dict[str, Any]:
    return {
        path: value
        for path, value in _flat(variant.settings).items()
        if not any(path == each or path.startswith(f"{each}.") for each in ignored)
    }


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Give nested settings by their paths, without those that are not set."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        elif value is not None and value != "none":
            # a list from JSON is the tuple that it was made from
            flat[prefix + name] = tuple(value) if isinstance(value, list) else value
    return flat

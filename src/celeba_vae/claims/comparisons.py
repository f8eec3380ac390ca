"""Variants found by what their settings say, paired where they differ in nothing but what is compared, and in words."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeGuard, TypeVar

from celeba_vae.config import VariantConfig
from celeba_vae.config.wording import flattened
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant

Variants = Sequence[EvaluatedVariant]
# of a sweep, in any order
Rows = Sequence[Mapping[str, float | None]]
Pair = tuple[EvaluatedVariant, EvaluatedVariant]
Candidate = TypeVar("Candidate")

# the articles' VAEs have it
ARTICLES_KL_WEIGHT = 5.0
# A tenth of a decibel is 2% of squared error: less counts as no difference.
CLEAR_DECIBELS = 0.1
# The SWD of a few hundred images from N(0, I) differs by 2% to 3% from seed to seed (standard deviation).
CLEAR_SWD = 0.05
EXPERIMENTS = "kedro run --pipelines experiments"
TEST_SPLIT = "data_engineering.split in parameters_data_engineering.yml"
# Of the test images' reconstructions: on drawn faces 162 steps gave 17% and grey ghosts, 525 steps 84% and clear faces.
HARDLY_TRAINED = 0.3


class EvidenceError(Exception):
    """A variant or a measure is missing; the message says which, and what helps."""


@dataclass(frozen=True)
class Evidence:
    """What claims are checked on: variants, and two sweeps of the one named ``swept``, see ``metrics.sweeps.sweep``.

    Variants are found by what their settings say; where several fit a claim, the first that has all measures counts.
    ``doubt`` is why test images decide nothing, empty where they do.
    """

    variants: Variants = ()
    distance: Rows = ()
    sharpening: Rows = ()
    swept: str = ""
    doubt: str = ""

    def of_sweep(self, rows: Rows) -> Rows:
        """Give a sweep's rows; an EvidenceError where the variant is hardly trained, or there are none."""
        for variant in self.variants:
            if variant.name == self.swept:
                ensure_trained(variant)
                if not rows:
                    no_images = f"There are no test images. Give their split some: {TEST_SPLIT}"
                    raise EvidenceError(variant.problem or no_images)
        return rows


@dataclass(frozen=True)
class Outcome:
    """Whether a claim holds, None where it is too close to tell, the run's numbers in words, and what would help."""

    holds: bool | None
    words: str
    hint: str = ""


def setting(variant: EvaluatedVariant, path: str) -> Any:
    """Give one of a variant's settings, such as ``encoder.dense_units``; None where it is not set."""
    return _flat_settings(variant).get(path)


def of_model(variants: Iterable[EvaluatedVariant], model: str) -> list[EvaluatedVariant]:
    """Give those that are a ``vae`` or an ``ae``."""
    return [variant for variant in variants if setting(variant, "model") == model]


def usual_first(vaes: Iterable[EvaluatedVariant]) -> list[EvaluatedVariant]:
    """Order VAEs by how near kl_weight, as a factor, is to the articles'."""
    weighted = [vae for vae in vaes if is_known(setting(vae, "kl_weight"))]
    return sorted(weighted, key=lambda vae: abs(math.log(max(setting(vae, "kl_weight"), 1e-12) / ARTICLES_KL_WEIGHT)))


def differ_only_in(first: EvaluatedVariant, second: EvaluatedVariant, *paths: str) -> bool:
    """Say whether two variants have the same settings but for those named, such as ``decoder`` or ``decoder.name``.

    What has no effect on a model does not count, nor, beside a plain autoencoder, what only a variational one has.
    """
    ignored = {"name", *paths}
    for variant in (first, second):
        ignored |= VariantConfig.settings_that_change(setting(variant, "model") or "vae", "nothing", "rounding")
    return _without(first, ignored) == _without(second, ignored)


def pairs(first: Iterable[EvaluatedVariant], second: Variants, *paths: str) -> list[Pair]:
    """Give each of the first with each of the second that differs from it only in ``paths``."""
    return [
        (one, other) for one in first for other in second if one is not other and differ_only_in(one, other, *paths)
    ]


def series(variants: Variants, path: str) -> list[EvaluatedVariant]:
    """Give the longest series of variants that differ only in a number, by its value, the first given of each value."""
    members = [variant for variant in variants if is_known(setting(variant, path))]
    found = [
        {setting(other, path): other for other in reversed(members) if differ_only_in(variant, other, path)}
        for variant in members
    ]
    longest = max(found, key=len, default={})
    return [longest[value] for value in sorted(longest)]


def has(variant: EvaluatedVariant, group: str, measure: str) -> bool:
    """Say whether a measure of a variant is there and finite."""
    return is_known(variant.measured.get(group, {}).get(measure))


def value_of(variant: EvaluatedVariant, group: str, measure: str) -> float:
    """Give a measure of a variant; an EvidenceError where it is not known, or the variant is hardly trained."""
    ensure_trained(variant)
    value = variant.measured.get(group, {}).get(measure)
    if not is_known(value):
        missing = f"{variant.name} has no {measure} of {group}: kedro run --pipelines evaluation"
        if variant.measured and "test" not in variant.measured:
            missing = f"There are no test images to measure {variant.name} on. Give the test split some: {TEST_SPLIT}"
        raise EvidenceError(variant.problem or missing)
    return float(value)


def prior_group(variant: EvaluatedVariant) -> str:
    """Give the group of a variant's images of N(0, I); an EvidenceError where there are none."""
    if not variant.prior_group:
        raise EvidenceError(
            variant.problem or "Give evaluation.samplers normal with scale 1: kedro run --pipelines evaluation"
        )
    return variant.prior_group


def ensure_trained(variant: EvaluatedVariant) -> None:
    """Raise an EvidenceError for a variant that is hardly trained: its reconstructions explain next to nothing."""
    explained = variant.measured.get("test", {}).get("explained_variance")
    if is_known(explained) and explained < HARDLY_TRAINED:
        raise EvidenceError(
            f"{variant.name} is hardly trained: its reconstructions explain {explained:.0%} of the test images'"
            " variance. Train longer: more epochs or images."
        )


def is_known(value: Any) -> TypeGuard[float]:
    """Say whether a value is a finite number."""
    return isinstance(value, Real) and math.isfinite(value)


def first_known(candidates: Iterable[Candidate], check: Callable[[Candidate], Outcome], otherwise: str) -> Outcome:
    """Give the outcome for the first candidate that has all that is needed.

    Where none has, the EvidenceError says what the first lacks, or ``otherwise`` where there is no candidate at all.
    """
    missing: list[EvidenceError] = []
    for candidate in candidates:
        try:
            return check(candidate)
        except EvidenceError as error:
            missing.append(error)
    raise missing[0] if missing else EvidenceError(otherwise)


def no_pair(variants: str) -> str:
    """Say that there are no such variants to compare, and what makes them."""
    return f"Evaluate {variants} with otherwise the same settings: {EXPERIMENTS}"


def named(pair: Variants) -> str:
    """Name variants that are compared."""
    return " and ".join(each.name for each in pair)


def psnr_words(value: float, other: float) -> str:
    """Set two PSNR beside one another."""
    lead = value - other
    return f"PSNR {value:.1f} dB against {other:.1f} dB, {abs(lead):.1f} dB {'better' if lead >= 0 else 'worse'}"


def less(value: float, other: float) -> str:
    """Say by what share a value is less than the other, or more, as the rest of a sentence."""
    return f", {abs(1 - value / other):.0%} {'less' if value <= other else 'more'}" if other else ""


def listed(values: Iterable[float]) -> str:
    """List numbers."""
    return ", ".join(f"{value:g}" for value in values) or "none"


def _without(variant: EvaluatedVariant, ignored: set[str]) -> dict[str, Any]:
    return {
        path: value
        for path, value in _flat_settings(variant).items()
        if not any(path == each or path.startswith(f"{each}.") for each in ignored)
    }


def _flat_settings(variant: EvaluatedVariant) -> dict[str, Any]:
    """Give a variant's settings as it was trained, by their paths, without those that are not set."""
    return {
        # a list from JSON is the tuple that it was made from
        path: tuple(value) if isinstance(value, list) else value
        for path, value in flattened(variant.configuration).items()
        if path.partition(".")[0] in VariantConfig.model_fields and value is not None and value != "none"
    }

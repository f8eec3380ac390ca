"""Components that compare a set of images, such as generated ones, with the originals.

The arithmetic is in ``features``, ``distribution``, ``artefacts`` and ``reconstruction``.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from celeba_vae.metrics.artefacts import border_and_centre, line_energy, power_spectra
from celeba_vae.metrics.distribution import SMALLEST_LEVEL, sliced_wasserstein_distance
from celeba_vae.metrics.features import frechet_distance, kernel_distance
from celeba_vae.metrics.inception import InceptionFeatures
from celeba_vae.metrics.measures import Arrays, DistributionMetric, Measure, Measured, Summary
from celeba_vae.metrics.reconstruction import laplacian_variance
from celeba_vae.metrics.streaming import RandomSample, RunningCovariance, RunningVariance
from celeba_vae.models.inference import to_uint8

OWN_SCALE = "Inception with Keras' ImageNet weights: comparable with one another, not with published figures"
PER_ORIGINALS = "share of the originals'"


class DistributionMeasures:
    """Several distribution metrics over one set of images, given batch by batch.

    Args:
        metrics: What to measure.
        originals: The ``summaries`` of the set that it is compared with, from the same metrics.
    """

    def __init__(self, metrics: Sequence[DistributionMetric], originals: Sequence[Arrays] = ()) -> None:
        self._metrics, self._originals = metrics, originals
        self._summaries = [metric.start() for metric in metrics]

    def update(self, images: np.ndarray) -> None:
        """Take in a batch of images, (n, h, w, c) floats in [0, 1]."""
        for summary in self._summaries:
            summary.update(images)

    def summaries(self) -> list[Arrays]:
        """Give what each metric knows of the set, in their order."""
        return [summary.result() for summary in self._summaries]

    def result(self) -> Measured:
        """Give each metric's measures of the set against the originals."""
        triples = zip(self._metrics, self._originals, self.summaries(), strict=True)
        return {name: value for metric, *both in triples for name, value in metric.compare(*both).items()}


class _Available(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def unavailable(self) -> str | None:
        """Say what is missing to work here: nothing."""
        return None


class Inception(InceptionFeatures):
    """Fréchet distance (FID) and kernel distance (KID) in the features of Inception.

    A set needs 2,048 images or more for a covariance of full rank; FID's bias depends on the number, KID has none.
    """

    kept: PositiveInt = Field(5000, description="Images of each set, drawn at random, that the kernel distance is from")
    subsets: PositiveInt = Field(100, description="Subsets that the kernel distance is the mean over")
    subset_size: PositiveInt = Field(1000, ge=2, description="Images in each; all, where there are fewer")
    seed: int = Field(42, ge=0, description="Seed of what is drawn")

    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("fid", "FID", better="lower", number="{:.1f}", note=OWN_SCALE),
        Measure("kid", "KID", better="lower", number="{:.4f}", note=OWN_SCALE),
    )

    def start(self) -> Summary:
        """Begin to go through a set of images."""
        return _FeatureSummary(self)

    def compare(self, originals: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> Measured:
        """Give both distances; None for fewer than two images."""
        if not all("covariance" in each for each in (originals, others)):
            return {"fid": None, "kid": None}
        moments = [each[name] for each in (originals, others) for name in ("mean", "covariance")]
        features = originals["features"], others["features"]
        return {
            "fid": frechet_distance(*moments),
            "kid": kernel_distance(*features, subsets=self.subsets, subset_size=self.subset_size, seed=self.seed),
        }


class _FeatureSummary:
    def __init__(self, inception: Inception) -> None:
        self._inception = inception
        self._moments = RunningCovariance()
        self._sample = RandomSample(inception.kept, inception.seed)

    def update(self, images: np.ndarray) -> None:
        features = self._inception(images)
        self._moments.update(features)
        self._sample.update(features)

    def result(self) -> Arrays:
        covariance = self._moments.covariance()
        if covariance is None:
            return {}
        return {"mean": self._moments.mean, "covariance": covariance, "features": self._sample.rows}


class SlicedWasserstein(_Available):
    """Sliced Wasserstein distance on Laplacian pyramids: mean over the levels, the finest and the coarsest level."""

    images: PositiveInt = Field(1024, description="Images of each set, drawn at random; memory: 0.15 MB each")
    seed: int = Field(42, ge=0, description="Seed of the images, patches and directions")

    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "swd",
            "SWD",
            better="lower",
            number="{:.1f}",
            note="sliced Wasserstein distance times 1,000, mean over scales",
        ),
        Measure(
            "swd_finest", "SWD, finest scale", better="lower", number="{:.1f}", note="details and noise; times 1,000"
        ),
        Measure(
            "swd_coarsest", "SWD, coarsest scale", better="lower", number="{:.1f}", note="the large form; times 1,000"
        ),
    )

    def start(self) -> Summary:
        """Begin to go through a set of images."""
        return _ImageSample(self.images, self.seed)

    def compare(self, originals: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> Measured:
        """Give the distances of as many images of each; None where there are none, or smaller than 16 pixels."""
        sets = [each["images"] for each in (originals, others)]
        count = min(map(len, sets))
        if not count or min(sets[0].shape[1:3]) < SMALLEST_LEVEL:
            return {measure.name: None for measure in self.measures}
        chosen = (each[np.random.default_rng(self.seed).permutation(len(each))[:count]] for each in sets)
        levels = list(sliced_wasserstein_distance(*chosen, seed=self.seed).values())
        return {"swd": sum(levels) / len(levels), "swd_finest": levels[0], "swd_coarsest": levels[-1]}


class _ImageSample:
    def __init__(self, size: int, seed: int) -> None:
        self._sample = RandomSample(size, seed)

    def update(self, images: np.ndarray) -> None:
        self._sample.update(to_uint8(images))

    def result(self) -> Arrays:
        return {"images": self._sample.rows}


class CrossingLines(_Available):
    """``line_energy`` at the strides' periods as a share of the originals': above 1, lines that these don't have."""

    periods: tuple[PositiveInt, ...] = Field((2, 4, 8, 16), min_length=1, description="Periods of the lines in pixels")

    @property
    def measures(self) -> tuple[Measure, ...]:
        """One a period."""
        return tuple(
            Measure(
                self._name(period),
                f"Lines every {period} pixels",
                better="lower",
                number="{:,.1f}",
                note="power at that frequency against those beside it, times the originals'",
            )
            for period in self.periods
        )

    def start(self) -> Summary:
        """Begin to go through a set of images."""
        return _MeanOver("power", partial(power_spectra, multiple=math.lcm(*self.periods)))

    def compare(self, originals: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> Measured:
        """Give a value a period; None where the images are too small to have it three times."""
        energies = {
            self._name(period): (line_energy(others["power"], period), line_energy(originals["power"], period))
            for period in self.periods
        }
        return {name: _share(*pair) for name, pair in energies.items()}

    @staticmethod
    def _name(period: int) -> str:
        return f"lines_{period}"


class Variety(_Available):
    """Variance across the images: of all values, at the border (background), in the centre (face).

    Each as a share of the originals'. Images that all look alike have far less of it than real ones.
    """

    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("variance", "Variance", number="{:.0%}", note=PER_ORIGINALS),
        Measure("variance_border", "Variance at the border", number="{:.0%}", note=PER_ORIGINALS),
        Measure("variance_centre", "Variance in the centre", number="{:.0%}", note=PER_ORIGINALS),
    )

    def start(self) -> Summary:
        """Begin to go through a set of images."""
        return _PixelVariance()

    def compare(self, originals: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> Measured:
        """Give the shares; None for fewer than two images."""
        if not all("variance" in each for each in (originals, others)):
            return {measure.name: None for measure in self.measures}
        of_others, of_originals = (
            (float(variance.mean()), *border_and_centre(variance))
            for variance in (others["variance"], originals["variance"])
        )
        pairs = zip(of_others, of_originals, strict=True)
        return {measure.name: _share(*pair) for measure, pair in zip(self.measures, pairs, strict=True)}


class _PixelVariance:
    def __init__(self) -> None:
        self._images = RunningVariance()

    def update(self, images: np.ndarray) -> None:
        self._images.update(images)

    def result(self) -> Arrays:
        variance = self._images.variance()
        return {} if variance is None else {"variance": variance}


class SetSharpness(_Available):
    """Mean ``laplacian_variance`` as a share of the originals'."""

    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "sharpness",
            "Sharpness",
            number="{:.0%}",
            note=f"variance of the Laplacian, {PER_ORIGINALS}; noise and crossing lines raise it, too",
        ),
    )

    def start(self) -> Summary:
        """Begin to go through a set of images."""
        return _MeanOver("sharpness", laplacian_variance)

    def compare(self, originals: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> Measured:
        """Give the share; None where the originals are flat."""
        return {"sharpness": _share(float(others["sharpness"]), float(originals["sharpness"]))}


class _MeanOver:
    """The mean over images of what a function gives for each."""

    def __init__(self, name: str, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self._name, self._function = name, function
        self._values = RunningVariance()

    def update(self, images: np.ndarray) -> None:
        self._values.update(self._function(images))

    def result(self) -> Arrays:
        return {self._name: np.asarray(self._values.mean)}


def _share(value: float | None, of: float | None) -> float | None:
    return value / of if value is not None and of else None

"""Components that compare a set of images, such as generated ones, with real ones."""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from pydantic import Field, PositiveInt

from celeba_vae.config import Options
from celeba_vae.latent.statistics import RandomSample, RunningCovariance, RunningVariance
from celeba_vae.metrics.inception import InceptionFeatures
from celeba_vae.metrics.measures import DistributionMetric, Measure, Measured, Summary
from celeba_vae.metrics.reconstruction import Sharpness, laplacian_variance
from celeba_vae.metrics.set_distances import (
    SMALLEST_LEVEL,
    frechet_distance,
    kernel_distance,
    sliced_wasserstein_distance,
)
from celeba_vae.models.inference import to_uint8
from celeba_vae.storage import Arrays

OWN_SCALE = "Inception with Keras' ImageNet weights: comparable with one another, not with published figures"
PER_ORIGINALS = "share of the originals'"
_distance = partial(Measure, better="lower", number="{:.1f}")
# frequencies beside that of crossing lines, on each side, which say how much power there would be without them
NEIGHBOURS = 2
# rows, columns, and the two diagonals
DIRECTIONS = np.array([(1, 0), (0, 1), (1, 1), (1, -1)])
# of an image's sides: in a portrait, background and hair, and the face
BORDER, CENTRE = 1 / 8, 1 / 2


class DistributionMeasures:
    """Several distribution metrics over the first ``count`` images of a set, given batch by batch.

    ``real`` are the ``summaries`` of the set that it is compared with. Distances of sets of different size can't be
    compared with one another.
    """

    def __init__(
        self, metrics: Sequence[DistributionMetric], real: Sequence[Arrays] = (), count: int = sys.maxsize
    ) -> None:
        self._metrics = metrics
        self._real = real
        self._count = count
        self._taken = 0
        self._summaries = [metric.start() for metric in metrics]

    def update(self, images: np.ndarray) -> None:
        """Take in a batch of images, (n, h, w, c) floats in [0, 1]; those beyond ``count`` are left out."""
        images = images[: self._count - self._taken]
        if len(images):
            self._taken += len(images)
            for summary in self._summaries:
                summary.update(images)

    def summaries(self) -> list[Arrays]:
        """Give what each metric knows of the set, in their order."""
        return [summary.result() for summary in self._summaries]

    def result(self) -> Measured:
        """Give each metric's measures against the real set, and ``images``, their number; nothing without metrics."""
        measured: Measured = {}
        for metric, real, summary in zip(self._metrics, self._real, self.summaries(), strict=True):
            measured |= metric.compare(real, summary)
        return {**measured, "images": self._taken} if measured else {}


class _Available(Options):
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
        _distance("fid", "FID", note=OWN_SCALE),
        Measure("kid", "KID", better="lower", number="{:.4f}", note=OWN_SCALE),
    )

    def start(self) -> Summary:
        """Begin to go through a set of images."""
        moments = RunningCovariance()
        sample = RandomSample(self.kept, self.seed)
        return _Gathered(
            self,
            [moments, sample],
            lambda: {"mean": moments.mean, "covariance": moments.covariance(), "features": sample.rows},
        )

    def compare(self, real: Arrays, others: Arrays) -> Measured:
        """Give both distances; None for fewer than two images."""
        features = real["features"], others["features"]
        if min(map(len, features)) < 2:
            return {"fid": None, "kid": None}
        moments = real["mean"], real["covariance"], others["mean"], others["covariance"]
        return {
            "fid": frechet_distance(*moments),
            "kid": kernel_distance(*features, subsets=self.subsets, subset_size=self.subset_size, seed=self.seed),
        }


class SlicedWasserstein(_Available):
    """Sliced Wasserstein distance on Laplacian pyramids: mean over the levels, the finest and the coarsest level."""

    images: PositiveInt = Field(1024, description="Images of each set, drawn at random; memory: 0.15 MB each")
    seed: int = Field(42, ge=0, description="Seed of the images, patches and directions")

    measures: ClassVar[tuple[Measure, ...]] = (
        _distance("swd", "SWD", note="sliced Wasserstein distance times 1,000, mean over scales"),
        _distance("swd_finest", "SWD, finest scale", note="details and noise; times 1,000"),
        _distance("swd_coarsest", "SWD, coarsest scale", note="the large form; times 1,000"),
    )

    def start(self) -> Summary:
        """Begin to go through a set of images."""
        sample = RandomSample(self.images, self.seed)
        return _Gathered(to_uint8, [sample], lambda: {"images": sample.rows})

    def compare(self, real: Arrays, others: Arrays) -> Measured:
        """Give the distances of as many images of each; None where there are none, or smaller than 16 pixels."""
        sets = real["images"], others["images"]
        count = min(map(len, sets))
        if not count or min(sets[0].shape[1:3]) < SMALLEST_LEVEL:
            return {measure.name: None for measure in self.measures}
        first, second = (each[np.random.default_rng(self.seed).permutation(len(each))[:count]] for each in sets)
        levels = list(sliced_wasserstein_distance(first, second, self.seed).values())
        return {"swd": sum(levels) / len(levels), "swd_finest": levels[0], "swd_coarsest": levels[-1]}


class CrossingLines(_Available):
    """``line_energy`` at the strides' periods as a share of the real images': above 1, lines that these don't have.

    A decoder's strides leave them, four of 2 with periods of 2 to 16 pixels; Odena, Dumoulin and Olah, "Deconvolution
    and Checkerboard Artifacts" (2016).
    """

    periods: tuple[PositiveInt, ...] = Field((2, 4, 8, 16), min_length=1, description="Periods of the lines in pixels")

    @property
    def measures(self) -> tuple[Measure, ...]:
        """One a period."""
        return tuple(
            Measure(
                f"lines_{period}",
                f"Lines every {period} pixels",
                better="lower",
                number="{:,.1f}",
                note="power at that frequency against those beside it, times the originals'",
            )
            for period in self.periods
        )

    def start(self) -> Summary:
        """Begin to go through a set of images."""
        return _moments(partial(power_spectra, multiple=math.lcm(*self.periods)))

    def compare(self, real: Arrays, others: Arrays) -> Measured:
        """Give a value a period; None where the images are too small to have it three times."""
        return {
            f"lines_{period}": _share(line_energy(others["mean"], period), line_energy(real["mean"], period))
            for period in self.periods
        }


class Variety(_Available):
    """Variance across the images: of all values, at the border (background), in the centre (face).

    Each as a share of the real images'. Images that all look alike have far less of it than real ones.
    """

    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("variance", "Variance", number="{:.0%}", note=PER_ORIGINALS),
        Measure("variance_border", "Variance at the border", number="{:.0%}", note=PER_ORIGINALS),
        Measure("variance_centre", "Variance in the centre", number="{:.0%}", note=PER_ORIGINALS),
    )

    def start(self) -> Summary:
        """Begin to go through a set of images."""
        return _moments(lambda images: images)

    def compare(self, real: Arrays, others: Arrays) -> Measured:
        """Give the shares; None for fewer than two images."""
        if any(np.isnan(each["variance"]).all() for each in (real, others)):
            return {measure.name: None for measure in self.measures}
        values, of_real = (
            [float(each["variance"].mean()), *border_and_centre(each["variance"])] for each in (others, real)
        )
        return {measure.name: _share(*pair) for measure, *pair in zip(self.measures, values, of_real, strict=True)}


class SetSharpness(_Available):
    """Mean ``laplacian_variance`` as a share of the real images'."""

    measures: ClassVar[tuple[Measure, ...]] = Sharpness.measures

    def start(self) -> Summary:
        """Begin to go through a set of images."""
        return _moments(laplacian_variance)

    def compare(self, real: Arrays, others: Arrays) -> Measured:
        """Give the share; None where the real images are flat."""
        return {"sharpness": _share(float(others["mean"]), float(real["mean"]))}


@dataclass(frozen=True)
class _Gathered:
    """What a function gives for each image, taken in by statistics, and what these know in the end."""

    function: Callable[[np.ndarray], np.ndarray]
    statistics: Sequence[RunningVariance | RandomSample]
    result: Callable[[], Arrays]

    def update(self, images: np.ndarray) -> None:
        values = self.function(images)
        for statistic in self.statistics:
            statistic.update(values)


def _moments(function: Callable[[np.ndarray], np.ndarray]) -> _Gathered:
    """Gather mean and variance, across images, of what a function gives for each."""
    values = RunningVariance()
    return _Gathered(
        function, [values], lambda: {"mean": np.asarray(values.mean), "variance": np.asarray(values.variance())}
    )


def _share(value: float | None, of: float | None) -> float | None:
    return value / of if value is not None and of else None


def power_spectra(images: np.ndarray, multiple: int = 16) -> np.ndarray:
    """Give the power of images (n, h, w, c) at each frequency, |discrete Fourier transform|^2, mean over channels.

    (n, h', w') float64. What is over a multiple of ``multiple`` pixels at the bottom and the right is left out, so that
    a period that divides it has a frequency of its own.
    """
    height, width = (size - size % multiple or size for size in images.shape[1:3])
    transformed = np.fft.fft2(images[:, :height, :width], axes=(1, 2))
    return np.square(np.abs(transformed)).mean(axis=3, dtype=np.float64)


def line_energy(power: np.ndarray, period: int) -> float | None:
    """Power of lines or dots that repeat with a period in pixels: about 1 without them.

    The power at the frequency 1 / period over the geometric mean of that at the neighbouring frequencies in the same
    direction, mean over horizontal, vertical and the two diagonal directions. Contrast and blur don't matter to it, as
    neighbouring frequencies share them. ``power`` is the mean of ``power_spectra`` of many images, (h, w), a multiple
    of the period. None where the images are too small to have neighbours, or empty.
    """
    frequency = np.array(power.shape) // period
    if frequency.min() <= NEIGHBOURS or not power.any():
        return None
    steps = np.arange(-NEIGHBOURS, NEIGHBOURS + 1)
    # a floor, so that the logarithm is defined where images have no power at all
    floored = np.maximum(power, 1e-12 * power.max())
    axes = zip(DIRECTIONS.T, frequency, strict=True)
    rows, columns = (np.multiply.outer(sign, number + steps) for sign, number in axes)
    # the spectrum is periodic: a negative frequency is counted from its end
    along = floored[rows % power.shape[0], columns % power.shape[1]]
    neighbours = np.exp(np.log(np.delete(along, NEIGHBOURS, axis=1)).mean(axis=1))
    return float((along[:, NEIGHBOURS] / neighbours).mean())


def border_and_centre(values: np.ndarray) -> tuple[float, float]:
    """Give the means of an image's values (h, w, c), such as their variances, at its border and in its centre.

    In a portrait the border (an eighth of each side) is background and hair, the centre (half of each side) the face.
    """
    height, width = values.shape[:2]
    at_border = np.ones((height, width), bool)
    at_border[_middle(height, 1 - 2 * BORDER), _middle(width, 1 - 2 * BORDER)] = False
    return float(values[at_border].mean()), float(values[_middle(height, CENTRE), _middle(width, CENTRE)].mean())


def _middle(size: int, share: float) -> slice:
    margin = round(size * (1 - share) / 2)
    return slice(margin, size - margin)

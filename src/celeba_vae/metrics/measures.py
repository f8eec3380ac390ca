"""What a measure means and which of two is better; what a component that measures must have.

Entry points ``celeba_vae.metrics`` name what compares images with their reconstructions: it has ``measures`` and a
method ``start``, which gives a ``Measurement``. ``celeba_vae.distribution_metrics`` are each a ``DistributionMetric``.
Both are fed batch by batch, (n, h, w, c) float32 in [0, 1].
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np

from celeba_vae.config import Options
from celeba_vae.storage import Arrays

Measured = dict[str, float | None]


@dataclass(frozen=True)
class Measure:
    """A number among the results: its key there, what people call it, and how to read it.

    ``better`` says which of two values is, ``number`` is the format of a value, ``note`` one more line about it.
    """

    name: str
    title: str
    better: Literal["higher", "lower"] | None = None
    unit: str = ""
    number: str = "{:.3f}"
    note: str = ""

    @property
    def heading(self) -> str:
        """Title with unit."""
        return f"{self.title} in {self.unit}" if self.unit else self.title

    def text(self, value: float | None) -> str:
        """Put a value into words; one in the thousands has no decimals, and 0 has no sign."""
        if value is None:
            return "not defined"
        text = f"{value:,.0f}" if abs(value) >= 1000 and "%" not in self.number else self.number.format(value)
        return text.removeprefix("-") if not text.strip("-0.%") else text

    def best(self, values: Iterable[float | None]) -> float | None:
        """Give the best of the values that are known; None where none is, or none can be."""
        known = [value for value in values if value is not None]
        if not known or self.better is None:
            return None
        return max(known) if self.better == "higher" else min(known)


KL = Measure("kl", "KL", unit="nats", number="{:.1f}", note="of the latents, unweighted")


class Measurement(Protocol):
    """A metric at work."""

    def update(self, images: np.ndarray, reconstructions: np.ndarray) -> None:
        """Take in a batch of images and their reconstructions."""

    def result(self) -> Measured:
        """Give a value, or None where it is not defined, for the name of each of the metric's measures."""


class Summary(Protocol):
    """What a distribution metric must know of a set of images."""

    def update(self, images: np.ndarray) -> None:
        """Take in a batch of images."""

    def result(self) -> Arrays:
        """Give it as arrays, whose size does not depend on the number of images."""


class DistributionMetric(Protocol):
    """A component that compares sets of images of any number; what it must know of each is gathered once."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What it gives."""

    def unavailable(self) -> str | None:
        """Say in a line what it lacks to work here; None where it can work."""

    def start(self) -> Summary:
        """Begin to go through a set of images."""

    def compare(self, real: Arrays, others: Arrays, /) -> Measured:
        """Give the measures of a set of images against real ones, from the results of both summaries."""


class ImageMetric(Options):
    """A metric with a value an image, whose mean it gives: derive from it, set ``measure`` and write ``values``."""

    measure: ClassVar[Measure]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Its only measure."""
        return (self.measure,)

    def values(self, images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
        """Give a value an image, (n,); NaN where it is not defined."""
        raise NotImplementedError

    def start(self) -> Measurement:
        """Begin to measure."""
        return _MeanOverImages(self)


class _MeanOverImages:
    def __init__(self, metric: ImageMetric) -> None:
        self._metric = metric
        self._count = 0
        self._sum = 0.0

    def update(self, images: np.ndarray, reconstructions: np.ndarray) -> None:
        self._count += len(images)
        self._sum += float(self._metric.values(images, reconstructions).sum(dtype=np.float64))

    def result(self) -> Measured:
        mean = self._sum / self._count if self._count else math.nan
        return {self._metric.measure.name: mean if math.isfinite(mean) else None}

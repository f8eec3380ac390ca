"""Factors over the course of a training, for the learning rate and the weight of the KL term.

A schedule is called with the epochs done so far, a fractional number that is 0 at the first step, and gives the factor
as a float32 scalar tensor.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from celeba_vae.config import NoneFromText, Options
from celeba_vae.errors import SettingError

if TYPE_CHECKING:
    import tensorflow as tf


class Constant(Options):
    """Always 1."""

    def __call__(self, epoch: tf.Tensor) -> tf.Tensor:
        """Give the factor after ``epoch`` epochs."""
        import tensorflow as tf

        return tf.constant(1.0)


class LinearWarmUp(Options):
    """Rises evenly from 0 to 1, then stays."""

    epochs: PositiveFloat = Field(5.0, description="Epochs of the rise")

    def __call__(self, epoch: tf.Tensor) -> tf.Tensor:
        """Give the factor after ``epoch`` epochs."""
        return _share(epoch, self.epochs)


class Step(Options):
    """Begins at 1 and is multiplied by ``factor`` every so many epochs."""

    every: PositiveFloat = Field(10.0, description="Epochs between two changes")
    factor: PositiveFloat = Field(0.5, description="What is multiplied by at each change")

    def __call__(self, epoch: tf.Tensor) -> tf.Tensor:
        """Give the factor after ``epoch`` epochs."""
        import tensorflow as tf

        return tf.pow(self.factor, tf.floor(tf.cast(epoch, tf.float32) / self.every))


class _OverAllEpochs(Options):
    """A schedule whose length is the variant's number of epochs unless it has one of its own."""

    epochs: Annotated[PositiveFloat | None, NoneFromText] = Field(
        None, description="Epochs until the end of the schedule; none: the variant's"
    )

    def share(self, epoch: tf.Tensor) -> tf.Tensor:
        """Give the share of the schedule that is over after ``epoch`` epochs, in [0, 1]."""
        if self.epochs is None:
            raise SettingError(f"{type(self).__name__} has no length: give it epochs.")
        return _share(epoch, self.epochs)


class Cosine(_OverAllEpochs):
    """Falls from 1 to ``final`` along half a cosine, then stays (Loshchilov and Hutter 2017, without restarts)."""

    final: NonNegativeFloat = Field(0.0, description="Factor at the end")

    def __call__(self, epoch: tf.Tensor) -> tf.Tensor:
        """Give the factor after ``epoch`` epochs."""
        import tensorflow as tf

        return self.final + (1 - self.final) * 0.5 * (1 + tf.cos(math.pi * self.share(epoch)))


class Cyclical(_OverAllEpochs):
    """Rises evenly from 0 to 1 at the beginning of each cycle, then stays until the cycle's end; 1 after the last one.

    Fu et al. 2019, Cyclical annealing schedule: a simple approach to mitigating KL vanishing.
    """

    cycles: PositiveInt = Field(4, description="Cycles in all")
    rising_share: float = Field(0.5, gt=0, le=1, description="Share of a cycle in which the factor rises")

    def __call__(self, epoch: tf.Tensor) -> tf.Tensor:
        """Give the factor after ``epoch`` epochs."""
        import tensorflow as tf

        share = self.share(epoch)
        cycles = self.cycles * share
        factor = tf.minimum((cycles - tf.floor(cycles)) / self.rising_share, 1.0)
        return tf.where(share < 1, factor, 1.0)


def _share(epoch: tf.Tensor, epochs: float) -> tf.Tensor:
    import tensorflow as tf

    return tf.clip_by_value(tf.cast(epoch, tf.float32) / epochs, 0.0, 1.0)

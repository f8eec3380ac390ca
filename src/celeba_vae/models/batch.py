"""What a model may ask of the batch that it computes.

Losses and noise are of a whole batch, whoever computes it. Here the model has all of it; ``training.distributed``
brings batches of which each of several devices computes a part, so that their training is that of one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import tensorflow as tf


class Batch:
    """A batch that is computed as a whole."""

    # whether others compute the rest of it
    in_parts = False

    def count(self, images: tf.Tensor) -> tf.Tensor:
        """Give the number of images in the batch, of which ``images`` (n, …) are computed here."""
        return tf.shape(images)[0]

    def mean(self, values: tf.Tensor, axis: int | None = None) -> tf.Tensor:
        """Give the mean of values (n, …) over the batch's images: of each value (axis 0), or of all together (None)."""
        return tf.reduce_mean(values, axis)

    def combined(self, values: list[tf.Tensor | None]) -> list[tf.Tensor | None]:
        """Give the means of what the parts have computed, gradients or moments; what is None stays so."""
        return values

    def rows(self, draw: Callable[[tf.Tensor], tf.Tensor], shape: tf.Tensor) -> tf.Tensor:
        """Give values of ``shape`` (n, …) for the images computed here, from what ``draw`` gives for all of them."""
        return draw(shape)


_current: ContextVar[Batch] = ContextVar("batch", default=Batch())  # noqa: B039  it has no state


def current_batch() -> Batch:
    """Give the batch that the model computes now."""
    return _current.get()


@contextmanager
def computing(batch: Batch) -> Iterator[None]:
    """Have models that are called, or traced, within compute ``batch``."""
    token = _current.set(batch)
    try:
        yield
    finally:
        _current.reset(token)

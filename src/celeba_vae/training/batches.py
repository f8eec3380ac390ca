"""Batches of images in an order that is a function of seed and epoch, so that training can stop and go on anywhere."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Give the order of ``count`` images in an epoch (counted from 0): a permutation of 0 … count - 1, int64."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def epoch_flips(count: int, seed: int, epoch: int) -> np.ndarray:
    """Say which of ``count`` images are mirrored in an epoch (counted from 0): (count,) bool, on average a half."""
    # a third number, or the flips would follow from the bits that make the order
    return np.random.default_rng((seed, epoch, 1)).random(count) < 0.5


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Give the batches of an epoch of ``count`` images."""
    return math.ceil(count / batch_size)


def images_of_step(count: int, batch_size: int, step: int) -> int:
    """Give the images of a step's batch, counted from 0 over all epochs of ``count`` images: the last has fewer."""
    return min(batch_size, count - step % steps_per_epoch(count, batch_size) * batch_size)


def training_batches(
    images: np.ndarray,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    horizontal_flips: bool = False,
    rows: Callable[[int], slice] = slice,
) -> tf.data.Dataset:
    """Give an endless ``tf.data.Dataset`` of shuffled uint8 batches, each image once an epoch; the last may be smaller.

    Args:
        images: (n, h, w, c) uint8, may be memory-mapped: only the batches under way are in memory.
        batch_size: Images a batch.
        seed: Seed of the order and of the flips.
        first_step: Step to begin with, counted from 0 over all epochs.
        horizontal_flips: Mirror the images that ``epoch_flips`` says.
        rows: From a batch's number of images to the rows of it that are wanted; only these are read. Default: all.
    """
    first_epoch, first_batch = divmod(first_step, steps_per_epoch(len(images), batch_size))

    def generate() -> Iterator[np.ndarray]:
        skipped = first_batch * batch_size
        for epoch in itertools.count(first_epoch):
            order = epoch_order(len(images), seed, epoch)
            flips = epoch_flips(len(images), seed, epoch) if horizontal_flips else None
            for first in range(skipped, len(order), batch_size):
                chosen = order[first : first + batch_size]
                chosen = chosen[rows(len(chosen))]
                batch = images[chosen]
                if flips is not None:
                    batch[flips[chosen]] = batch[flips[chosen], :, ::-1]
                yield batch
            skipped = 0

    return _dataset(generate, images)


def validation_batches(images: np.ndarray, batch_size: int, rows: Callable[[int], slice] = slice) -> tf.data.Dataset:
    """Give a ``tf.data.Dataset`` of the images in their own order, once; ``rows`` as in ``training_batches``."""

    def generate() -> Iterator[np.ndarray]:
        for first in range(0, len(images), batch_size):
            batch = images[first : first + batch_size]
            yield batch[rows(len(batch))]

    return _dataset(generate, images)


def _dataset(generate: Callable[[], Iterator[np.ndarray]], images: np.ndarray) -> tf.data.Dataset:
    import tensorflow as tf

    signature = tf.TensorSpec((None, *images.shape[1:]), tf.uint8)
    # there is nothing to tune here, and the tuning thread can keep a finished iterator waiting for half a minute
    options = tf.data.Options()
    options.autotune.enabled = False
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2).with_options(options)

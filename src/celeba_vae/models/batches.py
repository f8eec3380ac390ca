"""Batches of images in an order that is a function of seed and epoch, so that training can stop and go on anywhere."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Give the order of ``count`` images in an epoch (counted from 0): a permutation of 0 … count - 1, int64."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def training_batches(images: np.ndarray, batch_size: int, seed: int, first_epoch: int) -> Any:
    """Give an endless ``tf.data.Dataset`` of shuffled uint8 batches, each image once an epoch; the last may be smaller.

    Args:
        images: (n, h, w, c) uint8, may be memory-mapped: only the batches under way are in memory.
        batch_size: Images a batch.
        seed: Seed of the order.
        first_epoch: Epoch to begin with, counted from 0.
    """

    def generate() -> Iterator[np.ndarray]:
        for epoch in itertools.count(first_epoch):
            order = epoch_order(len(images), seed, epoch)
            for first in range(0, len(order), batch_size):
                yield images[order[first : first + batch_size]]

    return _dataset(generate, images)


def validation_batches(images: np.ndarray, batch_size: int) -> Any:
    """Give a ``tf.data.Dataset`` of the images in their own order, once."""

    def generate() -> Iterator[np.ndarray]:
        for first in range(0, len(images), batch_size):
            yield images[first : first + batch_size]

    import tensorflow as tf

    return _dataset(generate, images).apply(
        tf.data.experimental.assert_cardinality(math.ceil(len(images) / batch_size))
    )


def _dataset(generate: Any, images: np.ndarray) -> Any:
    import tensorflow as tf

    signature = tf.TensorSpec((None, *images.shape[1:]), tf.uint8)
    # there is nothing to tune here, and the tuning thread can keep a finished iterator waiting for half a minute
    options = tf.data.Options()
    options.autotune.enabled = False
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2).with_options(options)

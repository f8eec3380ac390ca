"""A batch as models see it: on one device all of it, so that nothing is other than without."""

import contextlib

import keras
import numpy as np
import tensorflow as tf

from celeba_vae.models.batch import Batch, computing, current_batch
from celeba_vae.models.layers import PlacedDropout, Reparameterization


class SecondHalf(Batch):
    """What the second of two parts computes, as far as noise goes."""

    def rows(self, draw, shape):
        return draw(tf.concat([[2 * shape[0]], shape[1:]], axis=0))[shape[0] :]


def test_a_whole_batch_is_what_is_there():
    values = tf.constant([[1.0, 2.0], [3.0, 6.0]])
    batch = current_batch()
    assert int(batch.count(values)) == 2
    assert float(batch.mean(values)) == 3
    np.testing.assert_array_equal(batch.mean(values, axis=0), [2, 4])
    assert batch.combined([values, None]) == [values, None]


def test_a_batch_is_current_only_within():
    half = SecondHalf()
    with contextlib.suppress(KeyError), computing(half):
        assert current_batch() is half
        raise KeyError
    assert type(current_batch()) is Batch


def test_dropout_is_keras_own_on_a_whole_batch():
    x = np.random.default_rng(0).normal(size=(6, 4, 4, 3)).astype(np.float32)
    ours, of_keras = (kind(0.4, seed=3) for kind in (PlacedDropout, keras.layers.Dropout))
    for _ in range(2):
        np.testing.assert_array_equal(ours(x, training=True), of_keras(x, training=True))
    np.testing.assert_array_equal(ours(x), x)


def test_noise_goes_by_an_images_place_in_the_whole_batch():
    x = np.ones((4, 5), np.float32)
    whole = PlacedDropout(0.5, seed=3)(x, training=True)
    noise = Reparameterization(seed=1)(x, x, step=2)
    with computing(SecondHalf()):
        np.testing.assert_array_equal(PlacedDropout(0.5, seed=3)(x[2:], training=True), whole[2:])
        np.testing.assert_array_equal(Reparameterization(seed=1)(x[2:], x[2:], step=2), noise[2:])

"""The fused Adam takes the same steps as Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from celeba_vae.models.optimizers import FusedAdam


def steps_of(optimizer, weights):
    return lambda gradients: optimizer.apply(gradients, weights)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_steps_are_those_of_keras_adam(scaled, compiled):
    random = np.random.default_rng(0)
    start = [random.normal(size=(5, 4)).astype(np.float32), random.normal(size=4).astype(np.float32)]
    gradients = [[random.normal(size=w.shape).astype(np.float32) for w in start] for _ in range(20)]
    results = []
    for kind in (FusedAdam, keras.optimizers.Adam):
        optimizer = kind(0.01, beta_1=0.8, epsilon=1e-5)
        if scaled:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1.0)
        weights = [keras.Variable(w) for w in start]
        optimizer.build(weights)

        take_step = steps_of(optimizer, weights)
        take_step = tf.function(take_step) if compiled else take_step
        for step in gradients:
            take_step([tf.constant(g) for g in step])
        inner = optimizer.inner_optimizer if scaled else optimizer
        results.append([np.asarray(v) for v in (*weights, *inner.variables)])
    for fused, of_keras in zip(*results, strict=True):
        np.testing.assert_allclose(fused, of_keras, rtol=1e-5, atol=2e-6)


def test_first_step_is_the_learning_rate_against_the_gradient():
    """Kingma and Ba 2015, section 2.1: the first step's length is the learning rate, whatever the gradient's size."""
    weights = [keras.Variable(np.zeros(3, np.float32))]
    optimizer = FusedAdam(0.1, epsilon=1e-12)
    optimizer.build(weights)
    optimizer.apply([tf.constant([1e-3, -50.0, 2.0])], weights)
    np.testing.assert_allclose(weights[0], [-0.1, 0.1, -0.1], rtol=1e-4)

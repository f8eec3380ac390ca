"""The project's own layers against Keras' and against what a normal distribution implies."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from celeba_vae.models.layers import Bias, FusedBatchNormalization, Reparameterization, UpsamplingConvolution


def images(seed=0, shape=(6, 5, 7, 4)):
    return np.random.default_rng(seed).normal(2, 3, shape).astype(np.float32)


def normalisations(**options):
    """The fused layer and Keras' own, with the same scale and offset."""
    layers = [kind(momentum=0.8, **options) for kind in (FusedBatchNormalization, keras.layers.BatchNormalization)]
    for layer in layers:
        layer.build((None, 5, 7, 4))
        layer.gamma.assign([0.5, 1.0, 2.0, -1.0])
        layer.beta.assign([0.0, 1.0, -1.0, 3.0])
    return layers


def test_training_gives_keras_outputs_gradients_and_moving_statistics():
    results = []
    for layer in normalisations():
        for seed in range(3):
            x = tf.Variable(images(seed))
            with tf.GradientTape() as tape:
                outputs = layer(x, training=True)
                loss = tf.reduce_sum(tf.sin(outputs))
            gradients = tape.gradient(loss, [x, *(w.value for w in layer.trainable_weights)])
        results.append([outputs, *gradients, *layer.get_weights()])
    for fused, of_keras in zip(*results, strict=True):
        np.testing.assert_allclose(fused, of_keras, rtol=2e-4, atol=2e-4)


def test_inference_uses_the_moving_statistics():
    fused, of_keras = normalisations()
    statistics = [np.array([1.0, 2, 3, 4], np.float32), np.array([4.0, 3, 2, 1], np.float32)]
    for layer in (fused, of_keras):
        layer.set_weights([*layer.get_weights()[:2], *statistics])
    expected = (images() - statistics[0]) / np.sqrt(statistics[1] + 1e-3) * np.array([0.5, 1, 2, -1]) + [0, 1, -1, 3]
    np.testing.assert_allclose(fused(images(), training=False), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(of_keras(images(), training=False), expected, rtol=1e-4, atol=1e-4)


def test_bfloat16_images_keep_float32_statistics():
    layer = FusedBatchNormalization(momentum=0.0, dtype="mixed_bfloat16")
    outputs = layer(images(), training=True)
    assert outputs.dtype == tf.bfloat16
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    rounded = tf.cast(tf.cast(images(), tf.bfloat16), tf.float32).numpy()
    np.testing.assert_allclose(layer.moving_mean, rounded.mean((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, rounded.var((0, 1, 2)), rtol=1e-3)


def test_saved_and_loaded_layers_compute_the_same(tmp_path):
    layers = [FusedBatchNormalization(momentum=0.5), UpsamplingConvolution(3, 3, strides=2), Bias()]
    model = keras.Sequential([keras.Input((5, 7, 4)), *layers])
    model(images(), training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.layers[0].momentum == 0.5
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in layers]
    np.testing.assert_array_equal(model(images()), loaded(images()))


def test_noise_is_a_function_of_seed_and_step():
    mu = logvar = tf.zeros((4, 3))
    layer = Reparameterization(seed=7)
    first = layer(mu, logvar, step=3)
    layer(mu, logvar, step=4)
    np.testing.assert_array_equal(first, layer(mu, logvar, step=3))
    np.testing.assert_array_equal(first, Reparameterization(seed=7)(mu, logvar, step=3))
    assert not np.allclose(first, layer(mu, logvar, step=4))
    assert not np.allclose(first, Reparameterization(seed=8)(mu, logvar, step=3))


def test_latents_follow_mu_and_logvar():
    mu = tf.tile([[1.0, -2.0]], [200_000, 1])
    logvar = tf.tile([[0.0, np.log(9.0)]], [200_000, 1])
    z = Reparameterization(seed=1)(mu, tf.cast(logvar, tf.float32), step=0).numpy()
    assert z.mean(0) == pytest.approx([1, -2], abs=0.03)
    assert z.std(0) == pytest.approx([1, 3], rel=0.01)


def test_reparameterization_is_restored_with_its_seed():
    assert Reparameterization.from_config(Reparameterization(seed=9).get_config()).seed == 9


@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 2), (5, 2), (3, 1), (3, 3), (1, 2)])
@pytest.mark.parametrize(("height", "width"), [(4, 6), (5, 3)])
def test_upsampling_convolution_is_upsampling_and_then_a_convolution(kernel_size, stride, height, width):
    layer = UpsamplingConvolution(4, kernel_size, strides=stride)
    x = np.random.default_rng(0).normal(size=(2, height, width, 3)).astype(np.float32)
    outputs = layer(x)
    kernel, bias = (np.asarray(weight) for weight in layer.get_weights())
    layer.set_weights([kernel, bias := bias + np.arange(4, dtype=np.float32)])
    outputs = layer(x)
    convolution = keras.layers.Conv2D(4, kernel_size, padding="same")
    enlarged = x.repeat(stride, axis=1).repeat(stride, axis=2)
    convolution.build(enlarged.shape)
    # transposed: (h, w, out, in), and mirrored
    convolution.set_weights([kernel[::-1, ::-1].transpose(0, 1, 3, 2), bias])
    np.testing.assert_allclose(outputs, convolution(enlarged), rtol=1e-4, atol=1e-5)

"""Arithmetic: mixed precision against float32, and float32 against the same training written with Keras' own parts."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from base_config import base_config
from keras import layers

from celeba_vae.config import VariantConfig
from celeba_vae.training.batches import training_batches
from celeba_vae.training.building import build_autoencoder, compile_autoencoder
from celeba_vae.training.recipe import create_recipe

SHAPE = (16, 16, 3)
LATENT_DIM, KL_WEIGHT, LEARNING_RATE, SEED = 6, 2.0, 1e-3, 3


@pytest.fixture(scope="module")
def images():
    """Smooth pictures: coarse noise, enlarged."""
    coarse = np.random.default_rng(0).integers(0, 256, (96, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(4, axis=1).repeat(4, axis=2)


def recipe():
    sizes = {"kernel_sizes": (3, 3), "strides": (2, 2)}
    return create_recipe(
        base_config(
            VariantConfig,
            latent_dim=LATENT_DIM,
            kl_weight=KL_WEIGHT,
            learning_rate=LEARNING_RATE,
            seed=SEED,
            encoder={"name": "conv", "filters": (8, 16), **sizes},
            decoder={"name": "conv_transpose", "filters": (8, 3), "start_filters": 16, **sizes},
        )
    )


def gradients(precision, images):
    """What the optimizer is given at the end: the change by a step of plain gradient descent, negated."""
    model = build_autoencoder(recipe(), SHAPE, precision)
    optimizer = keras.optimizers.SGD(1.0)
    if precision == "mixed_float16":
        # the default scale is halved after each step that overflows, until one fits; this one fits at once
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=256)
    model.compile(optimizer=optimizer)
    before = [np.asarray(weight) for weight in model.trainable_weights]
    tf.function(model.train_step)(tf.constant(images))
    return [old - np.asarray(weight) for old, weight in zip(before, model.trainable_weights, strict=True)]


# bfloat16 has 8 significant bits and float16 11; sums over many values lose some of them
@pytest.mark.parametrize(("precision", "tolerance"), [("mixed_bfloat16", 0.05), ("mixed_float16", 0.02)])
def test_gradients_agree_with_float32_to_the_precision(images, precision, tolerance):
    expected, found = gradients("float32", images), gradients(precision, images)
    weights = build_autoencoder(recipe(), SHAPE, "float32").trainable_weights
    largest = max(np.linalg.norm(gradient) for gradient in expected)
    for weight, a, b in zip(weights, expected, found, strict=True):
        # a bias before batch normalisation has no gradient but rounding errors
        if np.linalg.norm(a) > 1e-4 * largest:
            assert np.linalg.norm(a - b) < tolerance * np.linalg.norm(a), weight.path


class PlainVAE:
    """The same network and training from Keras' own layers, loss and optimizer."""

    def __init__(self):
        images, latents = keras.Input(SHAPE), keras.Input((LATENT_DIM,))
        x = images
        for filters in (8, 16):
            x = layers.Conv2D(filters, 3, strides=2, padding="same")(x)
            x = layers.LeakyReLU()(layers.BatchNormalization()(x))
        x = layers.Flatten()(x)
        self.encoder = keras.Model(images, [layers.Dense(LATENT_DIM)(x), layers.Dense(LATENT_DIM)(x)])
        x = layers.Reshape((4, 4, 16))(layers.Dense(4 * 4 * 16)(latents))
        x = layers.LeakyReLU()(layers.BatchNormalization()(layers.Conv2DTranspose(8, 3, 2, padding="same")(x)))
        x = layers.Conv2DTranspose(3, 3, 2, padding="same", activation="sigmoid")(x)
        self.decoder = keras.Model(latents, x)
        self.optimizer = keras.optimizers.Adam(LEARNING_RATE)

    def step(self, images, number):
        x = tf.cast(images, tf.float32) / 255
        with tf.GradientTape() as tape:
            mu, logvar = self.encoder(x, training=True)
            noise = tf.random.stateless_normal(tf.shape(mu), seed=[SEED, number])
            y = self.decoder(mu + tf.exp(logvar / 2) * noise, training=True)
            reconstruction = tf.reduce_sum(keras.losses.binary_crossentropy(x, y), axis=(1, 2))
            kl = -0.5 * tf.reduce_sum(1 + logvar - mu**2 - tf.exp(logvar), axis=1)
            loss = tf.reduce_mean(reconstruction + KL_WEIGHT * kl)
        weights = self.encoder.trainable_weights + self.decoder.trainable_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return loss


def test_losses_of_fifty_steps_are_those_of_a_plain_version(images):
    model = build_autoencoder(recipe(), SHAPE, "float32")
    compile_autoencoder(model, recipe(), "float32")
    plain = PlainVAE()
    for ours, theirs in ((model.encoder, plain.encoder), (model.decoder, plain.decoder)):
        theirs.set_weights(ours.get_weights())
    train_step, plain_step = tf.function(model.train_step), tf.function(plain.step)
    losses, expected = [], []
    for number, batch in zip(range(50), training_batches(images, 24, SEED), strict=False):
        model.reset_metrics()
        losses.append(float(train_step(batch)["total_loss"]))
        expected.append(float(plain_step(batch, tf.constant(number))))
    np.testing.assert_allclose(losses, expected, rtol=1e-3)
    assert losses[-1] < 0.97 * losses[0]

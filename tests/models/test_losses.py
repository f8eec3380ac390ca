"""Losses and gradients against NumPy, computed by hand from the formulas."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from celeba_vae.models.autoencoders import VAE, Autoencoder
from celeba_vae.models.layers import KLDivergence, kl_divergence
from celeba_vae.models.losses import BinaryCrossEntropy, GaussianLikelihood, SquaredError

LOSSES = {"bce": BinaryCrossEntropy(), "mse": SquaredError()}
N, H, W, C, D = 4, 2, 3, 3, 2
PIXELS = H * W * C


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_untrained_bce_is_the_published_start():
    """Logits of 0 are a probability of 1/2: 96 * 96 * ln 2 = 6388 whatever the image."""
    images = np.random.default_rng(0).random((2, 96, 96, 3), dtype=np.float32)
    np.testing.assert_allclose(BinaryCrossEntropy()(images, np.zeros_like(images)), 96 * 96 * np.log(2), rtol=1e-5)


def test_losses_sum_over_the_image_and_average_channels():
    random = np.random.default_rng(1)
    images = random.random((N, H, W, C)).astype(np.float32)
    logits = random.normal(size=(N, H, W, C)).astype(np.float32)
    y = sigmoid(logits.astype(np.float64))
    bce = -(images * np.log(y) + (1 - images) * np.log(1 - y)).mean(3).sum((1, 2))
    np.testing.assert_allclose(BinaryCrossEntropy()(images, logits), bce, rtol=1e-5)
    np.testing.assert_allclose(SquaredError()(images, logits), ((images - y) ** 2).mean(3).sum((1, 2)), rtol=1e-5)


def test_gaussian_is_the_negative_log_likelihood_at_the_optimal_variance():
    random = np.random.default_rng(4)
    images, logits = random.random((5, 4, 6, 3), np.float32), random.normal(size=(5, 4, 6, 3)).astype(np.float32)
    y = sigmoid(logits.astype(np.float64))
    sigma = np.sqrt(np.mean((images - y) ** 2))
    expected = -scipy.stats.norm.logpdf(images, y, sigma).sum((1, 2, 3))
    np.testing.assert_allclose(GaussianLikelihood()(images, logits), expected, rtol=1e-5)
    # no other variance makes the batch more likely
    for other in (0.9 * sigma, 1.1 * sigma):
        assert expected.sum() < -scipy.stats.norm.logpdf(images, y, other).sum()


def test_gaussian_gradient_is_that_of_finite_differences_with_the_variance_refitted():
    random = np.random.default_rng(5)
    images, logits = random.random((2, 2, 2, 3), np.float32), random.normal(size=(2, 2, 2, 3)).astype(np.float32)

    def by_hand(values):
        error = np.mean((images - sigmoid(values)) ** 2)
        return 0.5 * images.size * (np.log(2 * np.pi * error) + 1)

    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(GaussianLikelihood()(images, variable))
    gradient = np.asarray(tape.gradient(loss, variable)).ravel()
    for i in range(logits.size):
        step = np.zeros(logits.size)
        step[i] = 1e-5
        step = step.reshape(logits.shape)
        assert gradient[i] == pytest.approx(
            (by_hand(logits + step) - by_hand(logits - step)) / 2e-5, rel=1e-3, abs=1e-4
        )


def test_gaussian_stays_finite_for_perfect_reconstructions():
    images = np.ones((2, 1, 1, 1), np.float32)
    losses = GaussianLikelihood()(images, 100 * images)
    # sigma is at its floor, exp(-6)
    np.testing.assert_allclose(losses, 0.5 * np.log(2 * np.pi) - 6, rtol=1e-5)


def test_bce_stays_finite_for_extreme_logits():
    images = np.array([0.0, 1.0], np.float32).reshape(2, 1, 1, 1)
    logits = np.array([200.0, -200.0], np.float32).reshape(2, 1, 1, 1)
    np.testing.assert_allclose(BinaryCrossEntropy()(images, logits), [200, 200])


def test_bce_gradient_is_probability_less_image_over_the_channels():
    random = np.random.default_rng(0)
    images, factors = random.uniform(0, 1, (2, 4, 5, 3)).astype(np.float32), np.array([1.0, -3.0], np.float32)
    logits = tf.constant(random.normal(0, 40, images.shape).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = tf.reduce_sum(factors * BinaryCrossEntropy()(images, logits))
    expected = (1 / (1 + np.exp(-logits.numpy().astype(np.float64))) - images) / 3 * factors[:, None, None, None]
    np.testing.assert_allclose(tape.gradient(total, logits), expected, rtol=1e-5, atol=1e-7)


def test_kl_is_that_of_normal_distributions():
    mu, logvar = np.array([[1.0, 0.0], [0.0, 0.0]], np.float32), np.array([[0.0, np.log(4)], [0.0, 0.0]], np.float32)
    # 1/2 (mu^2 + sigma^2 - 1 - ln sigma^2) a dimension
    np.testing.assert_allclose(kl_divergence(mu, logvar), [[0.5, 0.5 * (4 - 1 - np.log(4))], [0, 0]], rtol=1e-6)


@pytest.fixture
def images():
    return np.random.default_rng(2).integers(0, 256, (N, H, W, C), dtype=np.uint8)


def linear_parts(outputs):
    """A linear encoder and decoder: small enough to differentiate by hand."""
    inputs = keras.Input((H, W, C))
    flat = keras.layers.Flatten()(inputs)
    latents = [keras.layers.Dense(D, name=name)(flat) for name in outputs]
    encoder = keras.Model(inputs, latents if len(latents) > 1 else latents[0])
    z = keras.Input((D,))
    logits = keras.layers.Reshape((H, W, C), name="logits")(keras.layers.Dense(PIXELS, name="project")(z))
    decoder = keras.Model(z, keras.layers.Activation("sigmoid")(logits))
    random = np.random.default_rng(3)
    for model in (encoder, decoder):
        model.set_weights([random.normal(scale=0.5, size=weight.shape) for weight in model.get_weights()])
    return encoder, decoder


def reconstruction_by_hand(kind, x, logits):
    """Loss as a mean over the batch, and its gradient by the logits."""
    y = sigmoid(logits)
    if kind == "bce":
        loss = -(x * np.log(y) + (1 - x) * np.log(1 - y)).sum() / C / N
        return loss, (y - x) / C / N
    return ((x - y) ** 2).sum() / C / N, 2 * (y - x) * y * (1 - y) / C / N


@pytest.mark.parametrize("adds_loss", [False, True])
@pytest.mark.parametrize("kind", LOSSES)
def test_vae_step_takes_the_gradient_computed_by_hand(kind, adds_loss, images):
    kl_weight, seed, step = 5.0, 11, 6
    encoder, decoder = linear_parts(("mu", "logvar"))
    vae = VAE(encoder, decoder, LOSSES[kind], kl_weight, seed, kl_divergence=KLDivergence(adds_loss=adds_loss))
    vae.step.assign(step)
    before = {weight.path: np.array(weight, np.float64) for weight in vae.trainable_weights}
    w_mu, b_mu, w_lv, b_lv, w_out, b_out = before.values()

    x = images.reshape(N, -1) / 255.0
    mu, logvar = x @ w_mu + b_mu, x @ w_lv + b_lv
    epsilon = np.array(tf.random.stateless_normal((N, D), seed=[seed, step]), np.float64)
    std = np.exp(logvar / 2)
    z = mu + std * epsilon
    reconstruction, d_logits = reconstruction_by_hand(kind, x, z @ w_out + b_out)
    kl = -0.5 * (1 + logvar - mu**2 - np.exp(logvar)).sum() / N
    d_z = d_logits @ w_out.T
    d_mu = d_z + kl_weight * mu / N
    d_logvar = d_z * epsilon * std / 2 + kl_weight * 0.5 * (np.exp(logvar) - 1) / N
    gradients = [x.T @ d_mu, d_mu.sum(0), x.T @ d_logvar, d_logvar.sum(0), z.T @ d_logits, d_logits.sum(0)]

    vae.compile(optimizer=keras.optimizers.SGD(1.0))
    losses = vae.train_step(tf.constant(images))
    assert float(losses["reconstruction_loss"]) == pytest.approx(reconstruction, rel=1e-5)
    assert float(losses["kl"]) == pytest.approx(kl, rel=1e-5)
    assert float(losses["kl_loss"]) == pytest.approx(kl_weight * kl, rel=1e-5)
    assert float(losses["total_loss"]) == pytest.approx(reconstruction + kl_weight * kl, rel=1e-5)
    for weight, old, gradient in zip(vae.trainable_weights, before.values(), gradients, strict=True):
        np.testing.assert_allclose(old - np.array(weight), gradient, rtol=1e-4, atol=1e-5)
    assert int(vae.step) == step + 1


def test_kl_by_add_loss_trains_as_by_the_gradient_tape(images):
    weights, totals = [], []
    for term in (KLDivergence(), KLDivergence(adds_loss=True)):
        vae = VAE(*linear_parts(("mu", "logvar")), BinaryCrossEntropy(), 5.0, seed=1, kl_divergence=term)
        vae.compile(optimizer=keras.optimizers.SGD(0.01))
        train_step = tf.function(vae.train_step)
        totals.append([float(train_step(tf.constant(images))["total_loss"]) for _ in range(5)])
        weights.append(vae.get_weights())
    assert totals[0] == pytest.approx(totals[1], rel=1e-5)
    for by_tape, by_layer in zip(*weights, strict=True):
        np.testing.assert_allclose(by_tape, by_layer, rtol=1e-5, atol=1e-6)


def test_kl_schedule_counts_in_training_and_not_in_validation(images):
    encoder, decoder = linear_parts(("mu", "logvar"))
    vae = VAE(encoder, decoder, BinaryCrossEntropy(), 2.0, seed=1, kl_factor=lambda step: tf.cast(step, tf.float32) / 8)
    vae.step.assign(4)
    x = tf.constant(images, tf.float32) / 255
    for training, factor in ((True, 0.5), (False, 1.0)):
        losses = vae.compute_losses(x, training=training)
        assert float(losses["kl_loss"]) == pytest.approx(2.0 * factor * float(losses["kl"]), rel=1e-6)
        assert float(losses["total_loss"]) == pytest.approx(float(losses["reconstruction_loss"] + losses["kl_loss"]))


def test_free_bits_hold_each_dimension_at_a_floor_of_the_batch_mean():
    mu = np.array([[2.0, 0.1, 0.0], [0.0, 0.1, 1.0]], np.float32)
    logvar = np.zeros_like(mu)
    # KL a dimension, as a mean over the batch: mu^2 / 2 -> 1, 0.005, 0.25
    kl_loss, kl = KLDivergence(free_bits=0.3)(mu, logvar, weight=2.0)
    assert float(kl_loss) == pytest.approx(2.0 * (1.0 + 0.3 + 0.3), rel=1e-6)
    assert float(kl) == pytest.approx(1.0 + 0.005 + 0.25, rel=1e-6)


@pytest.mark.parametrize("kind", LOSSES)
def test_autoencoder_step_takes_the_gradient_computed_by_hand(kind, images):
    encoder, decoder = linear_parts(("z",))
    autoencoder = Autoencoder(encoder, decoder, LOSSES[kind])
    w, b, w_out, b_out = before = [np.array(weight, np.float64) for weight in autoencoder.trainable_weights]
    x = images.reshape(N, -1) / 255.0
    z = x @ w + b
    loss, d_logits = reconstruction_by_hand(kind, x, z @ w_out + b_out)
    d_z = d_logits @ w_out.T
    gradients = [x.T @ d_z, d_z.sum(0), z.T @ d_logits, d_logits.sum(0)]

    autoencoder.compile(optimizer=keras.optimizers.SGD(1.0))
    losses = autoencoder.train_step(tf.constant(images))
    assert set(losses) == {"total_loss", "reconstruction_loss"}
    assert float(losses["total_loss"]) == pytest.approx(loss, rel=1e-5)
    for weight, old, gradient in zip(autoencoder.trainable_weights, before, gradients, strict=True):
        np.testing.assert_allclose(old - np.array(weight), gradient, rtol=1e-4, atol=1e-5)


def test_validation_uses_mu_and_counts_each_image_once(images):
    encoder, decoder = linear_parts(("mu", "logvar"))
    vae = VAE(encoder, decoder, BinaryCrossEntropy(), kl_weight=2.0, seed=0)
    vae.compile()
    # batches of 3 and 1: the mean over images, not over batches
    losses = vae.evaluate(tf.data.Dataset.from_tensor_slices(images).batch(3), return_dict=True, verbose=0)
    x = images.reshape(N, -1) / 255.0
    w_mu, b_mu, _, _, w_out, b_out = (np.array(weight, np.float64) for weight in vae.trainable_weights)
    expected, _ = reconstruction_by_hand("bce", x, (x @ w_mu + b_mu) @ w_out + b_out)
    assert losses["reconstruction_loss"] == pytest.approx(expected, rel=1e-5)
    assert int(vae.step) == 0


def test_float16_gradients_do_not_vanish(images):
    """Loss scaling: a step in mixed_float16 changes the weights as one in float32 does."""
    changes = []
    for scaled in (False, True):
        encoder, decoder = linear_parts(("mu", "logvar"))
        vae = VAE(encoder, decoder, BinaryCrossEntropy(), kl_weight=1.0, seed=0)
        optimizer = keras.optimizers.SGD(1.0)
        vae.compile(optimizer=keras.optimizers.LossScaleOptimizer(optimizer) if scaled else optimizer)
        before = vae.get_weights()
        vae.train_step(tf.constant(images))
        changes.append([new - old for old, new in zip(before, vae.get_weights(), strict=True)])
    for plain, scaled in zip(*changes, strict=True):
        np.testing.assert_allclose(plain, scaled, rtol=1e-4, atol=1e-6)

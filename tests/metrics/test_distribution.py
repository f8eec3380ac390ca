"""KL divergence and variance against formulas by hand and a numerical integral."""

import numpy as np
import pytest

from celeba_vae.metrics.distribution import kl_divergence, pixel_variance


def test_kl_of_the_prior_is_zero_and_of_a_shifted_one_half_its_squared_distance():
    zero = np.zeros((2, 3), np.float32)
    mu = np.array([[1, 2, 3], [0, 0, 4]], np.float32)

    np.testing.assert_allclose(kl_divergence(zero, zero), 0, atol=1e-12)
    np.testing.assert_allclose(kl_divergence(mu, zero), [7, 8])


def test_kl_is_the_integral_that_defines_it():
    mu, sigma = np.array([0.7, -1.2]), np.array([0.5, 1.6])
    z = np.linspace(-15, 15, 200_001)[:, None]
    log_q = -0.5 * ((z - mu) / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi))
    log_p = -0.5 * z**2 - np.log(np.sqrt(2 * np.pi))
    expected = np.trapezoid(np.exp(log_q) * (log_q - log_p), z, axis=0).sum()

    assert kl_divergence(mu[None], 2 * np.log(sigma)[None]) == pytest.approx([expected], rel=1e-6)


def test_pixel_variance_is_the_mean_over_values_of_the_variance_across_images():
    images = np.zeros((3, 1, 2, 1))
    images[:, 0, 0, 0] = [0.0, 0.5, 1.0]

    assert pixel_variance(images) == pytest.approx((0.25 + 0) / 2)

"""KL divergence and variance against formulas by hand and a numerical integral."""

import numpy as np
import pytest
from scipy.special import gammaln

from celeba_vae.metrics.distribution import kl_divergence, sliced_wasserstein_distance


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


def test_sliced_wasserstein_is_the_distance_that_can_be_computed_by_hand():
    """Flat images: every patch is one number, its projection that number times the sum of the direction."""
    random = np.random.default_rng(0)
    normal, two_valued = random.normal(0, 0.1, 2000), random.choice([-0.1, 0.1], 2000)
    flat = [np.broadcast_to(0.5 + values[:, None, None, None], (2000, 16, 16, 1)) for values in (normal, two_valued)]

    distances = sliced_wasserstein_distance(*flat, seed=1)

    # of N(0, 1) and of -1 or 1: the mean of | |z| - 1 |
    z = np.linspace(-8, 8, 100_001)
    one_dimensional = np.trapezoid(np.abs(np.abs(z) - 1) * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), z)
    # the mean |sum| of a random direction in 49 dimensions
    mean_sum = np.sqrt(49 / np.pi) * np.exp(gammaln(49 / 2) - gammaln(50 / 2))
    assert distances == {16: pytest.approx(1000 * mean_sum * one_dimensional, rel=0.1)}


def test_sliced_wasserstein_tells_details_from_the_large_form():
    random = np.random.default_rng(0)
    images = np.stack([np.full((64, 64, 3), colour) for colour in random.uniform(0.2, 0.8, (60, 3))])
    images += random.normal(0, 0.02, images.shape)
    form, details = images.copy(), images.copy()
    # half of the images dark: another distribution of colours, the same details
    form[::2] -= 0.2
    # larger, but not more of it: dots instead of noise
    details += 0.1 * (np.indices((64, 64)).sum(axis=0) % 2 * 2 - 1)[:, :, None]

    of_form, of_details, of_nothing = (
        sliced_wasserstein_distance(images, others) for others in (form, details, images[::-1])
    )

    assert list(of_form) == [64, 32, 16]
    assert of_form[16] > 5 * of_form[64]
    assert of_details[64] > 5 * of_details[16]
    assert max(of_nothing.values()) < min(of_form[16], of_details[64]) / 3
    assert set(sliced_wasserstein_distance(images, images).values()) == {0}
    with pytest.raises(ValueError, match="same shape"):
        sliced_wasserstein_distance(images, images[:3])

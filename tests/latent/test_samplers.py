"""Points of the latent space, against the legacy generator and the normal distribution's own figures."""

import numpy as np
import pytest

from celeba_vae.latent.samplers import standard_normal


@pytest.mark.parametrize("seed", [0, 42, 123456789])
def test_points_are_those_of_the_articles_generator(seed):
    generator = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))

    points = standard_normal(28, 256, seed)

    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, generator.normal(loc=0.0, scale=1.0, size=(28, 256)).astype(np.float32))


def test_first_points_do_not_depend_on_the_count():
    np.testing.assert_array_equal(standard_normal(100, 16, seed=1)[:7], standard_normal(7, 16, seed=1))


def test_points_are_standard_normal_and_other_seeds_give_others():
    points = standard_normal(20_000, 8, seed=3)

    np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.04)
    np.testing.assert_allclose(np.cov(points.T), np.eye(8), atol=0.05)
    assert not np.isclose(standard_normal(1, 8, seed=4), points[:1]).any()

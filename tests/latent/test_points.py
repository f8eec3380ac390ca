"""Points of the latent space: each is its seed's and number's alone, whatever else is drawn."""

import numpy as np
import pytest

from celeba_vae.errors import DataError
from celeba_vae.latent.points import LatentPoints, sample_points
from celeba_vae.latent.samplers import EncodedImages, Gaussian, Mixture, Normal


def fitted_to_normal(sampler, count, latent_dim):
    latents = np.random.default_rng(0).normal(size=(count, latent_dim)).astype(np.float32)
    return sampler.fit(EncodedImages(latents, None))


def test_a_point_is_numpys_of_its_seed_and_number():
    points = sample_points(Normal(scale=2), [5, 0], 16, seed=7)

    for point, i in zip(points, [5, 0], strict=True):
        np.testing.assert_array_equal(point, (2 * np.random.default_rng((7, i)).standard_normal(16)).astype(np.float32))


def test_a_point_does_not_depend_on_what_else_is_drawn():
    fitted = fitted_to_normal(Mixture(components=2), 200, 4)
    blocks = list(LatentPoints(Mixture(components=2), 2500, 4, 1, fitted))
    points = np.concatenate(blocks)

    assert [len(block) for block in blocks] == [1024, 1024, 452]
    alone = sample_points(Mixture(components=2), [2400], 4, 1, fitted)
    np.testing.assert_array_equal(alone[0], points[2400])
    assert not np.isclose(sample_points(Mixture(components=2), [2400], 4, 2, fitted), alone).any()


def test_arrays_of_another_encoder_are_refused():
    fitted = fitted_to_normal(Gaussian(), 50, 4)

    with pytest.raises(DataError, match=r"4 dimensions, the decoder takes 6 .*--load-versions"):
        sample_points(Gaussian(), range(2), 6, 0, fitted)


def test_arrays_of_another_sampler_are_refused():
    fitted = fitted_to_normal(Gaussian(), 50, 3)
    with pytest.raises(DataError, match="Mixture needs 'weights', but what was fitted has mean, factor"):
        sample_points(Mixture(), range(1), 3, 0, fitted)

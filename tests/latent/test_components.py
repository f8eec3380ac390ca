"""Principal components, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from celeba_vae.errors import DataError
from celeba_vae.latent.components import principal_components


def correlated(count, latent_dim, seed=0):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(latent_dim, latent_dim)) * np.linspace(3, 0.1, latent_dim)[:, None]
    return (random.normal(size=(count, latent_dim)) @ mixing + 5).astype(np.float32)


@pytest.mark.parametrize(("count", "latent_dim"), [(20_000, 12), (9, 12)])
def test_components_are_those_of_scikit_learn(tmp_path, count, latent_dim):
    np.save(tmp_path / "latents.npy", correlated(count, latent_dim))
    latents = np.load(tmp_path / "latents.npy", "r")

    found = principal_components(latents, 4)

    expected = PCA(4, svd_solver="full").fit(latents.astype(float))
    np.testing.assert_allclose(found.mean, expected.mean_, rtol=1e-6)
    np.testing.assert_allclose(found.deviations, np.sqrt(expected.explained_variance_), rtol=1e-6)
    np.testing.assert_allclose(found.shares, expected.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(np.abs((found.directions * expected.components_).sum(axis=1)), 1, rtol=1e-6)


def test_directions_have_the_same_sign_whatever_the_images_order():
    latents = correlated(200, 6)

    directions = principal_components(latents, 6).directions

    np.testing.assert_allclose(principal_components(latents[::-1], 6).directions, directions, atol=1e-6)
    np.testing.assert_allclose(principal_components(-latents, 6).directions, directions, atol=1e-6)
    assert (np.abs(directions).max(axis=1) == directions.max(axis=1)).all()


def test_traversal_goes_through_the_mean_in_standard_deviations():
    latents = correlated(500, 3)
    found = principal_components(latents, 2)

    way = found.traversal(1, [-3, 0, 1.5])

    assert way.dtype == np.float32
    np.testing.assert_allclose(way[1], latents.mean(axis=0, dtype=float), rtol=1e-6)
    offsets = (way - way[1]) @ found.directions.T / (latents @ found.directions.T).std(axis=0, ddof=1)
    np.testing.assert_allclose(offsets, [[0, -3], [0, 0], [0, 1.5]], atol=1e-5)


def test_there_are_no_more_components_than_dimensions():
    found = principal_components(correlated(50, 3), 8)

    assert found.directions.shape == (3, 3)
    assert found.shares.sum() == pytest.approx(1)


@pytest.mark.parametrize("latents", [np.ones((5, 3), np.float32), np.ones((1, 3), np.float32), np.ones((0, 3))])
def test_latents_that_do_not_vary_are_refused(latents):
    with pytest.raises(DataError, match=f"{len(latents)} images don't vary"):
        principal_components(latents, 2)

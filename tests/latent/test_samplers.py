"""Samplers against the moments of their distributions, and fitted ones against known distributions of latents."""

import numpy as np
import pytest
from scipy import stats

from celeba_vae.errors import SettingError
from celeba_vae.latent.points import distances, one_point_note, sample_points
from celeba_vae.latent.samplers import (
    EncodedImages,
    Gaussian,
    Mixture,
    Normal,
    Posterior,
    TruncatedNormal,
    Uniform,
)

COUNT = 20_000


def no_posterior(rows):
    raise AssertionError("not needed")


def latents_only(latents):
    return EncodedImages(latents.astype(np.float32), no_posterior)


@pytest.mark.parametrize(
    ("sampler", "distribution"),
    [
        (Normal(), stats.norm()),
        (Normal(scale=0.5), stats.norm(scale=0.5)),
        (TruncatedNormal(limit=1.5, scale=2), stats.truncnorm(-1.5, 1.5, scale=2)),
        (Uniform(limit=3), stats.uniform(-3, 6)),
    ],
)
def test_coordinates_are_independent_and_have_the_samplers_distribution(sampler, distribution):
    points = sample_points(sampler, range(COUNT), 3, seed=3)

    assert points.dtype == np.float32
    for coordinate in points.T:
        assert stats.kstest(coordinate, distribution.cdf).pvalue > 1e-4
    correlation = np.corrcoef(points.T) - np.eye(3)
    assert np.abs(correlation).max() < 4 / np.sqrt(COUNT)


@pytest.mark.parametrize(
    ("sampler", "limit"), [(TruncatedNormal(limit=0.5, scale=3), 1.5), (Uniform(limit=0.25), 0.25)]
)
def test_no_coordinate_is_beyond_the_limit(sampler, limit):
    points = sample_points(sampler, range(2000), 8, seed=0)

    assert 0.95 * limit < np.abs(points).max() <= limit


def test_uniform_points_of_all_limits_lie_on_the_same_rays():
    near, far = (sample_points(Uniform(limit=limit), range(5), 32, seed=4) for limit in (0.5, 8.0))

    np.testing.assert_allclose(far, 16 * near, rtol=1e-6)
    np.testing.assert_allclose(distances(far), 16 * distances(near), rtol=1e-6)


def test_gaussian_recovers_mean_and_covariance():
    random = np.random.default_rng(1)
    mean, factor = np.array([3.0, -1.0, 0.0, 10.0]), random.normal(size=(4, 4))
    latents = mean + random.normal(size=(COUNT, 4)) @ factor

    points = sample_points(Gaussian(), range(COUNT), 4, 0, Gaussian().fit(latents_only(latents)))

    covariance = factor.T @ factor
    deviations = np.sqrt(np.diag(covariance))
    assert (np.abs(points.mean(axis=0) - mean) < 6 * deviations / np.sqrt(COUNT)).all()
    assert (np.abs(np.cov(points.T) - covariance) < 8 * np.outer(deviations, deviations) / np.sqrt(COUNT)).all()


def test_mixture_recovers_weights_means_and_covariances():
    random = np.random.default_rng(2)
    weights, means = np.array([0.2, 0.5, 0.3]), np.array([[0.0, 0.0], [12.0, 0.0], [0.0, -15.0]])
    factors = np.array([[[1.0, 0.5], [0.0, 1.0]], [[2.0, -1.0], [0.0, 0.5]], [[0.7, 0.0], [0.0, 1.5]]])

    def draw(count):
        of = random.choice(3, count, p=weights)
        return means[of] + np.einsum("ni,nij->nj", random.normal(size=(count, 2)), factors[of])

    sampler = Mixture(components=3)
    points = sample_points(sampler, range(COUNT), 2, 0, sampler.fit(latents_only(draw(COUNT))))

    nearest = np.linalg.norm(points[:, None] - means, axis=2).argmin(axis=1)
    np.testing.assert_allclose(np.bincount(nearest, minlength=3) / COUNT, weights, atol=0.02)
    for component in range(3):
        cluster = points[nearest == component]
        np.testing.assert_allclose(cluster.mean(axis=0), means[component], atol=0.15)
        # the smallest variance of a component widens each by a hundredth of the latents' own
        widened = factors[component].T @ factors[component] + 0.01 * np.cov(points.T)
        np.testing.assert_allclose(np.cov(cluster.T), widened, atol=0.25)


@pytest.mark.parametrize(("count", "components", "kind"), [(150, 3, "full"), (90, 1, "diagonal"), (400, None, None)])
def test_few_points_get_fewer_or_diagonal_components_and_a_warning(count, components, kind, caplog):
    latents = np.random.default_rng(3).normal(size=(count, 5)) * [1, 2, 3, 4, 5]

    fitted = Mixture(components=8).fit(latents_only(latents))

    assert len(fitted["weights"]) == (components or 8)
    assert fitted["weights"].sum() == pytest.approx(1)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    if kind is None:
        assert warnings == []
    else:
        assert len(warnings) == 1
        assert f"it gets {components} {kind} ones" in warnings[0]
        assert "generation.fit_images" in warnings[0]
    points = sample_points(Mixture(components=8), range(4000), 5, 0, fitted)
    np.testing.assert_allclose(points.std(axis=0), latents.std(axis=0), rtol=0.15)


def test_mixture_uses_latents_spread_over_all_of_them():
    latents = np.concatenate([np.full((500, 2), -10.0), np.full((500, 2), 10.0)])
    latents += np.random.default_rng(5).normal(size=latents.shape)

    fitted = Mixture(components=2, max_points=100).fit(latents_only(latents))

    np.testing.assert_allclose(np.sort(fitted["means"][:, 0]), [-10, 10], atol=0.7)
    np.testing.assert_allclose(fitted["weights"], 0.5, atol=0.02)


def test_dimensions_that_do_not_vary_stay_as_they_are():
    latents = np.random.default_rng(6).normal(size=(500, 3)) * [1, 0, 2] + [0, 4, 0]
    for sampler in Gaussian(), Mixture(components=2):
        points = sample_points(sampler, range(100), 3, 0, sampler.fit(latents_only(latents)))

        np.testing.assert_allclose(points[:, 1], 4, atol=1e-4)
        assert points[:, 2].std() > 1


@pytest.mark.parametrize("sampler", [Gaussian(), Mixture()])
@pytest.mark.parametrize("latents", [np.full((1, 4), 3.5), np.full((50, 4), 3.5), 3.5 + 1e-7 * np.eye(50, 4)])
def test_latents_that_are_all_alike_leave_their_own_point(sampler, latents):
    latents = latents.astype(np.float32)

    fitted = sampler.fit(latents_only(latents))

    np.testing.assert_allclose(sample_points(sampler, range(20), 4, 0, fitted), 3.5, rtol=1e-6)
    assert "one point only" in one_point_note("its name", sampler, 4, fitted)


def test_a_sampler_of_several_points_is_not_said_to_have_one():
    latents = 5 + 1e-3 * np.random.default_rng(9).normal(size=(60, 3))
    fitted = Gaussian().fit(latents_only(latents))

    assert one_point_note("gaussian", Gaussian(), 3, fitted) == ""
    assert sample_points(Gaussian(), range(2000), 3, 0, fitted).std(axis=0) == pytest.approx(1e-3, rel=0.3)
    # what was asked for
    reconstruction = {"mu": np.ones((1, 3), np.float32), "sigma": np.ones((1, 3), np.float32)}
    assert one_point_note("posterior", Posterior(scale=0), 3, reconstruction) == ""


def test_mixture_has_no_more_components_than_different_points(caplog, recwarn):
    latents = np.repeat([[0.0, 1.0], [4.0, 3.0], [-4.0, 3.0]], 200, axis=0)

    fitted = Mixture(components=8).fit(latents_only(latents))

    assert len(fitted["weights"]) == 3
    assert "3 different points among 600" in caplog.text
    assert not recwarn.list
    found = fitted["means"][np.argsort(fitted["means"][:, 0])]
    np.testing.assert_allclose(found, [[-4, 3], [0, 1], [4, 3]], atol=1e-4)


def test_posterior_is_around_the_images_by_turns():
    mu, sigma = np.array([[5.0, -5.0], [0.0, 20.0]]), np.array([[0.1, 2.0], [1.0, 0.5]])
    asked = []

    def posterior(rows):
        asked.append(tuple(rows))
        return mu.astype(np.float32), (2 * np.log(sigma)).astype(np.float32)

    sampler = Posterior(rows=(3, 9), scale=2)
    fitted = sampler.fit(EncodedImages(np.zeros((0, 2), np.float32), posterior))
    points = sample_points(sampler, range(COUNT), 2, 0, fitted)

    assert asked == [(3, 9)]
    for image in range(2):
        around = points[image::2]
        np.testing.assert_allclose(around.mean(axis=0), mu[image], atol=0.15)
        np.testing.assert_allclose(around.std(axis=0), 2 * sigma[image], rtol=0.05)


def test_posterior_needs_a_variance():
    with pytest.raises(SettingError, match="model: vae"):
        Posterior().fit(EncodedImages(np.zeros((0, 2)), lambda rows: (np.zeros((1, 2)), None)))

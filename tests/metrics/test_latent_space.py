"""The latents' distribution, streamed, against NumPy and SciPy on whole arrays."""

import numpy as np
import pytest
from scipy.stats import chi, kstest

from celeba_vae.errors import DataError
from celeba_vae.metrics.latent_space import LATENT_MEASURES, LatentSpace, kl_of_dimensions, prior_density


def posteriors(count=300, dimensions=6):
    """Mu that is correlated, off-centre and in one dimension constant; float32 as encoders give."""
    random = np.random.default_rng(3)
    mu = random.normal(size=(count, dimensions)) @ random.normal(size=(dimensions, dimensions)) + [3, 0, 0, 0, -1, 0]
    mu[:, 1], mu[:, 5] = 0.25, 0.05 * mu[:, 5] / mu[:, 5].std()
    return mu.astype(np.float32), random.normal(-1, 0.5, (count, dimensions)).astype(np.float32)


def gathered(mu, logvar=None, batch_size=64, seed=42):
    space = LatentSpace(seed)
    for first in range(0, len(mu), batch_size):
        rows = slice(first, first + batch_size)
        space.update(mu[rows], None if logvar is None else logvar[rows])
    return space


@pytest.mark.parametrize("batch_size", [1, 64, 1000])
def test_moments_and_kl_are_those_of_the_whole(batch_size):
    mu, logvar = posteriors()

    space = gathered(mu, logvar, batch_size)

    whole = mu.astype(np.float64)
    kl = (-0.5 * (1 + logvar - whole**2 - np.exp(logvar.astype(np.float64)))).mean(axis=0)
    assert (space.count, space.latent_dim) == (300, 6)
    np.testing.assert_allclose(space.mean, whole.mean(axis=0))
    np.testing.assert_allclose(space.deviation, whole.std(axis=0, ddof=1), atol=1e-12)
    np.testing.assert_allclose(space.covariance, np.cov(whole.T), atol=1e-10)
    np.testing.assert_allclose(space.kl, kl, rtol=1e-6)
    assert space.measured["kl"] == pytest.approx(kl.sum())
    # of the six, one is constant and one has a variance of 0.0025
    assert space.measured["active_units"] == 4
    assert list(space.measured) == [measure.name for measure in LATENT_MEASURES]


def test_correlation_is_that_of_numpy_and_a_constant_dimension_has_none():
    mu, logvar = posteriors()

    space = gathered(mu, logvar)

    varying = [0, 2, 3, 4, 5]
    expected = np.corrcoef(mu[:, varying].astype(np.float64).T)
    apart = np.abs(expected[np.triu_indices(5, k=1)])
    np.testing.assert_allclose(space.correlation[np.ix_(varying, varying)], expected, atol=1e-9)
    assert np.isnan(space.correlation[1]).all()
    assert space.measured["largest_correlation"] == pytest.approx(apart.max())
    assert space.measured["mean_correlation"] == pytest.approx(apart.mean())


def test_points_of_a_perfect_model_lie_as_those_of_the_prior():
    random = np.random.default_rng(0)
    sigma = 0.6
    mu = random.normal(0, np.sqrt(1 - sigma**2), (3000, 256)).astype(np.float32)

    space = gathered(mu, np.full_like(mu, 2 * np.log(sigma)))

    assert kstest(space.z_distances, chi(256).cdf).pvalue > 0.01
    assert space.measured["z_distance"] == pytest.approx(np.sqrt(255.5), abs=0.05)
    assert space.measured["z_distance_deviation"] == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert space.measured["prior_distance"] == pytest.approx(np.sqrt(255.5), abs=0.01)
    assert space.measured["prior_distance_deviation"] == pytest.approx(np.sqrt(0.5), abs=0.01)
    assert space.measured["in_shell"] == pytest.approx(0.99, abs=0.01)
    # mu is nearer to the origin, by what sigma adds
    np.testing.assert_allclose(space.mu_distances, np.linalg.norm(mu.astype(np.float64), axis=1))
    assert space.measured["mu_distance"] == pytest.approx(np.sqrt(255.5 * (1 - sigma**2)), abs=0.05)


def test_batches_do_not_change_what_is_drawn_but_the_seed_does():
    mu, logvar = posteriors()

    one, other = gathered(mu, logvar, 7), gathered(mu, logvar, 300)

    np.testing.assert_array_equal(one.z_distances, other.z_distances)
    np.testing.assert_allclose(one.projection, other.projection, atol=1e-9)
    assert not np.array_equal(gathered(mu, logvar, seed=1).z_distances, one.z_distances)


def test_a_plain_encoder_has_no_kl_and_no_z_beside_its_points():
    mu, _ = posteriors()

    space = gathered(mu)

    assert space.kl is None
    assert space.z_distances is None
    undefined = {name for name, value in space.measured.items() if value is None}
    assert undefined == {"kl", "z_distance", "z_distance_deviation"}
    low, high = chi(6).interval(0.99)
    lengths = np.linalg.norm(mu, axis=1)
    assert space.measured["in_shell"] == pytest.approx(np.mean((lengths >= low) & (lengths <= high)))


def test_projection_is_that_of_the_singular_vectors():
    mu, logvar = posteriors()

    space = gathered(mu, logvar)

    centred = mu - mu.mean(axis=0, dtype=np.float64)
    _, values, vectors = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ vectors[:2].T
    np.testing.assert_allclose(np.abs(space.projection), np.abs(expected), atol=1e-6)
    np.testing.assert_allclose(space.explained, values[:2] ** 2 / (values**2).sum())
    np.testing.assert_array_equal(space.projected_rows, np.arange(300))


def test_of_many_images_a_sample_is_kept_and_its_rows_are_known():
    random = np.random.default_rng(1)
    mu = random.normal(size=(60_000, 2)).astype(np.float32)

    space = gathered(mu, batch_size=10_000)

    assert (space.mu_distances.shape, space.projection.shape) == ((50_000,), (2000, 2))
    lengths = np.linalg.norm(mu[space.projected_rows] - space.mean, axis=1)
    np.testing.assert_allclose(np.linalg.norm(space.projection, axis=1), lengths, rtol=1e-5)
    assert space.measured["mu_distance"] == pytest.approx(np.linalg.norm(mu, axis=1).mean())


def test_prior_density_integrates_to_one_around_sixteen():
    distances = np.linspace(0, 40, 4001)
    density = prior_density(distances, 256)

    assert np.trapezoid(density, distances) == pytest.approx(1)
    assert distances[density.argmax()] == pytest.approx(np.sqrt(255), abs=0.01)


def test_one_dimension_and_a_collapsed_space_are_described_too():
    collapsed = gathered(np.zeros((5, 3), np.float32), np.zeros((5, 3), np.float32))
    line = gathered(np.arange(5, dtype=np.float32)[:, None])

    assert (collapsed.measured["kl"], collapsed.measured["active_units"]) == (0, 0)
    assert collapsed.measured["largest_correlation"] is None
    np.testing.assert_array_equal(collapsed.explained, [0, 0])
    assert line.projection.shape == (5, 1)
    assert line.explained == pytest.approx([1])


def test_what_can_not_be_described_is_an_error():
    mu, logvar = (each[:1] for each in posteriors())
    with pytest.raises(DataError, match="at least two images"):
        gathered(mu, logvar).measured  # noqa: B018
    with pytest.raises(DataError, match="not finite"):
        LatentSpace().update(np.array([[0.0, np.nan]]))
    with pytest.raises(DataError, match="not finite"):
        LatentSpace().update(mu, np.full_like(mu, np.inf))


def test_kl_of_the_prior_is_zero_and_of_a_shifted_one_half_its_squared_distance():
    zero = np.zeros((2, 3), np.float32)
    mu = np.array([[1, 2, 3], [0, 0, 4]], np.float32)

    np.testing.assert_allclose(kl_of_dimensions(zero, zero), 0, atol=1e-12)
    np.testing.assert_allclose(kl_of_dimensions(mu, zero).sum(axis=1), [7, 8])


def test_kl_is_the_integral_that_defines_it():
    mu, sigma = np.array([0.7, -1.2]), np.array([0.5, 1.6])
    z = np.linspace(-15, 15, 200_001)[:, None]
    log_q = -0.5 * ((z - mu) / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi))
    log_p = -0.5 * z**2 - np.log(np.sqrt(2 * np.pi))
    expected = np.trapezoid(np.exp(log_q) * (log_q - log_p), z, axis=0)

    np.testing.assert_allclose(kl_of_dimensions(mu[None], 2 * np.log(sigma)[None])[0], expected, rtol=1e-6)

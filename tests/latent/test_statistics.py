"""Streamed statistics against NumPy on the whole array."""

import numpy as np
import pytest

from celeba_vae.latent.statistics import (
    RandomSample,
    RunningCovariance,
    RunningVariance,
    covariance_factor,
    mean_and_covariance,
    principal_directions,
)


def fed(statistic, rows, batch_size):
    for first in range(0, len(rows), batch_size):
        statistic.update(rows[first : first + batch_size])
    return statistic


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_variance_is_that_of_the_whole_even_where_the_mean_is_large(batch_size):
    rows = 1e6 + np.random.default_rng(0).normal(0, 0.01, (50, 4, 3))

    statistic = fed(RunningVariance(), rows, batch_size)

    np.testing.assert_allclose(statistic.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistic.variance(), rows.var(axis=0, ddof=1), rtol=1e-5)
    np.testing.assert_allclose(statistic.variance(ddof=0), rows.var(axis=0), rtol=1e-5)
    assert statistic.count == 50


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_covariance_is_that_of_the_whole_even_where_the_mean_is_large(batch_size):
    random = np.random.default_rng(0)
    rows = 1e5 + random.normal(size=(50, 3)) @ random.normal(size=(3, 6))

    statistic = fed(RunningCovariance(), rows, batch_size)

    np.testing.assert_allclose(statistic.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistic.covariance(), np.cov(rows.T), rtol=1e-6, atol=1e-6)


def test_one_row_varies_from_nothing():
    row = np.ones((1, 3), np.float32)

    assert np.isnan(fed(RunningVariance(), row, 1).variance()).tolist() == [True] * 3
    assert np.isnan(fed(RunningCovariance(), row, 1).covariance()).tolist() == [[True] * 3] * 3
    assert np.isnan(RunningVariance().variance(ddof=0))


def test_sample_is_of_rows_in_order_whatever_the_batches():
    rows = np.arange(1000, dtype=np.float32)[:, None] * [1, 2]

    samples = [fed(RandomSample(50, seed=3), rows, batch_size) for batch_size in (1, 64, 1000)]

    for sample in samples:
        np.testing.assert_array_equal(sample.rows, rows[sample.positions])
        np.testing.assert_array_equal(sample.positions, samples[0].positions)
        assert len(set(sample.positions)) == 50
        assert (np.diff(sample.positions) > 0).all()
    assert not np.array_equal(fed(RandomSample(50, seed=4), rows, 64).positions, samples[0].positions)
    np.testing.assert_array_equal(fed(RandomSample(5000), rows, 64).rows, rows)


def test_each_row_has_the_same_chance_to_be_in_the_sample():
    chosen = np.zeros(20)
    for seed in range(2000):
        chosen[fed(RandomSample(5, seed), np.zeros((20, 1)), 6).positions] += 1

    # 500 times each, with a standard deviation of 19
    assert np.abs(chosen - 500).max() < 80


@pytest.mark.parametrize("count", [3000, 2])
def test_mean_and_covariance_of_a_memory_mapped_array_are_numpys(tmp_path, count):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(7, 2, (count, 4)).astype(np.float32))
    rows = np.load(tmp_path / "rows.npy", "r")

    mean, covariance = mean_and_covariance(rows)

    np.testing.assert_allclose(mean, rows.mean(axis=0, dtype=float), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(rows.T.astype(float)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_rows_have_no_covariance(count):
    assert mean_and_covariance(np.ones((count, 3), np.float32))[1].tolist() == [[0] * 3] * 3


def test_principal_directions_are_the_longest_axes_of_an_ellipsoid_with_their_largest_value_positive():
    axes = np.array([[3.0, 4, 0], [-4, 3, 0], [0, 0, -5]]) / 5
    covariance = axes.T @ np.diag([1.0, 9, 4]) @ axes

    directions, variances = principal_directions(covariance, 2)

    np.testing.assert_allclose(directions, [[0.8, -0.6, 0], [0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(variances, [9, 4])
    assert len(principal_directions(covariance, 7)[1]) == 3


def test_factor_of_a_covariance_has_its_rank():
    rows = np.random.default_rng(0).normal(size=(2, 3)) * [[1], [100]]
    covariance = rows.T @ rows

    factor = covariance_factor(covariance, smallest=1e-10)

    assert factor.shape == (2, 3)
    np.testing.assert_allclose(factor.T @ factor, covariance, atol=1e-9)
    assert covariance_factor(covariance, smallest=0.1).shape == (1, 3)
    assert covariance_factor(np.zeros((3, 3)), smallest=1e-10).shape == (0, 3)

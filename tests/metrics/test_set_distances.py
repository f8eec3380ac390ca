"""Distances of two sets: in flat images by hand, of feature vectors against SciPy."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.special import gammaln

from celeba_vae.metrics.set_distances import frechet_distance, kernel_distance, sliced_wasserstein_distance


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


def two_sets(count=200, dimensions=12):
    random = np.random.default_rng(5)
    mixing = random.normal(size=(dimensions, dimensions))
    features = random.normal(size=(count, dimensions)) @ mixing + 1
    return features, random.exponential(size=(count + 30, dimensions)) @ mixing.T


def moments(features):
    return features.mean(axis=0), np.cov(features.T)


@pytest.mark.parametrize("count", [200, 8])
def test_frechet_distance_is_that_of_scipys_matrix_root(count):
    (mean, covariance), (other_mean, other_covariance) = (moments(each) for each in two_sets(count))

    # with fewer vectors than dimensions the product is singular, which SciPy's root takes badly: a little is added
    little = 1e-9 * np.eye(len(mean))
    root = sqrtm((covariance + little) @ (other_covariance + little)).real
    expected = np.sum((mean - other_mean) ** 2) + np.trace(covariance + other_covariance - 2 * root)

    distance = frechet_distance(mean, covariance, other_mean, other_covariance)
    assert distance > 1
    assert distance == pytest.approx(expected, rel=1e-4)
    assert frechet_distance(other_mean, other_covariance, mean, covariance) == pytest.approx(distance)


def test_frechet_distance_of_axis_parallel_distributions_by_hand():
    mean, other = np.array([0.0, 1.0]), np.array([3.0, 5.0])

    # |(3, 4)|^2 + (2 - 1)^2 + (5 - 3)^2, the deviations along each axis
    assert frechet_distance(mean, np.diag([4.0, 25.0]), other, np.diag([1.0, 9.0])) == pytest.approx(25 + 1 + 4)
    assert frechet_distance(mean, np.diag([4.0, 25.0]), mean, np.diag([4.0, 25.0])) == pytest.approx(0, abs=1e-9)
    # without any variance
    assert frechet_distance(mean, np.zeros((2, 2)), other, np.diag([1.0, 9.0])) == pytest.approx(25 + 1 + 9)
    assert frechet_distance(mean, np.diag([4.0, 0.0]), other, np.diag([1.0, 9.0])) == pytest.approx(25 + 1 + 9)


def test_kernel_distance_is_the_unbiased_estimate_by_hand():
    features, others = two_sets(count=30)
    # a subset of all 30 is all of them in another order; of the 60 others, those 30
    features, others = features[:30], others[:30]

    def kernel(x, y):
        return (np.dot(x, y) / len(x) + 1) ** 3

    pairs = [(i, j) for i in range(30) for j in range(30) if i != j]
    expected = (
        np.mean([kernel(features[i], features[j]) for i, j in pairs])
        + np.mean([kernel(others[i], others[j]) for i, j in pairs])
        - 2 * np.mean([kernel(x, y) for x in features for y in others])
    )

    assert kernel_distance(features, others, subsets=3) == pytest.approx(expected)
    assert kernel_distance(*(each.astype(np.float32) for each in (features, others)), subsets=1) == pytest.approx(
        expected, rel=1e-4
    )


def test_kernel_distance_in_subsets_estimates_that_of_the_whole():
    features, others = two_sets(count=400, dimensions=5)

    whole = kernel_distance(features, others, subsets=1, subset_size=1000)

    assert kernel_distance(features, others, subsets=300, subset_size=100) == pytest.approx(whole, rel=0.05)


def test_kernel_distance_of_equal_distributions_is_zero_on_average_whatever_the_number():
    random = np.random.default_rng(0)
    small = [kernel_distance(*random.normal(size=(2, 20, 4)), subsets=1) for _ in range(400)]

    assert min(small) < 0 < max(small)
    assert np.mean(small) == pytest.approx(0, abs=4 * np.std(small) / 20)
    assert kernel_distance(random.normal(size=(20, 4)), random.normal(1, size=(20, 4))) > 5 * np.std(small)


@pytest.mark.filterwarnings("error")
def test_distances_of_sets_without_variance_are_those_of_their_means():
    mean, other, nothing = np.array([1.0, 2.0, 0.0]), np.array([1.0, 5.0, 4.0]), np.zeros((3, 3))
    black, white = np.zeros((1, 32, 32, 3), np.uint8), np.full((1, 32, 32, 3), 255, np.uint8)

    assert frechet_distance(mean, nothing, mean, nothing) == 0
    assert frechet_distance(mean, nothing, other, nothing) == pytest.approx(25)
    assert kernel_distance(np.ones((4, 3)), np.ones((4, 3)), subsets=2) == pytest.approx(0, abs=1e-6)
    # each set is normalised by itself: flat ones are equal
    assert set(sliced_wasserstein_distance(black, black).values()) == {0.0}
    assert max(sliced_wasserstein_distance(black, white).values()) == pytest.approx(0, abs=1e-3)

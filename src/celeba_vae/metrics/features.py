"""Distances between two sets of feature vectors, such as a network's answers to real and to generated images."""

import numpy as np


def frechet_distance(
    mean: np.ndarray, covariance: np.ndarray, other_mean: np.ndarray, other_covariance: np.ndarray
) -> float:
    """Fréchet distance (squared) between the normal distributions that have these moments; 0 for equal ones.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), as in Heusel et al., "GANs Trained by a Two Time-Scale Update Rule
    Converge to a Local Nash Equilibrium" (2017); with Inception features it is called FID. The fewer vectors the
    moments are from, the larger it is, so only distances of equally many can be compared.

    Args:
        mean: (d,).
        covariance: (d, d), symmetric; may be singular, as it is with fewer vectors than dimensions.
        other_mean: (d,).
        other_covariance: (d, d).
    """
    variances, directions = np.linalg.eigh(covariance)
    # as numpy.linalg.matrix_rank tells zero from rounding: with few vectors there are few directions
    used = variances > variances[-1] * len(variances) * np.finfo(np.float64).eps
    factor = directions[:, used] * np.sqrt(variances[used])
    # C1 C2 has the eigenvalues of F^T C2 F, where F F^T = C1, and zeros
    eigenvalues = np.linalg.eigvalsh(factor.T @ other_covariance @ factor)
    trace_of_root = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    distance = np.square(mean - other_mean).sum() + np.trace(covariance + other_covariance) - 2 * trace_of_root
    return float(max(distance, 0))


def kernel_distance(
    features: np.ndarray, others: np.ndarray, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> float:
    """Squared maximum mean discrepancy with the kernel (x.y / d + 1)^3: 0 on average for equal distributions.

    As in Bińkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs" (2018): the unbiased estimate, mean over
    random subsets; with Inception features it is called KID. It does not depend on the number of vectors, other than
    by chance, and may come out a little below 0.

    Args:
        features: (n, d), at least two; float32 suffices.
        others: (m, d), at least two.
        subsets: Pairs of subsets.
        subset_size: Vectors in each; all, where there are fewer.
        seed: Seed of the subsets, each drawn without replacement.
    """
    random = np.random.default_rng(seed)
    size = min(subset_size, len(features), len(others))
    estimates = [
        _squared_discrepancy(*(random.choice(each, size, replace=False) for each in pair))
        for pair in [(features, others)] * subsets
    ]
    return float(np.mean(estimates))


def _squared_discrepancy(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased estimate from as many vectors of each, without the pairs of a vector with itself."""
    n = len(x)
    within = sum(_sum(kernel) - _sum(np.diagonal(kernel)) for kernel in (_kernel(x, x), _kernel(y, y)))
    return within / (n * (n - 1)) - 2 * _sum(_kernel(x, y)) / n**2


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    base = x @ y.T / x.shape[1] + 1
    return base * base * base


def _sum(values: np.ndarray) -> float:
    return float(values.sum(dtype=np.float64))

"""Distances between two sets of images, or of feature vectors such as a network's answers to them."""

import numpy as np

from celeba_vae.latent.statistics import covariance_factor

PATCH, PATCHES = 7, 128
DIRECTIONS, DIRECTIONS_AT_ONCE = 512, 32
SMALLEST_LEVEL = 16
# the binomial filter of Burt and Adelson's pyramid
PYRAMID_FILTER = np.array([1, 4, 6, 4, 1], np.float32) / 16


def sliced_wasserstein_distance(images: np.ndarray, others: np.ndarray, seed: int = 0) -> dict[int, float]:
    """Compare two sets of images level by level of their Laplacian pyramids; lower is better, 0 for equal sets.

    As in Karras, Aila, Laine and Lehtinen, "Progressive Growing of GANs for Improved Quality, Stability, and Variation"
    (2018), section 5: from each level, as long as it has at least 16 pixels a side, 128 patches of 7x7 pixels an image,
    normalised by the set's mean and standard deviation of each channel; the mean absolute difference of the two sets'
    sorted projections, over 512 random directions, times 1,000. The finest level is about details and noise, the
    coarsest about the large form. Some noise stays: two halves of a set of real images give the value to come close to.

    Both sets are of one shape, (n, h, w, c) uint8, or float in [0, 1], else a ValueError is raised; the seed is of the
    patches' places, the same in both, and of the directions. Memory: 0.15 MB a pair of images.

    Returns:
        From a level's height in pixels to its distance, the finest first.
    """
    if images.shape != others.shape or min(images.shape[1:3]) < SMALLEST_LEVEL:
        raise ValueError(
            f"Two sets of the same shape are needed, of images of at least {SMALLEST_LEVEL} pixels a side, not"
            f" {images.shape} and {others.shape}."
        )
    random = np.random.default_rng(seed)
    return {
        level.shape[1]: _sliced_wasserstein(level, other, random)
        for level, other in zip(_laplacian_pyramid(images), _laplacian_pyramid(others), strict=True)
    }


def frechet_distance(
    mean: np.ndarray, covariance: np.ndarray, other_mean: np.ndarray, other_covariance: np.ndarray
) -> float:
    """Fréchet distance (squared) between the normal distributions that have these moments; 0 for equal ones.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), as in Heusel et al., "GANs Trained by a Two Time-Scale Update Rule
    Converge to a Local Nash Equilibrium" (2017); with Inception features it is called FID. The fewer vectors the
    moments are from, the larger it is, so only distances of equally many can be compared.

    Means are (d,), covariances (d, d), which may be singular, as they are with fewer vectors than dimensions.
    """
    # as numpy.linalg.matrix_rank tells zero from rounding: with few vectors there are few directions
    factor = covariance_factor(covariance, smallest=len(covariance) * np.finfo(np.float64).eps)
    # C1 C2 has the eigenvalues of F C2 F^T, where F^T F = C1, and zeros
    eigenvalues = np.linalg.eigvalsh(factor @ other_covariance @ factor.T)
    trace_of_root = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    distance = np.square(mean - other_mean).sum() + np.trace(covariance + other_covariance) - 2 * trace_of_root
    return float(max(distance, 0))


def kernel_distance(
    features: np.ndarray, others: np.ndarray, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> float:
    """Squared maximum mean discrepancy with the kernel (x.y / d + 1)^3: 0 on average for equal distributions.

    As in Bińkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs" (2018): the unbiased estimate, mean over
    random subsets, drawn without replacement (of all vectors, where there are fewer than ``subset_size``); with
    Inception features it is called KID. It does not depend on the number of vectors, other than by chance, and may come
    out a little below 0. Features are (n, d) and (m, d), at least two each; float32 suffices.
    """
    random = np.random.default_rng(seed)
    size = min(subset_size, len(features), len(others))
    estimates = [
        _squared_discrepancy(*(random.choice(each, size, replace=False) for each in pair))
        for pair in [(features, others)] * subsets
    ]
    return float(np.mean(estimates))


def _sliced_wasserstein(level: np.ndarray, other: np.ndarray, random: np.random.Generator) -> float:
    count, height, width, channels = level.shape
    tops = random.integers(0, height - PATCH + 1, (count, PATCHES))
    lefts = random.integers(0, width - PATCH + 1, (count, PATCHES))
    descriptors = [_descriptors(each, tops, lefts) for each in (level, other)]
    total = 0.0
    # some directions at a time: the projections take less memory than the descriptors
    for _ in range(0, DIRECTIONS, DIRECTIONS_AT_ONCE):
        directions = random.standard_normal((DIRECTIONS_AT_ONCE, PATCH * PATCH * channels), np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        projections, others = (np.sort(directions @ each.T, axis=1) for each in descriptors)
        total += float(np.abs(projections - others).mean(axis=1, dtype=np.float64).sum())
    return 1000 * total / DIRECTIONS


def _descriptors(level: np.ndarray, tops: np.ndarray, lefts: np.ndarray) -> np.ndarray:
    """Cut patches out of each image, normalise each channel over all of them: (images * patches, values) float32."""
    windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), axis=(1, 2))
    patches = windows[np.arange(len(level))[:, None], tops, lefts].reshape(-1, level.shape[3], PATCH * PATCH)
    deviation = patches.std(axis=(0, 2), keepdims=True)
    patches = (patches - patches.mean(axis=(0, 2), keepdims=True)) / np.where(deviation > 0, deviation, 1)
    return patches.reshape(len(patches), -1)


def _laplacian_pyramid(images: np.ndarray) -> list[np.ndarray]:
    """Split images into levels, the finest first; each is what the next, enlarged, lacks; the last is what is left."""
    images = images.astype(np.float32) / np.float32(255 if images.dtype == np.uint8 else 1)
    levels = []
    while min(images.shape[1:3]) // 2 >= SMALLEST_LEVEL:
        smaller = _smoothed(images)[:, ::2, ::2]
        enlarged = np.zeros_like(images)
        enlarged[:, ::2, ::2] = smaller
        levels.append(images - 4 * _smoothed(enlarged))
        images = smaller
    return [*levels, images]


def _smoothed(images: np.ndarray) -> np.ndarray:
    from scipy.ndimage import correlate1d

    for axis in (1, 2):
        images = correlate1d(images, PYRAMID_FILTER, axis=axis, mode="mirror")
    return images


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

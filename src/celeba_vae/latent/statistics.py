"""Statistics of any number of rows: mean, variance, covariance and its principal directions, and a random sample."""

import numpy as np

# rows that are centred and multiplied at once
_BLOCK = 1024
# of rows that are equal, but were computed in batches of different sizes: float32 keeps seven digits
ROUNDING = 1e-6


class RunningVariance:
    """Mean and variance of each value of a row, in float64, given batch by batch, whatever the size of these.

    They are merged as in Chan, Golub and LeVeque, "Algorithms for computing the sample variance" (1983), which loses no
    accuracy where the mean is large against the deviation.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = np.zeros(())
        self._squares = np.zeros(())

    def update(self, rows: np.ndarray) -> None:
        """Take in a batch of at least one row, (n, ...)."""
        mean = rows.mean(axis=0, dtype=np.float64)
        shift, count = mean - self.mean, self.count + len(rows)
        squares, of_means = self._sum_of_squares(rows, mean), self._sum_of_squares(shift[None], np.zeros(()))
        self._squares = self._squares + (squares + of_means * (self.count * len(rows) / count))
        self.mean = self.mean + shift * (len(rows) / count)
        self.count = count

    def variance(self, ddof: int = 1) -> np.ndarray:
        """Give the sums of squared deviations, divided by n - ddof; NaN without more rows than that."""
        return self._squares / (self.count - ddof if self.count > ddof else np.nan)

    def _sum_of_squares(self, rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
        return np.square(rows - mean).sum(axis=0)


class RunningCovariance(RunningVariance):
    """Mean and covariance of rows (n, d), given batch by batch; a batch may be a memory-mapped array of any size."""

    def covariance(self) -> np.ndarray:
        """Give the covariance (d, d), divided by n - 1; NaN for fewer than two rows."""
        return self.variance()

    def _sum_of_squares(self, rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
        squares = np.zeros((rows.shape[1], rows.shape[1]))
        for first in range(0, len(rows), _BLOCK):
            centred = rows[first : first + _BLOCK] - mean
            squares += centred.T @ centred
        return squares


class RandomSample:
    """At most ``size`` of the rows, each with the same chance, without replacement, in the order in which they came.

    ``rows`` are of their own type; ``positions`` says where each of them stood among all, from 0, int64.
    """

    def __init__(self, size: int, seed: int = 0) -> None:
        self.rows = np.zeros(0)
        self.positions = np.zeros(0, np.int64)
        self._size = size
        self._random = np.random.default_rng(seed)
        self._count = 0
        self._keys = np.zeros(0)

    def update(self, rows: np.ndarray) -> None:
        """Take in a batch of rows, (n, ...)."""
        keys = np.concatenate([self._keys, self._random.random(len(rows))])
        positions = np.concatenate([self.positions, np.arange(self._count, self._count + len(rows))])
        kept = np.sort(np.argsort(keys, kind="stable")[: self._size])
        self.rows = (np.concatenate([self.rows, rows]) if self._count else rows)[kept]
        self._keys = keys[kept]
        self.positions = positions[kept]
        self._count += len(rows)


def mean_and_covariance(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the mean (d,) and the covariance (d, d) of rows (n, d), which may be memory-mapped; float64.

    The covariance of fewer than two rows is 0.
    """
    moments = RunningCovariance()
    if len(rows):
        moments.update(rows)
    return moments.mean, moments.covariance() if len(rows) > 1 else np.zeros((rows.shape[1], rows.shape[1]))


def all_alike(mean: np.ndarray, covariance: np.ndarray) -> bool:
    """Say whether rows with these moments are equal, but for the rounding of float32."""
    return not np.trace(covariance) > (ROUNDING * np.linalg.norm(mean)) ** 2


def principal_directions(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the directions in which most of the variance lies, and how much: the largest eigenvalues' eigenvectors.

    They are (count, d) of length 1, the largest value of each positive, and (count,), 0 or larger; at most d of them.
    """
    variances, vectors = np.linalg.eigh(covariance)
    leading = slice(None, -1 - min(count, len(variances)), -1)
    variances = np.maximum(variances[leading], 0)
    directions = vectors.T[leading]
    # an eigenvector's sign is the solver's whim
    largest = np.abs(directions).argmax(axis=1, keepdims=True)
    return directions * np.sign(np.take_along_axis(directions, largest, axis=1)), variances


def covariance_factor(covariance: np.ndarray, smallest: float) -> np.ndarray:
    """Give F (rank, d) with F^T F = the covariance; its rows are the principal axes, each as long as its deviation.

    The covariance (d, d) may be singular; ``smallest``, as a share of the largest variance, counts as none.
    """
    variances, axes = np.linalg.eigh(covariance)
    used = variances > smallest * variances[-1]
    return np.sqrt(variances[used])[:, None] * axes[:, used].T

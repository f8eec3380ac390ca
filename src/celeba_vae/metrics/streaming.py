"""Statistics of any number of rows, given batch by batch; the result does not depend on how they are divided."""

import numpy as np


class RunningVariance:
    """Mean and variance of each value of a row, in float64.

    Batches are merged as in Chan, Golub and LeVeque, "Algorithms for computing the sample variance" (1983), which loses
    no accuracy where the mean is large against the deviation.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean: np.ndarray | float = 0.0
        self._squared_deviations: np.ndarray | float = 0.0

    def update(self, rows: np.ndarray) -> None:
        """Take in a batch of at least one row, (n, ...)."""
        mean = rows.mean(axis=0, dtype=np.float64)
        squared_deviations = np.square(rows - mean).sum(axis=0)
        shift, count = mean - self.mean, self.count + len(rows)
        self._squared_deviations += squared_deviations + np.square(shift) * (self.count * len(rows) / count)
        self.mean, self.count = self.mean + shift * (len(rows) / count), count

    def variance(self, ddof: int = 1) -> np.ndarray | None:
        """Give the sums of squared deviations, divided by n - ddof; None without more rows than that."""
        return self._squared_deviations / (self.count - ddof) if self.count > ddof else None


class RunningCovariance:
    """Mean and covariance of rows, in float64; batches are merged as in ``RunningVariance``."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: np.ndarray | float = 0.0
        self._scatter: np.ndarray | float = 0.0

    def update(self, rows: np.ndarray) -> None:
        """Take in a batch of at least one row, (n, d)."""
        mean = rows.mean(axis=0, dtype=np.float64)
        centred = rows - mean
        shift, count = mean - self.mean, self.count + len(rows)
        self._scatter += centred.T @ centred + np.multiply.outer(shift, shift) * (self.count * len(rows) / count)
        self.mean, self.count = self.mean + shift * (len(rows) / count), count

    def covariance(self) -> np.ndarray | None:
        """Give the covariance (d, d), divided by n - 1; None for fewer than two rows."""
        return self._scatter / (self.count - 1) if self.count > 1 else None


class RandomSample:
    """At most so many of the rows, each with the same chance, without replacement, in the order in which they came.

    Args:
        size: Rows to keep.
        seed: Seed of the choice.
    """

    def __init__(self, size: int, seed: int = 0) -> None:
        self.size = size
        self._random = np.random.default_rng(seed)
        self._count = 0
        self._keys, self._positions = np.zeros(0), np.zeros(0, np.int64)
        self._rows: np.ndarray | None = None

    def update(self, rows: np.ndarray) -> None:
        """Take in a batch of rows, (n, ...)."""
        keys = np.concatenate([self._keys, self._random.random(len(rows))])
        positions = np.concatenate([self._positions, np.arange(self._count, self._count + len(rows))])
        kept = np.sort(np.argsort(keys, kind="stable")[: self.size])
        self._rows = (rows if self._rows is None else np.concatenate([self._rows, rows]))[kept]
        self._keys, self._positions = keys[kept], positions[kept]
        self._count += len(rows)

    @property
    def rows(self) -> np.ndarray:
        """(at most size, ...), of the rows' own type."""
        return np.zeros(0) if self._rows is None else self._rows

    @property
    def positions(self) -> np.ndarray:
        """Where each kept row stood among all, from 0, int64."""
        return self._positions

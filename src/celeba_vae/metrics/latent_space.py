"""Where an encoder puts images in latent space: the confinement of the latents (the articles' z-points)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from celeba_vae.errors import DataError
from celeba_vae.latent.statistics import RandomSample, RunningCovariance, RunningVariance, principal_directions
from celeba_vae.metrics.measures import KL, Measure, Measured

# Burda, Grosse and Salakhutdinov, "Importance Weighted Autoencoders" (2016), section 5
ACTIVE_VARIANCE = 0.01
# of the points of N(0, I), this share lies in the shell
SHELL = 0.99
DISTANCES_KEPT, POINTS_KEPT = 50_000, 2_000

LATENT_MEASURES = (
    KL,
    Measure("active_units", "Active units", number="{:.0f}", note="dimensions whose mu has a variance above 0.01"),
    Measure("mu_distance", "Distance of mu from the origin", number="{:.2f}", note="mean over images"),
    Measure("mu_distance_deviation", "Spread of mu's distance", number="{:.2f}", note="standard deviation"),
    Measure("z_distance", "Distance of z from the origin", number="{:.2f}", note="mean; z drawn from N(mu, sigma²)"),
    Measure("z_distance_deviation", "Spread of z's distance", number="{:.2f}", note="standard deviation"),
    Measure("prior_distance", "Distance of N(0, I) from the origin", number="{:.2f}", note="mean, chi distribution"),
    Measure("prior_distance_deviation", "Spread of its distance", number="{:.2f}", note="standard deviation"),
    Measure(
        "in_shell", "Points where N(0, I) has its own", number="{:.0%}", note="at distances that 99% of N(0, I) have"
    ),
    Measure("largest_correlation", "Largest correlation of two dimensions", number="{:.2f}", note="of mu, absolute"),
    Measure("mean_correlation", "Mean correlation of two dimensions", number="{:.3f}", note="of mu, absolute"),
)


@dataclass(frozen=True)
class LatentSpace:
    """How the latents of ``count`` images are distributed; d is latent_dim. What is drawn is a random sample of them.

    ``mu`` stands for a plain autoencoder's z, too, which then has neither ``kl`` nor distances of its own.

    Args:
        count: Images.
        mean: (d,) float64, of mu.
        covariance: (d, d) float64, of mu.
        kl: (d,) float64, mean KL of each dimension in nats, or None.
        distances: (up to 50,000, 2) float64, of mu and of a z drawn for each image from the origin; (…, 1) without z.
        points: Up to 2,000 of mu.
        measured: From the names in ``LATENT_MEASURES`` to their values, None where not defined.
    """

    count: int
    mean: np.ndarray
    covariance: np.ndarray
    kl: np.ndarray | None
    distances: np.ndarray
    points: RandomSample
    measured: Measured

    @property
    def latent_dim(self) -> int:
        """Dimensions of the latent space."""
        return len(self.mean)

    @property
    def deviation(self) -> np.ndarray:
        """(d,) float64, the standard deviation of mu over the images."""
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def correlation(self) -> np.ndarray:
        """(d, d) float64 in [-1, 1]; NaN for a dimension that does not vary."""
        return _correlation(self.covariance)

    @property
    def mu_distances(self) -> np.ndarray:
        """(up to 50,000,) float64, of mu from the origin."""
        return self.distances[:, 0]

    @property
    def z_distances(self) -> np.ndarray | None:
        """The same of a z drawn for each image, or None."""
        return self.distances[:, 1] if self.distances.shape[1] > 1 else None

    @cached_property
    def _principal(self) -> tuple[np.ndarray, np.ndarray]:
        return principal_directions(self.covariance, 2)

    @property
    def projection(self) -> np.ndarray:
        """(up to 2,000, 2) float64, mu along the two directions of largest variance, from the mean.

        (…, 1) where latent_dim is 1.
        """
        return (self.points.rows - self.mean) @ self._principal[0].T

    @property
    def projected_rows(self) -> np.ndarray:
        """(up to 2,000,) int64, which images these are, counted from 0."""
        return self.points.positions

    @property
    def explained(self) -> np.ndarray:
        """(2,) float64, or (1,), the share of mu's variance along each of the two."""
        total, variances = np.trace(self.covariance), self._principal[1]
        return variances / total if total > 0 else np.zeros_like(variances)


class LatentStatistics:
    """Gathers a ``LatentSpace``, batch by batch: memory depends on latent_dim, not on the number of images.

    Args:
        seed: Seed of the points z and of the samples that are kept.
    """

    def __init__(self, seed: int = 42) -> None:
        self._random = np.random.default_rng(seed)
        self._mu = RunningCovariance()
        self._kl, self._distances, self._in_shell = RunningVariance(), RunningVariance(), RunningVariance()
        self._kept_distances = RandomSample(DISTANCES_KEPT, seed)
        self._kept_points = RandomSample(POINTS_KEPT, seed)

    def update(self, mu: np.ndarray, logvar: np.ndarray | None = None) -> None:
        """Take in what the encoder makes of a batch of images, (n, d) each; a plain one gives no ``logvar``.

        Raises:
            DataError: not all values are finite.
        """
        points = [mu.astype(np.float64)]
        if logvar is not None:
            points.append(mu + np.exp(logvar.astype(np.float64) / 2) * self._random.standard_normal(mu.shape))
        if not np.isfinite(points).all():
            raise DataError("The encoder gives latents that are not finite: its training has failed. Train it again.")
        if logvar is not None:
            self._kl.update(kl_of_dimensions(mu, logvar))
        distances = np.linalg.norm(points, axis=2).T
        nearest, farthest = _prior(mu.shape[1]).interval(SHELL)
        self._mu.update(points[0])
        self._distances.update(distances)
        self._in_shell.update((distances[:, -1] >= nearest) & (distances[:, -1] <= farthest))
        self._kept_distances.update(distances)
        self._kept_points.update(mu)

    def result(self) -> LatentSpace:
        """Give what the batches so far come to.

        Raises:
            DataError: there were fewer than two images.
        """
        covariance, variance = self._mu.covariance(), self._distances.variance()
        if covariance is None or variance is None:
            raise DataError("The distribution of the latents needs at least two images.")
        return LatentSpace(
            count=self._mu.count,
            mean=self._mu.mean,
            covariance=covariance,
            kl=self._kl.mean if self._kl.count else None,
            distances=self._kept_distances.rows,
            points=self._kept_points,
            measured=self._measured(covariance, np.sqrt(variance)),
        )

    def _measured(self, covariance: np.ndarray, deviations: np.ndarray) -> Measured:
        (mu_distance, *z_distance), (mu_deviation, *z_deviation) = self._distances.mean, deviations
        prior = _prior(len(covariance))
        correlations = np.abs(_correlation(covariance)[np.triu_indices(len(covariance), k=1)])
        known = correlations[~np.isnan(correlations)]
        measured = {
            "kl": self._kl.mean.sum() if self._kl.count else None,
            "active_units": (np.diagonal(covariance) > ACTIVE_VARIANCE).sum(),
            "mu_distance": mu_distance,
            "mu_distance_deviation": mu_deviation,
            "z_distance": z_distance[0] if z_distance else None,
            "z_distance_deviation": z_deviation[0] if z_deviation else None,
            "prior_distance": prior.mean(),
            "prior_distance_deviation": prior.std(),
            "in_shell": self._in_shell.mean,
            "largest_correlation": known.max() if len(known) else None,
            "mean_correlation": known.mean() if len(known) else None,
        }
        return {name: None if value is None else float(value) for name, value in measured.items()}


def kl_of_dimensions(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """KL divergence of N(mu, exp(logvar)) from N(0, I) in nats, not weighted: its part of each latent dimension.

    -1/2 * (1 + logvar - mu^2 - exp(logvar)); Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), appendix B.

    Args:
        mu: (n, d).
        logvar: (n, d), the logarithm of the variance.

    Returns:
        (n, d) float64.
    """
    mu, logvar = mu.astype(np.float64), logvar.astype(np.float64)
    return -0.5 * (1 + logvar - mu**2 - np.exp(logvar))


def prior_density(distances: np.ndarray, latent_dim: int) -> np.ndarray:
    """Density of the distance from the origin of points of N(0, I): the chi distribution with latent_dim degrees.

    Its mean is near (latent_dim - 1/2)^(1/2), 16 for 256 dimensions, its standard deviation near 0.7: the points lie
    in a thin shell.
    """
    return _prior(latent_dim).pdf(distances)


def _prior(latent_dim: int) -> Any:
    from scipy.stats import chi

    return chi(latent_dim)


def _correlation(covariance: np.ndarray) -> np.ndarray:
    deviation = np.sqrt(np.diagonal(covariance))
    scale = np.where(deviation > 0, deviation, np.nan)
    return covariance / np.multiply.outer(scale, scale)

"""Where an encoder puts images in latent space: the confinement of the latents (the articles' z-points)."""

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


class LatentSpace:
    """How the latents of images are distributed, gathered batch by batch, what is drawn from a sample; d is latent_dim.

    ``mu`` stands for a plain autoencoder's z, too, which then has neither ``kl`` nor distances of its own.
    """

    def __init__(self, seed: int = 42) -> None:
        self._random = np.random.default_rng(seed)
        self._mu = RunningCovariance()
        self._kl = RunningVariance()
        self._distances = RunningVariance()
        self._in_shell = RunningVariance()
        self._kept_distances = RandomSample(DISTANCES_KEPT, seed)
        self._kept_points = RandomSample(POINTS_KEPT, seed)

    def update(self, mu: np.ndarray, logvar: np.ndarray | None = None) -> None:
        """Take in what the encoder makes of a batch of images, (n, d) each; a DataError where it is not finite."""
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

    @property
    def count(self) -> int:
        """Images so far."""
        return self._mu.count

    @property
    def latent_dim(self) -> int:
        """Dimensions of the latent space."""
        return len(self.mean)

    @property
    def mean(self) -> np.ndarray:
        """(d,) float64, of mu."""
        return self._mu.mean

    @property
    def covariance(self) -> np.ndarray:
        """(d, d) float64, of mu; a DataError where there were fewer than two images."""
        if self.count < 2:
            raise DataError("The distribution of the latents needs at least two images.")
        return self._mu.covariance()

    @property
    def deviation(self) -> np.ndarray:
        """(d,) float64, the standard deviation of mu over the images."""
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def correlation(self) -> np.ndarray:
        """(d, d) float64 in [-1, 1]; NaN for a dimension that does not vary."""
        scale = np.where(self.deviation > 0, self.deviation, np.nan)
        return self.covariance / np.multiply.outer(scale, scale)

    @property
    def kl(self) -> np.ndarray | None:
        """(d,) float64, mean KL of each dimension in nats, or None."""
        return self._kl.mean if self._kl.count else None

    @property
    def mu_distances(self) -> np.ndarray:
        """(up to 50,000,) float64, of mu from the origin."""
        return self._kept_distances.rows[:, 0]

    @property
    def z_distances(self) -> np.ndarray | None:
        """The same of a z drawn for each image, or None."""
        return None if self.kl is None else self._kept_distances.rows[:, 1]

    @property
    def projection(self) -> np.ndarray:
        """(up to 2,000, 2) float64, mu along the two directions of largest variance; (…, 1) where there is but one."""
        directions, _ = principal_directions(self.covariance, 2)
        return (self._kept_points.rows - self.mean) @ directions.T

    @property
    def projected_rows(self) -> np.ndarray:
        """(up to 2,000,) int64, which images these are, counted from 0."""
        return self._kept_points.positions

    @property
    def explained(self) -> np.ndarray:
        """(2,) float64, or (1,), the share of mu's variance along each of the two."""
        _, variances = principal_directions(self.covariance, 2)
        total = np.trace(self.covariance)
        return variances / total if total > 0 else np.zeros_like(variances)

    @property
    def measured(self) -> Measured:
        """From the names in ``LATENT_MEASURES`` to their values, None where not defined."""
        prior = _prior(self.latent_dim)
        variances = np.diagonal(self.covariance)
        mu_distance, *z_distance = self._distances.mean
        mu_deviation, *z_deviation = np.sqrt(self._distances.variance())
        correlations = np.abs(self.correlation[np.triu_indices(self.latent_dim, k=1)])
        known = correlations[~np.isnan(correlations)]
        measured = {
            "kl": None if self.kl is None else self.kl.sum(),
            "active_units": active_units(variances),
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


def active_units(variances: np.ndarray) -> int:
    """Count the latent dimensions that say something of an image, by the variances of mu over images, (d,)."""
    return int((variances > ACTIVE_VARIANCE).sum())


def kl_of_dimensions(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """KL divergence of N(mu, exp(logvar)) from N(0, I) in nats, not weighted: its part of each dimension, all (n, d).

    -1/2 * (1 + logvar - mu^2 - exp(logvar)); Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), appendix B.
    """
    mu = mu.astype(np.float64)
    logvar = logvar.astype(np.float64)
    return -0.5 * (1 + logvar - mu**2 - np.exp(logvar))


def prior_density(distances: np.ndarray, latent_dim: int) -> np.ndarray:
    """Density of the distance from the origin of points of N(0, I): the chi distribution with latent_dim degrees.

    Its mean is near (latent_dim - 1/2)^(1/2), 16 for 256 dimensions, its standard deviation near 0.7: the points lie
    in a thin shell.
    """
    return _prior(latent_dim).pdf(distances)


def _prior(latent_dim: int) -> Any:
    """Give the chi distribution: SciPy's, which brings no types."""
    from scipy.stats import chi

    return chi(latent_dim)

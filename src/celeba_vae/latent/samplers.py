"""Where new points of the latent space (the articles' z-points) come from: components that parameters name."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

import numpy as np
from pydantic import BeforeValidator, Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from celeba_vae.config import Options
from celeba_vae.errors import DataError, SettingError
from celeba_vae.latent.statistics import all_alike, covariance_factor, mean_and_covariance
from celeba_vae.storage import Arrays

logger = logging.getLogger(__name__)

# a full covariance needs that many points for each dimension, a diagonal one so many in all
POINTS_PER_DIMENSION = 10
POINTS_PER_DIAGONAL = 50
# of a component, as a share of the latents' own: without it a component may shrink to a single training image
SMALLEST_VARIANCE = 0.01


@dataclass(frozen=True)
class EncodedImages:
    """What an encoder makes of images, for a sampler to be fitted to.

    The training images' latents, mu or z, are (n, latent_dim) float32 and may be memory-mapped. ``posterior`` gives for
    rows of the test images mu and logvar, (rows, latent_dim) each; a plain encoder's logvar is None.
    """

    train_latents: np.ndarray
    posterior: Callable[[Sequence[int]], tuple[np.ndarray, np.ndarray | None]]


class Sampler(Protocol):
    """What a sampler must have; one that is fitted has ``fit``, too: from ``EncodedImages`` to arrays by name.

    It is fitted once, its arrays are kept, and it draws at any time. One that can't be fitted to every model may have
    ``check``, called before a run's first step: whether the encoder is variational, and the number of test images or
    None where that is not known yet.
    """

    def point(self, i: int, random: np.random.Generator, latent_dim: int, fitted: Arrays) -> np.ndarray:
        """Give point ``i``, (latent_dim,), drawn with a generator of its own; ``fitted`` is what ``fit`` gave."""


def check_rows(rows: Sequence[int], count: int) -> None:
    """Raise a ``SettingError`` where there are fewer test images than these rows need; a DataError for none at all."""
    if not count:
        raise DataError(
            "The sampler posterior draws points around test images, and there are none: give the test split some"
            " (data_engineering.split in parameters_data_engineering.yml)."
        )
    if max(rows) >= count:
        raise SettingError(
            f"The sampler's rows name test image {max(rows)}, but there are only {count}, from 0 to {count - 1}."
        )


class Normal(Options):
    """N(0, scale² I): with scale 1 what a variational autoencoder is trained for."""

    scale: NonNegativeFloat = Field(1.0, description="Standard deviation of each coordinate")

    def point(self, i: int, random: np.random.Generator, latent_dim: int, fitted: Arrays) -> np.ndarray:
        """Draw a point, see ``Sampler``."""
        return self.scale * random.standard_normal(latent_dim)


class TruncatedNormal(Options):
    """N(0, scale² I) without its tails: each coordinate within ±limit standard deviations, fewer odd faces."""

    limit: float = Field(2.0, gt=0, description="Largest coordinate, in standard deviations")
    scale: NonNegativeFloat = Field(1.0, description="Standard deviation of a coordinate before its tails are cut off")

    def point(self, i: int, random: np.random.Generator, latent_dim: int, fitted: Arrays) -> np.ndarray:
        """Draw a point, see ``Sampler``, by the inverse of the normal distribution function."""
        from scipy.special import ndtr, ndtri

        tail = ndtr(-self.limit)
        return self.scale * ndtri(random.uniform(tail, 1 - tail, latent_dim))


class Uniform(Options):
    """Each coordinate equally likely within ±limit (the articles' r_limit).

    The same number and seed give points on one ray for all limits: a point's distance is in proportion to the limit.
    """

    limit: NonNegativeFloat = Field(1.0, description="Largest coordinate")

    def point(self, i: int, random: np.random.Generator, latent_dim: int, fitted: Arrays) -> np.ndarray:
        """Draw a point, see ``Sampler``."""
        return self.limit * random.uniform(-1, 1, latent_dim)


class Gaussian(Options):
    """A normal distribution with the mean and the full covariance of the training images' latents.

    Latents that are all alike leave one point, their own; so does the mixture.
    """

    def fit(self, encoded: EncodedImages) -> Arrays:
        """Give ``mean`` (latent_dim,) and ``factor`` (rank, latent_dim), factor^T factor being the covariance."""
        mean, factor = _mean_and_factor(encoded.train_latents)
        return {"mean": _float32(mean), "factor": _float32(factor)}

    def point(self, i: int, random: np.random.Generator, latent_dim: int, fitted: Arrays) -> np.ndarray:
        """Draw a point, see ``Sampler``."""
        return fitted["mean"] + _noise(random, fitted["factor"])


class Mixture(Options):
    """A mixture of normal distributions, scikit-learn's ``GaussianMixture``, fitted to the training images' latents.

    The latents are whitened first (mean 0, covariance the identity), so that a diagonal covariance is one along their
    principal axes. A full covariance needs ten points for each dimension: with fewer points than that for every
    component there are fewer of them, and where not even two are left, diagonal ones. There are no more components than
    different points.
    """

    components: PositiveInt = Field(10, description="Normal distributions in the mixture")
    max_points: PositiveInt = Field(30_000, description="Latents used at most, spread evenly over all of them")
    max_iterations: PositiveInt = Field(100, description="Steps of expectation maximisation at most")
    seed: int = Field(42, ge=0, description="Seed of the first guess")

    def fit(self, encoded: EncodedImages) -> Arrays:
        """Give ``weights`` (k,), ``means`` (k, latent_dim) and ``factors`` (k, rank, latent_dim), see ``Gaussian``."""
        from sklearn.mixture import GaussianMixture

        count = len(encoded.train_latents)
        latents = encoded.train_latents[:: -(-count // self.max_points)]
        mean, factor = _mean_and_factor(latents)
        if not len(factor):
            return {"weights": np.ones(1, np.float32), "means": _float32(mean[None]), "factors": _float32(factor[None])}
        whitened = (latents - mean) @ np.linalg.pinv(factor)
        components, covariance_type = self._affordable(whitened, latents.shape[1])
        mixture = GaussianMixture(
            components,
            covariance_type=covariance_type,
            max_iter=self.max_iterations,
            reg_covar=SMALLEST_VARIANCE,
            random_state=self.seed,
        ).fit(whitened.astype(np.float32))
        roots = (
            np.linalg.cholesky(mixture.covariances_).transpose(0, 2, 1)
            if covariance_type == "full"
            else np.sqrt(mixture.covariances_)[:, :, None] * np.eye(len(factor))
        )
        return {
            "weights": _float32(mixture.weights_),
            "means": _float32(mean + mixture.means_ @ factor),
            "factors": _float32(roots @ factor),
        }

    def point(self, i: int, random: np.random.Generator, latent_dim: int, fitted: Arrays) -> np.ndarray:
        """Draw a point, see ``Sampler``: first the component, by its weight."""
        borders = np.cumsum(fitted["weights"], dtype=np.float64)
        component = int(np.searchsorted(borders, random.uniform(0, borders[-1]), side="right"))
        return fitted["means"][component] + _noise(random, fitted["factors"][component])

    def _affordable(self, points: np.ndarray, latent_dim: int) -> tuple[int, str]:
        """Say how many components these whitened points (n, rank) suffice for, and of which kind."""
        count, distinct = len(points), len({row.tobytes() for row in points.round(3) + 0.0})
        wanted = min(self.components, distinct)
        full = min(wanted, count // (POINTS_PER_DIMENSION * latent_dim))
        if full == self.components:
            return full, "full"
        diagonal = min(wanted, max(1, count // POINTS_PER_DIAGONAL))
        components, kind = (full, "full") if full > 1 else (diagonal, "diag")
        lacks = f"{count:,} points, fewer than ten for each of {latent_dim} dimensions and {self.components} components"
        if distinct < min(count, self.components):
            lacks = f"{distinct:,} different points among {count:,}"
        logger.warning(
            f"The sampler mixture has {lacks}: it gets {components} {'full' if kind == 'full' else 'diagonal'} ones."
            " More points: generation.fit_images and max_points."
        )
        return components, kind


class Posterior(Options):
    """Around given images: N(mu, sigma²) as a variational encoder gives it for test images, one after the other."""

    rows: Annotated[
        tuple[NonNegativeInt, ...], BeforeValidator(lambda value: (value,) if isinstance(value, int) else value)
    ] = Field((0,), min_length=1, description="Rows of test_images; point i is one around image i modulo their number")
    scale: NonNegativeFloat = Field(1.0, description="Factor of sigma: 0 gives the images' reconstructions")

    def check(self, variational: bool, test_images: int | None) -> None:
        """Raise a ``SettingError`` where the encoder gives no variance or there are fewer test images."""
        if not variational:
            raise SettingError(
                "The sampler posterior needs a variational encoder, which gives a variance: choose a variant with"
                " model: vae, or another sampler (parameters_generation.yml)."
            )
        if test_images is not None:
            check_rows(self.rows, test_images)

    def fit(self, encoded: EncodedImages) -> Arrays:
        """Give ``mu`` and ``sigma`` of the images, (rows, latent_dim) each; see ``check``."""
        mu, logvar = encoded.posterior(self.rows)
        self.check(variational=logvar is not None, test_images=None)
        assert logvar is not None
        return {"mu": mu, "sigma": np.exp(logvar / 2)}

    def point(self, i: int, random: np.random.Generator, latent_dim: int, fitted: Arrays) -> np.ndarray:
        """Draw a point, see ``Sampler``."""
        row = i % len(self.rows)
        sigma = fitted["sigma"][row]
        return fitted["mu"][row] + self.scale * sigma * random.standard_normal(len(sigma), np.float32)


def _mean_and_factor(latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the mean (latent_dim,) and the covariance's factor (rank, latent_dim), without rows where all are alike."""
    mean, covariance = mean_and_covariance(latents)
    if all_alike(mean, covariance):
        return mean, np.zeros((0, len(mean)))
    return mean, covariance_factor(covariance, smallest=1e-10)


def _float32(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


def _noise(random: np.random.Generator, factor: np.ndarray) -> np.ndarray:
    return random.standard_normal(len(factor), np.float32) @ factor

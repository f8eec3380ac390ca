"""Principal components of latents: the directions in which a model's latent space varies most."""

from dataclasses import dataclass

import numpy as np

from celeba_vae.errors import DataError

# rows that are taken into memory at once
_BLOCK = 8192


@dataclass(frozen=True)
class PrincipalComponents:
    """The leading principal components of latents, the one with the largest variance first.

    Args:
        mean: (latent_dim,) float64.
        directions: (components, latent_dim) float64 of length 1, the largest value of each positive.
        deviations: (components,) float64, the latents' standard deviation along each.
        shares: (components,) float64, the share of the latents' variance that lies along each.
    """

    mean: np.ndarray
    directions: np.ndarray
    deviations: np.ndarray
    shares: np.ndarray

    def traversal(self, component: int, steps: np.ndarray) -> np.ndarray:
        """Give the points that lie ``steps`` (n,) standard deviations from the mean: (n, latent_dim) float32."""
        offsets = np.asarray(steps, np.float64) * self.deviations[component]
        return (self.mean + offsets[:, None] * self.directions[component]).astype(np.float32)


def principal_components(latents: np.ndarray, count: int) -> PrincipalComponents:
    """Find the leading principal components of latents (n, latent_dim), as eigenvectors of their covariance.

    Read block by block, twice: memory grows with latent_dim, not with n. There are no more components than dimensions.

    Raises:
        DataError: the latents don't vary: fewer than two, or all of them equal.
    """
    blocks = [slice(first, first + _BLOCK) for first in range(0, len(latents), _BLOCK)]
    mean = sum(latents[block].sum(axis=0, dtype=np.float64) for block in blocks) / max(1, len(latents))
    covariance = sum(_scatter(latents[block] - mean) for block in blocks) / max(1, len(latents) - 1)
    total = float(np.trace(covariance)) if len(latents) > 1 else 0.0
    if not total > 0:
        raise DataError(
            f"The latents of {len(latents)} images don't vary, so they have no principal components. Train the model"
            " on more images, or for longer."
        )
    variances, vectors = np.linalg.eigh(covariance)
    leading = slice(None, -1 - min(count, len(variances)), -1)
    variances, directions = np.maximum(variances[leading], 0), vectors.T[leading]
    # an eigenvector's sign is the solver's whim
    largest = np.abs(directions).argmax(axis=1, keepdims=True)
    directions = directions * np.sign(np.take_along_axis(directions, largest, axis=1))
    return PrincipalComponents(mean, directions, np.sqrt(variances), variances / total)


def _scatter(centred: np.ndarray) -> np.ndarray:
    return centred.T @ centred

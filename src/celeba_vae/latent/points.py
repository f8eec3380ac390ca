"""Points of the latent space (the articles' z-points), drawn by a sampler: each from its number and a seed alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from celeba_vae.errors import DataError
from celeba_vae.latent.samplers import Sampler
from celeba_vae.storage import Arrays

POINTS_IN_A_BLOCK = 1024


def sample_points(
    sampler: Sampler, ids: Sequence[int], latent_dim: int, seed: int, fitted: Arrays | None = None
) -> np.ndarray:
    """Draw the points with these numbers; each depends on the seed, its number and the sampler alone.

    Args:
        sampler: Where they come from.
        ids: Their numbers, from 0 on. Point i is drawn with NumPy's ``default_rng((seed, i))``.
        latent_dim: Dimensions of the latent space.
        seed: 0 or larger.
        fitted: The arrays that the sampler's ``fit`` gave, where it has one.

    Returns:
        (len(ids), latent_dim) float32.

    Raises:
        DataError: what was fitted is another sampler's, or to latents of another number of dimensions.
    """
    fitted = fitted or {}
    points = np.empty((len(ids), latent_dim), np.float32)
    for row, i in zip(points, ids, strict=True):
        try:
            point = sampler.point(i, np.random.default_rng((seed, i)), latent_dim, fitted)
        except KeyError as error:
            raise DataError(
                f"The sampler {type(sampler).__name__} needs {error}, but what was fitted has"
                f" {', '.join(fitted) or 'nothing'}: it is another sampler's. Run the whole pipeline generation, which"
                " fits this one."
            ) from error
        if point.shape != row.shape:
            raise DataError(
                f"The sampler's points have {point.shape[-1]} dimensions, the decoder takes {latent_dim} (latent_dim):"
                " it was fitted to another encoder. Choose versions of both models from the same training with"
                " --load-versions."
            )
        row[:] = point
    return points


@dataclass(frozen=True)
class LatentPoints:
    """Points 0 … count - 1 of a sampler as one array that is drawn block by block: for more than fit into memory.

    Args are those of ``sample_points``.
    """

    sampler: Sampler
    count: int
    latent_dim: int
    seed: int
    fitted: Arrays

    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, int]:
        """(count, latent_dim)."""
        return self.count, self.latent_dim

    def __iter__(self) -> Iterator[np.ndarray]:
        for first in range(0, self.count, POINTS_IN_A_BLOCK):
            ids = range(first, min(first + POINTS_IN_A_BLOCK, self.count))
            yield sample_points(self.sampler, ids, self.latent_dim, self.seed, self.fitted)


def distances(points: np.ndarray) -> np.ndarray:
    """Give each point's L2 distance from the origin, (n,) float64; the points may be memory-mapped."""
    blocks = (points[first : first + POINTS_IN_A_BLOCK] for first in range(0, len(points), POINTS_IN_A_BLOCK))
    return np.concatenate([np.zeros(0), *(np.linalg.norm(block.astype(np.float64), axis=1) for block in blocks)])

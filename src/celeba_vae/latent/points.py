"""Points of the latent space (the articles' z-points): drawn by a sampler, and on the way from one to another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from celeba_vae.errors import DataError
from celeba_vae.latent.samplers import Posterior, Sampler
from celeba_vae.storage import Arrays

POINTS_IN_A_BLOCK = 1024


def sample_points(
    sampler: Sampler, ids: Sequence[int], latent_dim: int, seed: int, fitted: Arrays | None = None
) -> np.ndarray:
    """Draw the points with these numbers, from 0 on: (len(ids), latent_dim) float32.

    Each depends on the seed, 0 or larger, its number and the sampler alone: point i is drawn with NumPy's
    ``default_rng((seed, i))``. ``fitted`` is what the sampler's ``fit`` gave, where it has one.

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


def one_point_note(name: str, sampler: Sampler, latent_dim: int, fitted: Arrays) -> str:
    """Say of a sampler that gives one point only that it was fitted to latents that are all alike; or nothing.

    Points around test images may be meant to be one.
    """
    if not hasattr(sampler, "fit") or isinstance(sampler, Posterior):
        return ""
    first, second = sample_points(sampler, range(2), latent_dim, seed=0, fitted=fitted)
    if not np.array_equal(first, second):
        return ""
    return (
        f"The sampler {name} has one point only, so all faces from it are the same: the encoder puts all training"
        " images at one place. Prepare images that differ, or train longer."
    )


@dataclass(frozen=True)
class LatentPoints:
    """Points 0 … count - 1, see ``sample_points``, as one array drawn block by block: for more than fit into memory."""

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


def linear_path(start: np.ndarray, end: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Go straight from one point (latent_dim,) to another: (n, latent_dim) float32.

    Positions (n,) float64 are shares of the way, 0 at the start, 1 at the end. Between points far from the origin, as
    nearly all of N(0, I) are in many dimensions, the way comes closer to it than both: faces in the middle look more
    alike than those that the model knows.
    """
    shares = positions[:, None]
    return ((1 - shares) * start + shares * end).astype(np.float32)


def spherical_path(start: np.ndarray, end: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Go around the origin from one point to another, in steps of equal angles (slerp); otherwise as ``linear_path``.

    sin((1 - t) a) / sin(a) * start + sin(t a) / sin(a) * end, where a is the angle between the two as seen from the
    origin; Shoemake, "Animating rotation with quaternion curves" (1985); for latents: White, "Sampling generative
    networks" (2016). Points in the same direction are joined by a straight way, and so are exactly opposite ones, which
    no single great circle joins.
    """
    angle = angle_between(start, end)
    if np.sin(angle) < 1e-6:
        return linear_path(start, end, positions)
    shares = positions[:, None]
    return ((np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end) / np.sin(angle)).astype(np.float32)


def angle_between(first: np.ndarray, second: np.ndarray) -> float:
    """Give the angle between two points (latent_dim,) as seen from the origin, in radians; 0 where one is the origin.

    2 atan2(|u - v|, |u + v|) of the unit vectors u and v, which is exact for small angles, too; Kahan, "How futile are
    mindless assessments of roundoff in floating-point computation?" (2006).
    """
    points = [point.astype(np.float64) for point in (first, second)]
    if not all(point.any() for point in points):
        return 0.0
    u, v = (point / np.linalg.norm(point) for point in points)
    return float(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v)))

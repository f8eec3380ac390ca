"""Ways through the latent space, from one point to another."""

import numpy as np


def linear_path(start: np.ndarray, end: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Go straight from one point to another.

    Between points far from the origin, as nearly all of N(0, I) are in many dimensions, the way comes closer to it than
    both: faces in the middle look more alike than those that the model knows.

    Args:
        start: (latent_dim,), the point at position 0.
        end: (latent_dim,), the point at position 1.
        positions: (n,), shares of the way.

    Returns:
        (n, latent_dim) float32.
    """
    start, end, positions = _in_float64(start, end, positions)
    return ((1 - positions) * start + positions * end).astype(np.float32)


def spherical_path(start: np.ndarray, end: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Go around the origin from one point to another, in steps of equal angles (slerp).

    sin((1 - t) a) / sin(a) * start + sin(t a) / sin(a) * end, where a is the angle between the two as seen from the
    origin; Shoemake, "Animating rotation with quaternion curves" (1985); for latents: White, "Sampling generative
    networks" (2016). Points in the same direction are joined by a straight way, and so are exactly opposite ones, which
    no single great circle joins.

    Arguments and result are those of ``linear_path``.
    """
    angle = angle_between(start, end)
    if np.sin(angle) < 1e-6:
        return linear_path(start, end, positions)
    start, end, positions = _in_float64(start, end, positions)
    weights = np.sin((1 - positions) * angle), np.sin(positions * angle)
    return ((weights[0] * start + weights[1] * end) / np.sin(angle)).astype(np.float32)


def angle_between(first: np.ndarray, second: np.ndarray) -> float:
    """Give the angle between two points (latent_dim,) as seen from the origin, in radians; 0 where one is the origin.

    2 atan2(|u - v|, |u + v|) of the unit vectors u and v, which is exact for small angles, too; Kahan, "How futile are
    mindless assessments of roundoff in floating-point computation?" (2006).
    """
    units = [point.astype(np.float64) / (np.linalg.norm(point.astype(np.float64)) or 1) for point in (first, second)]
    if not all(unit.any() for unit in units):
        return 0.0
    return float(2 * np.arctan2(np.linalg.norm(units[0] - units[1]), np.linalg.norm(units[0] + units[1])))


def _in_float64(start: np.ndarray, end: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, ...]:
    return start.astype(np.float64), end.astype(np.float64), np.asarray(positions, np.float64)[:, None]

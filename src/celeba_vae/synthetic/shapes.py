"""Smooth outlines from a few points: curves, ellipses and brush strokes, each a polygon (n, 2) of x and y."""

from collections.abc import Sequence
from functools import cache

import numpy as np

Points = Sequence[tuple[float, float]] | np.ndarray

SIDES = (-1, 1)


def smooth(points: Points, closed: bool = True, steps: int = 6) -> np.ndarray:
    """Give the Catmull-Rom curve through points (n, 2), with ``steps`` points a segment."""
    knots = np.asarray(points, np.float64)
    if closed:
        padded = np.vstack([knots[-1:], knots, knots[:2]])
    else:
        padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    segments = padded[np.arange(len(padded) - 3)[:, None] + (0, 1, 2, 3)]
    curve = np.einsum("sk,nkd->nsd", _spline_weights(steps), segments).reshape(-1, 2)
    return curve if closed else np.vstack([curve, knots[-1]])


@cache
def _spline_weights(steps: int) -> np.ndarray:
    """Give the weights (steps, 4) of the knots before, at the start, at the end and after a segment."""
    t = np.arange(steps)[:, None] / steps
    powers = np.hstack([t**0, t, t**2, t**3])
    return powers @ (0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]))


def on_side(points: Points, side: int) -> np.ndarray:
    """Give points (n, 2) as they are for side 1, mirrored at the face's middle for side -1."""
    return np.asarray(points) * (side, 1)


def symmetric(right: Points) -> np.ndarray:
    """Give the closed outline (about 2n, 2) whose right half, from top to bottom, is given."""
    half = np.asarray(right, np.float64)
    return np.vstack([half, on_side(half[half[:, 0] > 0][::-1], -1)])


def ellipse(x: float, y: float, radius_x: float, radius_y: float, power: float = 2.0, corners: int = 28) -> np.ndarray:
    """Give an ellipse (corners, 2), or with a power above 2 a superellipse, which is nearer to a rectangle."""
    angle = np.linspace(0.0, 2 * np.pi, corners, endpoint=False)
    across, down = (np.sign(part) * np.abs(part) ** (2 / power) for part in (np.cos(angle), np.sin(angle)))
    return np.stack([x + radius_x * across, y + radius_y * down], axis=1)


def ribbon(line: np.ndarray, widths: Sequence[float]) -> np.ndarray:
    """Give the outline of a brush stroke along a line (n, 2), its width interpolated from ``widths`` (any number)."""
    ahead = np.vstack([line[1:], line[-1:]])
    behind = np.vstack([line[:1], line[:-1]])
    x, y = (ahead - behind).T
    half = 0.5 * np.interp(np.arange(len(line)) / (len(line) - 1), np.arange(len(widths)) / (len(widths) - 1), widths)
    across = np.stack([-y, x], axis=1) * (half / (np.hypot(x, y) + 1e-9))[:, None]
    return np.vstack([line + across, (line - across)[::-1]])

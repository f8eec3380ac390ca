"""Small images that a small network learns in a few steps."""

import numpy as np


def discs() -> np.ndarray:
    """Two hundred discs of many colours, sizes and places on a black ground, (200, 16, 16, 3) uint8."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:16, :16]
    centre, radius = random.uniform(4, 12, (2, 200, 1, 1)), random.uniform(2, 6, (200, 1, 1))
    inside = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
    return np.where(inside[..., None], random.integers(0, 256, (200, 1, 1, 3)), 0).astype(np.uint8)

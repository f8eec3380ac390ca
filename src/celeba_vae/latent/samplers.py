"""Where new points of the latent space come from."""

import numpy as np
from numpy.random import MT19937, RandomState, SeedSequence


def standard_normal(count: int, latent_dim: int, seed: int) -> np.ndarray:
    """Draw points of the latent space (the articles' z-points) from N(0, I).

    The generator is the articles', ``RandomState(MT19937(SeedSequence(seed)))``, so that a figure can be made again.

    Returns:
        (count, latent_dim) float32, rounded from the generator's float64; the first points do not depend on ``count``.
    """
    generator = RandomState(MT19937(SeedSequence(seed)))
    return generator.standard_normal((count, latent_dim)).astype(np.float32)

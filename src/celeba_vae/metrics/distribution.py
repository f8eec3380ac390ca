"""How latents and generated images are distributed."""

import numpy as np


def kl_divergence(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """KL divergence of N(mu, exp(logvar)) from N(0, I) in nats, not weighted.

    -1/2 * sum over latent dimensions of (1 + logvar - mu^2 - exp(logvar)); Kingma and Welling, "Auto-Encoding
    Variational Bayes" (2014), appendix B.

    Args:
        mu: (n, latent_dim).
        logvar: (n, latent_dim), the logarithm of the variance.

    Returns:
        (n,) float64.
    """
    mu, logvar = mu.astype(np.float64), logvar.astype(np.float64)
    return -0.5 * (1 + logvar - mu**2 - np.exp(logvar)).sum(axis=1)


def pixel_variance(images: np.ndarray) -> float:
    """Variance of a value across at least two images (n, h, w, c) (divided by n - 1), mean over all values.

    Generated images that all look alike, as those of a collapsed decoder do, have far less of it than real ones.
    """
    return float(images.var(axis=0, ddof=1, dtype=np.float64).mean())

"""Sharpening of generated images, which a variational autoencoder blurs."""

import numpy as np
from PIL import Image, ImageEnhance


def sharpen(images: np.ndarray, factor: float) -> np.ndarray:
    """Sharpen each image with Pillow's ``ImageEnhance.Sharpness``.

    Args:
        images: (n, h, w, 3) uint8.
        factor: 0 smooths, 1 leaves an image as it is, above 1 sharpens.

    Returns:
        (n, h, w, 3) uint8.
    """
    return np.stack([np.asarray(ImageEnhance.Sharpness(Image.fromarray(image)).enhance(factor)) for image in images])

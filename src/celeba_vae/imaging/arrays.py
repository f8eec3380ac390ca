"""Between the float images of models and the uint8 images of files."""

import numpy as np


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Turn float images in [0, 1] into uint8 in 0..255: values outside are clipped, those between are rounded."""
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)

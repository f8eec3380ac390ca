"""How close reconstructions come to their originals.

Images and reconstructions are (n, h, w, c) arrays of floats in [0, 1]; each function gives one value an image, (n,).
"""

import cv2
import numpy as np

BCE_EPSILON = 1e-7
SMALLEST_MSE = 1e-10
SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2


def binary_cross_entropy(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Binary cross-entropy (BCE) as in training: summed over height and width, mean over channels.

    -(x log y + (1 - x) log(1 - y)) of each value x and its reconstruction y, y kept 1e-7 from 0 and 1 as Keras does.
    """
    x = images.astype(np.float64)
    y = np.clip(reconstructions.astype(np.float64), BCE_EPSILON, 1 - BCE_EPSILON)
    return -(x * np.log(y) + (1 - x) * np.log1p(-y)).mean(axis=3).sum(axis=(1, 2))


def mean_squared_error(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Mean squared error (MSE) over all values of an image, which are in [0, 1]."""
    return np.square(images.astype(np.float64) - reconstructions).mean(axis=(1, 2, 3))


def psnr(mse: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB, 10 log10(1 / MSE), from an image's MSE; at most 100 dB."""
    return -10 * np.log10(np.maximum(mse, SMALLEST_MSE))


def ssim(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Structural similarity, 1 for equal images, mean over channels.

    As in Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", IEEE Transactions on Image Processing 13 (2004): a Gaussian window of 11x11 pixels with sigma 1.5,
    K1 = 0.01, K2 = 0.03, mean over all windows that lie inside the image.

    Raises:
        ValueError: the images are smaller than a window.
    """
    if min(images.shape[1:3]) < SSIM_WINDOW:
        raise ValueError(f"SSIM needs images of at least 11x11 pixels, these are {images.shape[2]}x{images.shape[1]}.")
    pairs = zip(images.astype(np.float32), reconstructions.astype(np.float32), strict=True)
    return np.array([_ssim_of_pair(image, reconstruction) for image, reconstruction in pairs])


class ReconstructionMeasures:
    """BCE, MSE, PSNR, SSIM and explained variance over any number of images, given batch by batch.

    Sums are kept in float64, so memory does not grow with the number of images.

    Example:
        >>> measures = ReconstructionMeasures()
        >>> measures.update(np.zeros((1, 16, 16, 3)), np.full((1, 16, 16, 3), 0.1))
        >>> round(measures.result()["psnr"], 6)
        20.0
    """

    def __init__(self) -> None:
        self.count = 0
        self._sums = dict.fromkeys(("bce", "mse", "psnr", "ssim"), 0.0)
        self._sum_of_images: np.ndarray | float = 0.0
        self._sum_of_squares: np.ndarray | float = 0.0

    def update(self, images: np.ndarray, reconstructions: np.ndarray) -> None:
        """Take in a batch of images and their reconstructions, (n, h, w, c) floats in [0, 1]."""
        mse = mean_squared_error(images, reconstructions)
        values = {
            "bce": binary_cross_entropy(images, reconstructions),
            "mse": mse,
            "psnr": psnr(mse),
            "ssim": ssim(images, reconstructions),
        }
        for name, value in values.items():
            self._sums[name] += float(value.sum())
        images = images.astype(np.float64)
        self._sum_of_images += images.sum(axis=0)
        self._sum_of_squares += np.square(images).sum(axis=0)
        self.count += len(images)

    def image_variance(self) -> float | None:
        """Variance of a value across the images (divided by n - 1), mean over all values; None for a single image."""
        if self.count < 2:
            return None
        return float(self._squared_deviations().mean()) / (self.count - 1)

    def result(self) -> dict[str, float | None]:
        """Give the mean of each measure over the images, and the explained variance.

        ``explained_variance`` is 1 - (squared errors summed over all images and values) / (squared deviations from the
        mean image, summed likewise): 1 is perfect, 0 no better than the mean image. None where all images are equal.
        """
        means = {name: total / self.count for name, total in self._sums.items()}
        variance = float(self._squared_deviations().mean()) / self.count
        return {**means, "explained_variance": 1 - means["mse"] / variance if variance > 0 else None}

    def _squared_deviations(self) -> np.ndarray:
        return np.maximum(self._sum_of_squares - np.square(self._sum_of_images) / self.count, 0)


def _ssim_of_pair(x: np.ndarray, y: np.ndarray) -> float:
    mean_x, mean_y = _windows(x), _windows(y)
    variance_x = _windows(x * x) - mean_x**2
    variance_y = _windows(y * y) - mean_y**2
    covariance = _windows(x * y) - mean_x * mean_y
    similarity = ((2 * mean_x * mean_y + SSIM_C1) * (2 * covariance + SSIM_C2)) / (
        (mean_x**2 + mean_y**2 + SSIM_C1) * (variance_x + variance_y + SSIM_C2)
    )
    return float(similarity.mean(dtype=np.float64))


def _windows(image: np.ndarray) -> np.ndarray:
    """Mean under the Gaussian window, at each place where it lies inside the image."""
    kernel = cv2.getGaussianKernel(SSIM_WINDOW, SSIM_SIGMA)
    edge = SSIM_WINDOW // 2
    return cv2.sepFilter2D(image, -1, kernel, kernel)[edge:-edge, edge:-edge]

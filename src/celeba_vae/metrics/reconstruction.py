"""How close reconstructions come to their images, both (n, h, w, c) in [0, 1]: components that parameters name."""

from collections.abc import Iterator
from typing import ClassVar

import cv2
import numpy as np

from celeba_vae.config import Options
from celeba_vae.latent.statistics import RunningVariance
from celeba_vae.metrics.measures import ImageMetric, Measure, Measured, Measurement

BCE_EPSILON = 1e-7
SMALLEST_MSE = 1e-10
# below is what rounding leaves of equal images
SMALLEST_VARIANCE = 1e-12
SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2
# of the finest scale to the coarsest, as Wang, Simoncelli and Bovik found them in a test with people
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def mean_squared_error(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Mean squared error (MSE) over all values of an image, which are in [0, 1]: (n,)."""
    return np.square(images.astype(np.float64) - reconstructions).mean(axis=(1, 2, 3))


def laplacian_variance(images: np.ndarray) -> np.ndarray:
    """Sharpness: the variance of the Laplacian over all pixels but the outermost, mean over channels: (n,).

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (2000), with the kernel of four neighbours.
    Details raise it, but noise and the artefacts of sharpening do, too.
    """
    laplacians = (cv2.Laplacian(image, cv2.CV_32F, ksize=1)[1:-1, 1:-1] for image in images.astype(np.float32))
    return np.array([np.square(cv2.meanStdDev(laplacian)[1]).mean() for laplacian in laplacians])


class BinaryCrossEntropy(ImageMetric):
    """Binary cross-entropy (BCE) as in training: summed over height and width, mean over channels.

    -(x log y + (1 - x) log(1 - y)) of each value x and its reconstruction y, y kept 1e-7 from 0 and 1 as Keras does.
    """

    measure = Measure(
        "bce", "Binary cross-entropy", better="lower", number="{:.0f}", note="summed over pixels, mean over channels"
    )

    def values(self, images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
        """Give a value an image."""
        x = images.astype(np.float64)
        y = np.clip(reconstructions.astype(np.float64), BCE_EPSILON, 1 - BCE_EPSILON)
        return -(x * np.log(y) + (1 - x) * np.log1p(-y)).mean(axis=3).sum(axis=(1, 2))


class SquaredError(ImageMetric):
    """``mean_squared_error``."""

    measure = Measure("mse", "Mean squared error", better="lower", number="{:.5f}")

    def values(self, images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
        """Give a value an image."""
        return mean_squared_error(images, reconstructions)


class Psnr(ImageMetric):
    """Peak signal-to-noise ratio in dB, 10 log10(1 / MSE), from an image's MSE; at most 100 dB."""

    measure = Measure("psnr", "PSNR", better="higher", unit="dB", number="{:.2f}")

    def values(self, images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
        """Give a value an image."""
        return -10 * np.log10(np.maximum(mean_squared_error(images, reconstructions), SMALLEST_MSE))


class Ssim(ImageMetric):
    """Structural similarity, 1 for equal images, mean over channels; not defined for images smaller than 11x11 pixels.

    As in Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", IEEE Transactions on Image Processing 13 (2004): a Gaussian window of 11x11 pixels with sigma 1.5,
    K1 = 0.01, K2 = 0.03, mean over all windows that lie inside the image.
    """

    measure = Measure("ssim", "SSIM", better="higher")

    def values(self, images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
        """Give a value an image."""
        if min(images.shape[1:3]) < SSIM_WINDOW:
            return np.full(len(images), np.nan)
        return np.array([similarity.mean() for similarity, _ in _ssim_of_pairs(images, reconstructions)])


class MsSsim(ImageMetric):
    """Structural similarity at several scales, 1 for equal images; not defined for ones smaller than 11x11 pixels.

    As in Wang, Simoncelli and Bovik, "Multi-scale structural similarity for image quality assessment" (2003): contrast
    and structure at each of five scales, of which each halves the one before (means of 2x2 pixels), and luminance at
    the coarsest, weighted by exponents that sum to 1; negative similarities count as 0; mean over channels. Where the
    images are too small for five, there are as many scales as hold a window of 11x11 pixels (four at 96 or 128 pixels,
    three at 64), and their weights are divided by their sum: values of different image sizes can't be compared.
    """

    measure = Measure("ms_ssim", "MS-SSIM", better="higher", note="at as many of five scales as the image size allows")

    def values(self, images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
        """Give a value an image."""
        sizes = [min(images.shape[1:3])]
        if sizes[0] < SSIM_WINDOW:
            return np.full(len(images), np.nan)
        while len(sizes) < len(MS_SSIM_WEIGHTS) and -(-sizes[-1] // 2) >= SSIM_WINDOW:
            sizes.append(-(-sizes[-1] // 2))
        weights = np.array(MS_SSIM_WEIGHTS[: len(sizes)]) / sum(MS_SSIM_WEIGHTS[: len(sizes)])
        product = np.ones(())
        for scale, weight in enumerate(weights):
            if scale:
                images = _halved(images)
                reconstructions = _halved(reconstructions)
            pairs = _ssim_of_pairs(images, reconstructions)
            last = scale == len(weights) - 1
            factors = np.array([similarity if last else structure for similarity, structure in pairs])
            product = product * np.maximum(factors, 0) ** weight
        return product.mean(axis=1)


class ExplainedVariance(Options):
    """1 - (squared errors summed over all images and values) / (squared deviations from the mean image, likewise).

    0 is no better than the mean image. Not defined where all images are equal.
    """

    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("explained_variance", "Explained variance", better="higher", number="{:.1%}"),
    )

    def start(self) -> Measurement:
        """Begin to measure."""
        return _ExplainedVariance()


class _ExplainedVariance:
    def __init__(self) -> None:
        self._images = RunningVariance()
        self._squared_error = SquaredError().start()

    def update(self, images: np.ndarray, reconstructions: np.ndarray) -> None:
        self._images.update(images)
        self._squared_error.update(images, reconstructions)

    def result(self) -> Measured:
        total = float(self._images.variance(ddof=0).mean())
        mse = self._squared_error.result()["mse"]
        return {"explained_variance": 1 - mse / total if mse is not None and total > SMALLEST_VARIANCE else None}


class Sharpness(Options):
    """Mean ``laplacian_variance`` of the reconstructions as a share of the images'; undefined if those are flat."""

    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "sharpness",
            "Sharpness",
            number="{:.0%}",
            note="variance of the Laplacian, share of the originals'; noise and crossing lines raise it, too",
        ),
    )

    def start(self) -> Measurement:
        """Begin to measure."""
        return _Sharpness()


class _Sharpness:
    def __init__(self) -> None:
        self._images = 0.0
        self._reconstructions = 0.0

    def update(self, images: np.ndarray, reconstructions: np.ndarray) -> None:
        self._images += float(laplacian_variance(images).sum())
        self._reconstructions += float(laplacian_variance(reconstructions).sum())

    def result(self) -> Measured:
        return {"sharpness": self._reconstructions / self._images if self._images else None}


def _ssim_of_pairs(images: np.ndarray, reconstructions: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give similarity and its part of contrast and structure alone, each (c,), of each image."""
    for x, y in zip(images.astype(np.float32), reconstructions.astype(np.float32), strict=True):
        mean_x, mean_y = _windows(x), _windows(y)
        variance_x = _windows(x * x) - mean_x**2
        variance_y = _windows(y * y) - mean_y**2
        covariance = _windows(x * y) - mean_x * mean_y
        structure = (2 * covariance + SSIM_C2) / (variance_x + variance_y + SSIM_C2)
        similarity = structure * (2 * mean_x * mean_y + SSIM_C1) / (mean_x**2 + mean_y**2 + SSIM_C1)
        yield _mean_over_places(similarity), _mean_over_places(structure)


def _mean_over_places(values: np.ndarray) -> np.ndarray:
    return np.atleast_1d(values.mean(axis=(0, 1), dtype=np.float64))


def _windows(image: np.ndarray) -> np.ndarray:
    """Mean under the Gaussian window, at each place where it lies inside the image."""
    kernel = cv2.getGaussianKernel(SSIM_WINDOW, SSIM_SIGMA)
    edge = SSIM_WINDOW // 2
    return cv2.sepFilter2D(image, -1, kernel, kernel)[edge:-edge, edge:-edge]


def _halved(images: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels; the last row or column of an odd number counts twice."""
    height, width = images.shape[1:3]
    even = np.pad(images, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return (even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 4

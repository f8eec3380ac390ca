"""What a decoder's strides leave in images: fine lines that cross, and repeat with the stride.

Odena, Dumoulin and Olah, "Deconvolution and Checkerboard Artifacts" (2016). Four layers of stride 2 have periods of 2,
4, 8 and 16 pixels.
"""

import numpy as np

# frequencies beside that of the lines, on each side, which say how much power there would be without them
NEIGHBOURS = 2
# rows, columns, and the two diagonals
DIRECTIONS = np.array([(1, 0), (0, 1), (1, 1), (1, -1)])


def power_spectra(images: np.ndarray, multiple: int = 16) -> np.ndarray:
    """Give the power of images (n, h, w, c) at each frequency, |discrete Fourier transform|^2, mean over channels.

    (n, h', w') float64. What is over a multiple of ``multiple`` pixels at the bottom and the right is left out, so that
    a period that divides it has a frequency of its own.
    """
    height, width = (size - size % multiple or size for size in images.shape[1:3])
    transformed = np.fft.fft2(images[:, :height, :width], axes=(1, 2))
    return np.square(np.abs(transformed)).mean(axis=3, dtype=np.float64)


def line_energy(power: np.ndarray, period: int) -> float | None:
    """Power of lines or dots that repeat with a period in pixels: about 1 without them.

    The power at the frequency 1 / period over the geometric mean of that at the neighbouring frequencies in the same
    direction, mean over horizontal, vertical and the two diagonal directions. Contrast and blur don't matter to it, as
    neighbouring frequencies share them. ``power`` is the mean of ``power_spectra`` of many images, (h, w), a multiple
    of the period. None where the images are too small to have neighbours, or empty.
    """
    frequency = np.array(power.shape) // period
    if frequency.min() <= NEIGHBOURS or not power.any():
        return None
    steps = np.arange(-NEIGHBOURS, NEIGHBOURS + 1)
    # a floor, so that the logarithm is defined where images have no power at all
    floored = np.maximum(power, 1e-12 * power.max())
    axes = zip(DIRECTIONS.T, frequency, strict=True)
    rows, columns = (np.multiply.outer(sign, number + steps) for sign, number in axes)
    # the spectrum is periodic: a negative frequency is counted from its end
    along = floored[rows % power.shape[0], columns % power.shape[1]]
    neighbours = np.exp(np.log(np.delete(along, NEIGHBOURS, axis=1)).mean(axis=1))
    return float((along[:, NEIGHBOURS] / neighbours).mean())

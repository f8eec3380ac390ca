"""Lines in made-up images, where the answer is known."""

import numpy as np
import pytest

from celeba_vae.metrics.crossing_lines import line_energy, power_spectra

DEVIATION = 0.1


def noise(count=300, height=96, width=96):
    return np.random.default_rng(2).normal(0.5, DEVIATION, (count, height, width, 1)).astype(np.float32)


def energy(images, period):
    return line_energy(power_spectra(images).mean(axis=0), period)


def wave(size, period, amplitude):
    return amplitude * np.cos(2 * np.pi * np.arange(size) / period)


@pytest.mark.parametrize("period", [2, 4, 8, 16])
def test_energy_is_one_in_noise_and_rises_by_the_power_of_added_lines(period):
    images = noise()
    amplitude = 0.01
    lines = wave(96, period, amplitude)[None, None, :, None]

    # noise has the power deviation^2 h w; a cosine has (amplitude / 2 * h w)^2 at its frequency, at 2 pixels twice that
    share = 1 if period == 2 else 1 / 2
    added = (share * amplitude) ** 2 * 96 * 96 / DEVIATION**2

    assert energy(images, period) == pytest.approx(1, abs=0.15)
    # in one of the four directions
    assert energy(images + lines, period) == pytest.approx(1 + added / 4, rel=0.1)
    assert energy(images + lines.transpose(0, 2, 1, 3), period) == pytest.approx(1 + added / 4, rel=0.1)
    other = 4 if period != 4 else 8
    assert energy(images + lines, other) == pytest.approx(energy(images, other))


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_checkerboard_raises_the_energy_at_its_period_alone(period):
    board = wave(64, period, 0.02)[:, None, None] * wave(96, period, 1)[None, :, None]
    images = noise(height=64, width=96)

    assert energy(images + board, period) > 2 * energy(images, period)
    assert energy(images + board, 16) == pytest.approx(energy(images, 16))


def test_a_face_like_spectrum_has_no_lines_and_contrast_does_not_matter():
    rows, columns = np.meshgrid(np.fft.fftfreq(96), np.fft.fftfreq(96), indexing="ij")
    falling = 1 / np.hypot(rows, columns, where=(rows != 0) | (columns != 0), out=np.full((96, 96), np.inf))
    images = np.fft.ifft2(np.fft.fft2(noise()[..., 0]) * falling).real[..., None]

    for period in (2, 4, 8, 16):
        assert energy(images, period) == pytest.approx(1, abs=0.2)
        assert energy(3 * images + 1, period) == pytest.approx(energy(images, period))


def test_spectra_are_of_whole_multiples_and_power_is_that_of_the_values():
    images = noise(count=2, height=70, width=101)

    spectra = power_spectra(images)

    assert spectra.shape == (2, 64, 96)
    # Parseval: mean power is the sum of squares
    np.testing.assert_allclose(spectra.mean(axis=(1, 2)), np.square(images[:, :64, :96]).sum(axis=(1, 2, 3)), rtol=1e-5)


@pytest.mark.parametrize(("size", "defined"), [(96, {2, 4, 8, 16}), (32, {2, 4, 8}), (8, {2}), (4, set())])
def test_energy_needs_frequencies_beside_that_of_the_lines(size, defined):
    images = noise(count=20, height=size, width=size)

    assert {period for period in (2, 4, 8, 16) if energy(images, period) is not None} == defined


def test_images_without_power_have_no_energy_and_flat_ones_no_lines():
    assert energy(np.zeros((2, 96, 96, 3)), 2) is None
    assert energy(np.full((2, 96, 96, 3), 0.5), 2) == pytest.approx(1)

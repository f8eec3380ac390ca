"""Sets of images compared, streamed, against the same arithmetic on whole arrays."""

import numpy as np
import pytest

from celeba_vae.config import ComponentConfig
from celeba_vae.config.plugins import create_component, known_names
from celeba_vae.metrics.distribution_metrics import (
    CrossingLines,
    Inception,
    SetSharpness,
    SlicedWasserstein,
    Variety,
    border_and_centre,
    line_energy,
    power_spectra,
)
from celeba_vae.metrics.reconstruction import laplacian_variance
from celeba_vae.metrics.set_distances import kernel_distance, sliced_wasserstein_distance

DEVIATION = 0.1
WITHOUT_DOWNLOAD = (SlicedWasserstein(), CrossingLines(), Variety(), SetSharpness())


def images_of(seed, count=24, size=48, contrast=0.2):
    images = np.random.default_rng(seed).normal(0.5, contrast, (count, size, size, 3))
    return (np.rint(np.clip(images, 0, 1) * 255) / 255).astype(np.float32)


def summary(metric, images, batch_size=7):
    gathered = metric.start()
    for first in range(0, len(images), batch_size):
        gathered.update(images[first : first + batch_size])
    return gathered.result()


def compared(metric, real, others, batch_size=7):
    return metric.compare(summary(metric, real, batch_size), summary(metric, others, batch_size))


def test_inception_distances_are_those_of_all_features(random_inception):
    inception = Inception(weights=random_inception, batch_size=4, subsets=5, subset_size=4)
    real, others = images_of(1, count=8), images_of(2, count=8, contrast=0.4)
    assert inception.unavailable() is None

    measured = compared(inception, real, others, batch_size=4)

    features = inception(real).astype(np.float64), inception(others).astype(np.float64)
    means = [each.mean(axis=0) for each in features]
    centred = [(each - mean) / np.sqrt(7) for each, mean in zip(features, means, strict=True)]
    # the trace of (C1 C2)^(1/2) is the sum of the singular values of X1 X2^T, where X^T X = C
    root = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    fid = np.square(means[0] - means[1]).sum() + sum(np.square(each).sum() for each in centred) - 2 * root
    assert measured == {
        "fid": pytest.approx(fid, rel=1e-3),
        "kid": pytest.approx(kernel_distance(*features, subsets=5, subset_size=4, seed=42), rel=1e-3, abs=1e-9),
    }
    assert measured["fid"] > 0
    assert compared(inception, real, others[:1]) == {"fid": None, "kid": None}
    # of covariances that are 0
    alike = np.repeat(real[:1], 3, axis=0)
    assert compared(inception, alike, alike) == {"fid": pytest.approx(0), "kid": pytest.approx(0, abs=1e-3)}


def test_sliced_wasserstein_is_that_of_the_sets():
    real, others = images_of(1), images_of(2, contrast=0.4)

    measured = compared(SlicedWasserstein(seed=3), real, others)

    # in another order of the images, and so with other patches: the same but for chance
    levels = list(sliced_wasserstein_distance(real, others, seed=0).values())
    assert measured == {
        "swd": pytest.approx(np.mean(levels), rel=0.1),
        "swd_finest": pytest.approx(levels[0], rel=0.1),
        "swd_coarsest": pytest.approx(levels[-1], rel=0.1),
    }
    assert compared(SlicedWasserstein(), real, real)["swd"] == 0
    assert compared(SlicedWasserstein(images=10), real, others[:6])["swd"] > measured["swd"]


def test_memory_of_a_summary_does_not_grow_with_the_number_of_images():
    for metric in (*WITHOUT_DOWNLOAD, SlicedWasserstein(images=20)):
        few, many = (summary(metric, images_of(0, count)) for count in (21, 84))
        if not (isinstance(metric, SlicedWasserstein) and metric.images > 84):
            assert [array.nbytes for array in few.values()] == [array.nbytes for array in many.values()]


def test_lines_are_a_share_of_the_originals():
    real = images_of(1, count=60, size=64)
    checkerboard = 0.02 * (-1.0) ** np.add.outer(np.arange(64), np.arange(64))[:, :, None]

    measured = compared(CrossingLines(), real, real + checkerboard)

    assert measured["lines_2"] > 10
    assert [measured[f"lines_{period}"] for period in (4, 8, 16)] == pytest.approx([1, 1, 1])
    assert list(compared(CrossingLines(periods=(3,)), real, real)) == ["lines_3"]


def test_variety_is_a_share_of_the_originals_at_the_border_and_in_the_centre():
    real = images_of(1, contrast=0.1)
    others = real.copy()
    others[:, 10:-10, 10:-10] = 0.5 + (others[:, 10:-10, 10:-10] - 0.5) / 2

    changed = others.var(axis=0, ddof=1).mean() / real.var(axis=0, ddof=1).mean()
    assert compared(Variety(), real, others) == {
        "variance": pytest.approx(changed, rel=1e-5),
        "variance_border": pytest.approx(1),
        "variance_centre": pytest.approx(0.25),
    }


def test_border_and_centre_are_means_of_the_frame_and_the_middle():
    values = np.full((64, 32, 3), 5.0)
    values[8:56, 4:28] = 2.0
    values[16:48, 8:24] = 1.0

    assert border_and_centre(values) == (5.0, 1.0)


def test_sharpness_is_a_share_of_the_originals():
    real, others = images_of(1), images_of(2, count=31, contrast=0.1)

    assert compared(SetSharpness(), real, others) == {
        "sharpness": pytest.approx(laplacian_variance(others).mean() / laplacian_variance(real).mean())
    }


@pytest.mark.parametrize("size", [8, 64])
def test_what_is_not_defined_is_none_and_nothing_fails(size):
    flat, one = np.full((3, size, size, 3), 0.5, np.float32), images_of(1, count=1, size=size)

    for metric in WITHOUT_DOWNLOAD:
        for pair in ((flat, one), (one, flat), (one, one)):
            measured = compared(metric, *pair)
            assert list(measured) == [measure.name for measure in metric.measures]
            assert all(value is None or np.isfinite(value) for value in measured.values())
    assert compared(SetSharpness(), flat, one) == {"sharpness": None}
    assert set(compared(Variety(), one, flat).values()) == {None}


def test_distribution_metrics_are_components():
    names = known_names("distribution_metrics")
    created = {name: create_component("distribution_metrics", ComponentConfig(name=name)) for name in names}

    assert {type(metric) for metric in (*WITHOUT_DOWNLOAD, Inception())} <= {type(each) for each in created.values()}
    assert all(metric.unavailable() is None for metric in WITHOUT_DOWNLOAD)
    assert {measure.name: measure.better for measure in created["inception"].measures} == {
        "fid": "lower",
        "kid": "lower",
    }


# the energy of lines, in made-up images where the answer is known


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

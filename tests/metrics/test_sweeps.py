"""Rows of a sweep, against the same measures by hand."""

import json

import numpy as np
import pytest

from celeba_vae.metrics.reconstruction import laplacian_variance
from celeba_vae.metrics.set_distances import sliced_wasserstein_distance
from celeba_vae.metrics.sweeps import distance_row, sharpening_row, summarised


def images_of(seed, count=24, contrast=30):
    images = np.random.default_rng(seed).normal(128, contrast, (count, 32, 32, 3))
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)


def blocks_of(images):
    return (images[first : first + 7] for first in range(0, len(images), 7))


def test_distance_row_compares_with_the_test_images():
    real, images = images_of(1), images_of(2, contrast=15)
    images[:, 8:-8, 8:-8] = images[:1, 8:-8, 8:-8]

    row = distance_row(0.5, 4.6, blocks_of(images), summarised(blocks_of(real)))

    variance, real_variance = (each.astype(float).var(axis=0, ddof=1) for each in (images, real))
    frame = np.ones((32, 32), bool)
    frame[4:-4, 4:-4] = False
    assert row == {
        "limit": 0.5,
        "distance": 4.6,
        "swd": pytest.approx(np.mean([*sliced_wasserstein_distance(real, images).values()]), rel=0.1),
        "variance_border": pytest.approx(variance[frame].mean() / real_variance[frame].mean(), rel=1e-4),
        "variance_centre": pytest.approx(0),
        "sharpness": pytest.approx(
            laplacian_variance(images / 255).mean() / laplacian_variance(real / 255).mean(), rel=1e-3
        ),
    }
    json.dumps(row)


def test_sharpening_row_counts_what_is_cut_off():
    real, images = images_of(1), images_of(1)
    images[:, :4, :, 0] = 255
    images[:, 4:8, :, 1] = 0

    row = sharpening_row(3, blocks_of(images), summarised([real]))

    assert list(row) == ["factor", "sharpness", "swd", "clipped"]
    assert row["factor"] == 3
    assert row["clipped"] == pytest.approx(2 * 4 * 32 / images[0].size, abs=1e-3)
    assert row["sharpness"] == pytest.approx(
        laplacian_variance(images / 255).mean() / laplacian_variance(real / 255).mean(), rel=1e-3
    )
    assert row["swd"] > 0
    assert sharpening_row(1, [real], summarised([real]))["sharpness"] == pytest.approx(1)
    json.dumps(row)


def test_what_is_not_defined_is_none():
    real = summarised([images_of(1)])

    nothing = sharpening_row(1, [], real)
    assert nothing["swd"] is nothing["clipped"] is None
    assert distance_row(0, 0, [images_of(2, count=1)], real)["variance_border"] is None

"""Rows of a sweep, against the same measures by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from base_config import base_config

from celeba_vae.config import EvaluationConfig, GenerationConfig
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant, TrainedVariant
from celeba_vae.metrics.reconstruction import laplacian_variance
from celeba_vae.metrics.set_distances import sliced_wasserstein_distance
from celeba_vae.metrics.sweeps import DISTANCE_MEASURES, SHARPENING_MEASURES, measured_against, summarised, sweep


def images_of(seed, count=24, contrast=30):
    images = np.random.default_rng(seed).normal(128, contrast, (count, 32, 32, 3))
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)


def blocks_of(images):
    return (images[first : first + 7] for first in range(0, len(images), 7))


def test_images_at_a_distance_are_compared_with_the_test_images():
    real, images = images_of(1), images_of(2, contrast=15)
    images[:, 8:-8, 8:-8] = images[:1, 8:-8, 8:-8]

    row = measured_against(summarised(blocks_of(real)), blocks_of(images), DISTANCE_MEASURES)

    variance, real_variance = (each.astype(float).var(axis=0, ddof=1) for each in (images, real))
    frame = np.ones((32, 32), bool)
    frame[4:-4, 4:-4] = False
    assert row == {
        "swd": pytest.approx(np.mean([*sliced_wasserstein_distance(real, images).values()]), rel=0.1),
        "variance_border": pytest.approx(variance[frame].mean() / real_variance[frame].mean(), rel=1e-4),
        "variance_centre": pytest.approx(0),
        "sharpness": pytest.approx(
            laplacian_variance(images / 255).mean() / laplacian_variance(real / 255).mean(), rel=1e-3
        ),
    }
    json.dumps(row)


def test_of_sharpened_images_it_is_counted_what_is_cut_off():
    real, images = images_of(1), images_of(1)
    images[:, :4, :, 0] = 255
    images[:, 4:8, :, 1] = 0

    row = measured_against(summarised([real]), blocks_of(images), SHARPENING_MEASURES)

    assert list(row) == ["sharpness", "swd", "clipped"]
    assert row["clipped"] == pytest.approx(2 * 4 * 32 / images[0].size, abs=1e-3)
    assert row["sharpness"] == pytest.approx(
        laplacian_variance(images / 255).mean() / laplacian_variance(real / 255).mean(), rel=1e-3
    )
    assert row["swd"] > 0
    assert measured_against(summarised([real]), [real], ["sharpness"]) == {"sharpness": pytest.approx(1)}
    json.dumps(row)


def test_what_is_not_defined_is_none():
    real = summarised([images_of(1)])

    nothing = measured_against(real, [], SHARPENING_MEASURES)
    assert nothing["swd"] is nothing["clipped"] is None
    assert measured_against(real, [images_of(2, count=1)], ["variance_border"]) == {"variance_border": None}


def test_rows_say_how_far_away_and_how_sharpened_the_images_are():
    import keras

    decoder = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(32 * 32 * 3, "sigmoid"), keras.layers.Reshape((32, 32, 3))]
    )
    model = TrainedVariant(EvaluatedVariant("vae", {}, pd.DataFrame()), None, decoder)
    generation = base_config(GenerationConfig, distance_limits=[0.5, 3], sharpening_factors=[1, 7])

    rows = sweep(model, images_of(1), generation, base_config(EvaluationConfig, sweep_count=20))

    assert [list(row) for row in rows["distance"]] == [["limit", "distance", *DISTANCE_MEASURES]] * 2
    assert [row["limit"] for row in rows["distance"]] == [0.5, 3]
    near, far = (row["distance"] for row in rows["distance"])
    # the mean square of a coordinate within ±limit is limit² / 3
    assert near == pytest.approx(0.5 * np.sqrt(8 / 3), rel=0.1)
    assert far == pytest.approx(6 * near)
    assert [row["factor"] for row in rows["sharpening"]] == [1, 2, 4, 5, 7]
    assert [list(row) for row in rows["sharpening"]] == [["factor", *SHARPENING_MEASURES]] * 5

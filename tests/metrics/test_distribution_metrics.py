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
)
from celeba_vae.metrics.reconstruction import laplacian_variance
from celeba_vae.metrics.set_distances import kernel_distance, sliced_wasserstein_distance

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

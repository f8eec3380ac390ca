"""Measures against formulas by hand, scikit-image and TensorFlow."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from celeba_vae.config import ComponentConfig
from celeba_vae.config.plugins import create_component, known_names
from celeba_vae.metrics.measures import Measure
from celeba_vae.metrics.reconstruction import (
    BinaryCrossEntropy,
    ExplainedVariance,
    MsSsim,
    Psnr,
    Sharpness,
    SquaredError,
    Ssim,
    laplacian_variance,
    mean_squared_error,
)

binary_cross_entropy, psnr, ssim, ms_ssim = (
    metric.values for metric in (BinaryCrossEntropy(), Psnr(), Ssim(), MsSsim())
)
METRICS = (ExplainedVariance(), Psnr(), Ssim(), MsSsim(), SquaredError(), BinaryCrossEntropy(), Sharpness())


def measured(images, reconstructions, metrics=METRICS, batch_size=100):
    """Give the measures of images that are handed on in batches."""
    measures = {}
    for measurement in [metric.start() for metric in metrics]:
        for first in range(0, len(images), batch_size):
            measurement.update(images[first : first + batch_size], reconstructions[first : first + batch_size])
        measures |= measurement.result()
    return measures


def photos_and_blurs(count=6, height=40, width=28, seed=0):
    """Noise of several scales, and the same made softer and noisy; float32 in [0, 1]."""
    random = np.random.default_rng(seed)
    coarse = np.kron(random.random((count, height // 4, width // 4, 3)), np.ones((1, 4, 4, 1)))
    images = np.clip(0.8 * coarse + 0.2 * random.random((count, height, width, 3)), 0, 1)
    reconstructions = np.clip(coarse + random.normal(0, 0.05, coarse.shape), 0, 1)
    return images.astype(np.float32), reconstructions.astype(np.float32)


def test_binary_cross_entropy_by_hand():
    images = np.array([[[[0.0, 1.0, 0.25]], [[0.5, 0.5, 0.5]]]])
    reconstructions = np.array([[[[0.2, 0.9, 0.5]], [[0.5, 0.25, 1.0]]]])
    first = (-math.log(0.8) - math.log(0.9) - math.log(0.5)) / 3
    saturated = -0.5 * math.log(1 - 1e-7) - 0.5 * math.log(1e-7)
    second = (-math.log(0.5) - 0.5 * math.log(0.25) - 0.5 * math.log(0.75) + saturated) / 3

    np.testing.assert_allclose(binary_cross_entropy(images, reconstructions), [first + second], rtol=1e-6)


def test_binary_cross_entropy_of_an_untrained_model_is_that_of_grey_images():
    images, _ = photos_and_blurs(height=96, width=96)

    bce = binary_cross_entropy(images, np.full_like(images, 0.5))

    np.testing.assert_allclose(bce, 96 * 96 * math.log(2), rtol=1e-6)


def test_squared_error_and_psnr_of_each_image():
    images, reconstructions = photos_and_blurs()

    mse = mean_squared_error(images, reconstructions)

    pairs = list(zip(images, reconstructions, strict=True))
    np.testing.assert_allclose(mse, [np.mean((x - y) ** 2) for x, y in pairs], rtol=1e-5)
    np.testing.assert_allclose(
        psnr(images, reconstructions), [peak_signal_noise_ratio(x, y, data_range=1) for x, y in pairs], rtol=1e-6
    )


def test_psnr_of_a_perfect_reconstruction_is_a_number():
    images, _ = photos_and_blurs(count=1)

    assert psnr(images, images) == pytest.approx([100.0])


def test_ssim_is_that_of_scikit_image():
    images, reconstructions = photos_and_blurs()

    expected = [
        structural_similarity(
            x.astype(np.float64),
            y.astype(np.float64),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1,
            channel_axis=-1,
        )
        for x, y in zip(images, reconstructions, strict=True)
    ]

    assert min(expected) < 0.95
    np.testing.assert_allclose(ssim(images, reconstructions), expected, atol=1e-5)


def test_ssim_is_that_of_tensorflow():
    import tensorflow as tf

    images, reconstructions = photos_and_blurs()

    expected = tf.image.ssim(images, reconstructions, max_val=1.0)

    np.testing.assert_allclose(ssim(images, reconstructions), expected, atol=1e-5)


def test_ssim_of_equal_images_is_one_and_of_smaller_ones_than_its_window_undefined():
    images, _ = photos_and_blurs()
    flat = np.full((1, 11, 11, 3), 0.7)

    np.testing.assert_allclose(ssim(images, images), 1, atol=1e-6)
    np.testing.assert_allclose(ssim(flat, flat), 1, atol=1e-6)
    assert np.isnan(ssim(np.zeros((2, 16, 10, 3)), np.zeros((2, 16, 10, 3)))).tolist() == [True, True]


@pytest.mark.parametrize(
    ("size", "scales"), [((176, 176), 5), ((97, 96), 4), ((64, 64), 3), ((21, 30), 2), ((20, 40), 1)]
)
def test_ms_ssim_is_that_of_tensorflow_at_as_many_scales_as_fit(size, scales):
    import tensorflow as tf

    random = np.random.default_rng(1)
    images = random.random((3, *size, 3), np.float32)
    noisy = np.clip(0.6 * images + 0.4 * random.random((3, *size, 3)) ** 3, 0, 1).astype(np.float32)
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[:scales]

    expected = tf.image.ssim_multiscale(images, noisy, max_val=1.0, power_factors=weights / weights.sum())

    assert max(expected) < 0.95
    np.testing.assert_allclose(ms_ssim(images, noisy), expected, atol=2e-5)


def test_ms_ssim_of_equal_images_is_one_and_of_negatives_zero():
    images, _ = photos_and_blurs()

    np.testing.assert_allclose(ms_ssim(images, images), 1, atol=1e-6)
    np.testing.assert_allclose(ms_ssim(images, 1 - images), 0)
    assert np.isnan(ms_ssim(np.zeros((2, 16, 10, 3)), np.zeros((2, 16, 10, 3)))).tolist() == [True, True]


def test_laplacian_variance_is_that_of_the_convolution():
    from scipy.ndimage import convolve

    images, _ = photos_and_blurs()
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])[:, :, None]

    expected = [convolve(image.astype(np.float64), kernel)[1:-1, 1:-1].var(axis=(0, 1)).mean() for image in images]

    np.testing.assert_allclose(laplacian_variance(images), expected, rtol=1e-5)


def test_sharpness_is_a_share_of_the_images():
    images, _ = photos_and_blurs()

    def sharpness(reconstructions):
        measurement = Sharpness().start()
        for first in (0, 4):
            measurement.update(images[first : first + 4], reconstructions[first : first + 4])
        return measurement.result()["sharpness"]

    # the Laplacian is linear: half the contrast is a quarter of its variance
    assert sharpness(images / 2) == pytest.approx(0.25)
    assert sharpness(images) == pytest.approx(1)
    assert sharpness(np.full_like(images, 0.5)) == pytest.approx(0)


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_batches_do_not_change_the_means(batch_size):
    images, reconstructions = photos_and_blurs(count=10)

    measures = measured(images, reconstructions, batch_size=batch_size)

    mse = mean_squared_error(images, reconstructions)
    assert measures == pytest.approx(
        {
            "bce": binary_cross_entropy(images, reconstructions).mean(),
            "mse": mse.mean(),
            "psnr": (10 * np.log10(1 / mse)).mean(),
            "ssim": ssim(images, reconstructions).mean(),
            "ms_ssim": ms_ssim(images, reconstructions).mean(),
            "explained_variance": 1 - mse.mean() / images.astype(np.float64).var(axis=0).mean(),
            "sharpness": laplacian_variance(reconstructions).mean() / laplacian_variance(images).mean(),
        }
    )


def test_explained_variance_is_one_for_perfect_and_zero_for_the_mean_image():
    images, _ = photos_and_blurs()
    mean = np.broadcast_to(images.astype(np.float64).mean(axis=0), images.shape)

    assert measured(images, images, [ExplainedVariance()]) == {"explained_variance": pytest.approx(1)}
    assert measured(images, mean, [ExplainedVariance()]) == {"explained_variance": pytest.approx(0, abs=1e-9)}


@pytest.mark.parametrize("count", [1, 3])
def test_what_is_not_defined_is_none_and_the_rest_is_measured(count):
    equal = np.full((count, 8, 8, 3), 0.1, np.float32)

    result = measured(equal, equal + np.float32(0.1))

    undefined = {name for name, value in result.items() if value is None}
    assert undefined == {"explained_variance", "ssim", "ms_ssim", "sharpness"}
    assert result["psnr"] == pytest.approx(20, abs=1e-4)


def test_nothing_is_defined_of_no_images():
    nothing = np.zeros((0, 8, 8, 3))

    assert set(measured(nothing, nothing).values()) == {None}


def test_metrics_are_components_and_say_what_their_measures_are():
    created = [create_component("metrics", ComponentConfig(name=name)) for name in known_names("metrics")]
    images, reconstructions = photos_and_blurs()

    assert {type(metric) for metric in METRICS} <= {type(metric) for metric in created}
    for metric in created:
        measurement = metric.start()
        measurement.update(images, reconstructions)
        assert list(measurement.result()) == [measure.name for measure in metric.measures]
    (measure,) = Psnr().measures
    assert (measure.heading, measure.text(19.041), measure.best([19.0, None, 23.5])) == ("PSNR in dB", "19.04", 23.5)
    assert [measure.text(value) for value in (None, -0.001, -0.01, 5212.4)] == ["not defined", "0.00", "-0.01", "5,212"]
    assert [Measure("share", "Share", number="{:.0%}").text(value) for value in (-0.001, 12.0)] == ["0%", "1200%"]


def test_a_metric_of_ones_own_is_a_value_an_image(tmp_path, monkeypatch):
    (tmp_path / "own_metrics.py").write_text(
        "import numpy as np\n"
        "from celeba_vae.metrics.measures import ImageMetric, Measure\n\n"
        "class LargestError(ImageMetric):\n"
        "    measure = Measure('largest_error', 'Largest error', better='lower')\n"
        "    power: int = 1\n\n"
        "    def values(self, images, reconstructions):\n"
        "        return (np.abs(images - reconstructions) ** self.power).max(axis=(1, 2, 3))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    images, reconstructions = photos_and_blurs()

    metric = create_component("metrics", ComponentConfig(name="own_metrics:LargestError", power=2))
    measures = measured(images, reconstructions, [metric])

    expected = np.mean([((x - y) ** 2).max() for x, y in zip(images, reconstructions, strict=True)])
    assert measures == {"largest_error": pytest.approx(expected, rel=1e-5)}

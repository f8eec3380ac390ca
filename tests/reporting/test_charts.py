"""The pictures show the numbers that they are about."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from celeba_vae.metrics.latent_space import LatentSpace
from celeba_vae.metrics.measures import KL, Measure
from celeba_vae.metrics.reconstruction import BUILT_IN_METRICS
from celeba_vae.reporting.charts import (
    distance_chart,
    latent_correlation_chart,
    latent_distances_chart,
    latent_kl_chart,
    latent_moments_chart,
    latent_projection_chart,
    loss_chart,
    measures_chart,
    sharpening_chart,
)


def test_chart_shows_each_number_and_marks_the_best():
    metrics = {
        "ae": {"psnr": 23.456, "mse": 0.00512, "bce": 4850.2, "ssim": 0.71, "explained_variance": 0.912},
        "vae": {"psnr": 19.04, "mse": 0.0131, "bce": 5015.4, "ssim": 0.55, "explained_variance": None, "kl": 31.25},
    }

    measures = [measure for metric in BUILT_IN_METRICS for measure in metric.measures]
    figure = measures_chart(metrics, [*measures, KL])

    texts = {axes.get_title(loc="left").strip(): {text.get_text() for text in axes.texts} for axes in figure.axes}
    assert {"AE  23.46", "VAE  19.04"} <= texts["PSNR in dB"]
    assert {"AE  91.2%", "VAE  not defined"} <= texts["Explained variance"]
    assert {"AE  0.00512", "VAE  0.01310"} <= texts["Mean squared error"]
    assert {"AE  not defined", "VAE  31.2"} <= texts["KL in nats"]
    colours = {
        axes.get_title(loc="left").strip(): [bar.get_facecolor() for bar in axes.patches] for axes in figure.axes
    }
    assert colours["PSNR in dB"][0] != colours["PSNR in dB"][1]
    assert colours["PSNR in dB"][0] == colours["Mean squared error"][0] == colours["Binary cross-entropy"][0]


@pytest.mark.parametrize(("epochs", "ticks"), [([1], [1]), ([1, 2], [1, 2]), ([1, 2, 3, 4], [1, 2, 3, 4])])
def test_losses_are_drawn_over_whole_epochs(epochs, ticks):
    history = pd.DataFrame({"epoch": epochs, "total_loss": 5.0, "validation_total_loss": 6.0})
    (axes,) = loss_chart(history, "vae").axes
    left, right = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if left <= tick <= right] == ticks


def test_losses_stand_below_one_another_for_a_phone():
    names = ("total_loss", "reconstruction_loss", "kl_loss")
    history = pd.DataFrame({"epoch": [1, 2], **{name: [5.0, 4.0] for name in names}})

    figure = loss_chart(history, "VAE")

    file = io.BytesIO()
    figure.savefig(file, dpi=100)
    assert Image.open(file).width <= 700
    boxes = [axes.get_position() for axes in figure.axes]
    assert len({round(box.x0, 3) for box in boxes}) == 1
    assert boxes[0].y0 > boxes[1].y1 > boxes[1].y0 > boxes[2].y1


def test_chart_of_other_measures_leaves_out_what_no_variant_has():
    measures = [Measure("hue", "Hue error", better="lower", unit="degrees"), Measure("psnr", "PSNR", better="higher")]

    figure = measures_chart({"vae": {"hue": 12.5}, "ae": {"hue": 12.25}}, measures)

    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["lower is better", "VAE  12.500", "AE  12.250"]


# -------------------------------------------------------------------------------------------------------- latent space

LATENT_CHARTS = [latent_distances_chart, latent_moments_chart, latent_projection_chart, latent_correlation_chart]


def space(dimensions=8, count=400, variational=True):
    random = np.random.default_rng(0)
    mu = random.normal(0, np.linspace(2, 0.1, dimensions), (count, dimensions))
    gathered = LatentSpace()
    gathered.update(mu, np.full_like(mu, -1) if variational else None)
    return gathered


def labels(figure):
    return [text.get_text() for axes in figure.axes for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize("variational", [True, False])
@pytest.mark.parametrize("chart", LATENT_CHARTS)
def test_a_latent_chart_is_a_picture_for_a_phone_under_the_models_name(chart, variational):
    figure = chart(space(variational=variational), "VAE")

    file = io.BytesIO()
    figure.savefig(file, dpi=100)
    picture = Image.open(file)
    assert picture.width <= 700
    assert np.asarray(picture.convert("L")).min() < 80
    assert figure.get_suptitle().startswith("VAE: ")


def test_distances_are_drawn_beside_those_of_the_prior():
    latents = space()
    figure = latent_distances_chart(latents, "VAE")

    measured = latents.measured
    assert labels(figure) == [
        f"mu: {measured['mu_distance']:.1f} ± {latents.mu_distances.std():.1f}",
        f"z, drawn from N(mu, σ²): {measured['z_distance']:.1f} ± {latents.z_distances.std():.1f}",
        "N(0, I): 2.7 ± 0.7",
    ]
    (prior,) = figure.axes[0].lines
    # the mode of the chi distribution
    assert prior.get_xdata()[prior.get_ydata().argmax()] == pytest.approx(np.sqrt(7), abs=0.05)
    assert [label.split(":")[0] for label in labels(latent_distances_chart(space(variational=False), "AE"))] == [
        "z",
        "N(0, I)",
    ]


def test_kl_is_said_in_all_and_an_autoencoder_has_none():
    latents = space()

    (text,) = latent_kl_chart(latents, "VAE").axes[0].texts

    assert f"{latents.kl.sum():.1f} nats an image" in text.get_text()
    assert f"{latents.measured['active_units']:.0f} of 8 units active" in text.get_text()
    with pytest.raises(ValueError, match="AE is no variational autoencoder"):
        latent_kl_chart(space(variational=False), "AE")


def test_points_have_their_own_images_attribute():
    latents = space()
    attribute = np.where(np.arange(400) % 4 == 0, 1, -1)
    attribute[:10] = 0

    figure = latent_projection_chart(latents, "VAE", attribute, "Eye_Glasses")

    assert labels(figure) == ["Eye Glasses: unknown (10)", "not Eye Glasses (293)", "Eye Glasses (97)"]
    points = figure.axes[0].collections[-1]
    np.testing.assert_allclose(points.get_offsets(), latents.projection)
    colours = points.get_facecolors()
    for value in (0, 1, -1):
        assert len(np.unique(colours[attribute == value], axis=0)) == 1
    assert len(np.unique(colours, axis=0)) == 3


@pytest.mark.parametrize("chart", LATENT_CHARTS)
def test_a_latent_space_of_one_dimension_is_drawn(chart):
    latents = space(dimensions=1)

    figure = chart(latents, "VAE")
    figure.savefig(io.BytesIO())

    if chart is latent_projection_chart:
        offsets = figure.axes[0].collections[-1].get_offsets()
        np.testing.assert_allclose(offsets, np.column_stack([latents.projection[:, 0], np.zeros(400)]))
        assert figure.axes[0].get_ylabel() == "second direction, 0% of the variance"


def test_correlations_are_ordered_by_deviation_and_the_diagonal_is_left_out():
    latents = space()

    drawn = np.asarray(latent_correlation_chart(latents, "VAE").axes[0].images[0].get_array().filled(np.nan))

    order = np.argsort(-latents.deviation)
    expected = latents.correlation[order][:, order]
    apart = ~np.eye(8, dtype=bool)
    np.testing.assert_allclose(drawn[apart], expected[apart])
    assert np.isnan(np.diagonal(drawn)).all()


# -------------------------------------------------------------------------------------------------------------- sweeps

DISTANCES = [
    {"limit": 2.0, "distance": 18.0, "swd": 104.0, "variance_border": 0.9, "variance_centre": 1.2},
    {"limit": 0.5, "distance": 4.5, "swd": 136.0, "variance_border": 0.04, "variance_centre": 0.03},
    {"limit": 1.0, "distance": 9.0, "swd": None, "variance_border": 0.3, "variance_centre": 0.2},
    {"limit": 1.5, "distance": 13.5, "swd": 110.0, "variance_border": 0.5, "variance_centre": 0.4},
]
SHARPENINGS = [
    {"factor": 1.0, "sharpness": 0.1, "swd": 105.0, "clipped": 0.0},
    {"factor": 3.0, "sharpness": 0.6, "swd": 108.0, "clipped": 0.0},
    {"factor": 7.0, "sharpness": 2.8, "swd": 109.0, "clipped": 0.02},
]


def drawn(axes):
    return {line.get_label(): list(zip(*line.get_data(), strict=True)) for line in axes.lines}


def shaded_from(figure):
    return [patch.get_x() for axes in figure.axes for patch in axes.patches]


def test_distance_chart_shows_variance_and_swd_and_where_quality_has_fallen():
    figure = distance_chart(DISTANCES, "VAE")

    variance, swd = figure.axes
    assert drawn(variance)["border (background)"] == [(0.5, 0.04), (1.0, 0.3), (1.5, 0.5), (2.0, 0.9)]
    assert drawn(variance)["centre (face)"] == [(0.5, 0.03), (1.0, 0.2), (1.5, 0.4), (2.0, 1.2)]
    np.testing.assert_equal(list(drawn(swd).values()), [[(0.5, 136), (1.0, np.nan), (1.5, 110), (2.0, 104)]])
    assert shaded_from(figure) == [2.0, 2.0]
    assert labels_of(variance) == ["border (background)", "centre (face)", "quality has fallen", "real images"]
    assert swd.get_xlabel() == "limit, the largest coordinate; distance: 9.0 times that"
    assert shaded_from(distance_chart(DISTANCES[1:], "VAE")) == []


def test_sharpening_chart_shows_where_artefacts_begin():
    figure = sharpening_chart(SHARPENINGS, "VAE")

    sharpness, swd, clipped = figure.axes
    assert drawn(sharpness)["sharpened faces"] == [(1, 0.1), (3, 0.6), (7, 2.8)]
    assert list(drawn(swd).values()) == [[(1, 105), (3, 108), (7, 109)]]
    assert list(drawn(clipped).values()) == [[(1, 0), (3, 0), (7, 0.02)]]
    assert shaded_from(figure) == [7.0] * 3
    assert "artefacts" in labels_of(sharpness)


@pytest.mark.parametrize(("chart", "rows"), [(distance_chart, DISTANCES), (sharpening_chart, SHARPENINGS)])
def test_a_sweep_is_a_picture_for_a_phone_even_without_figures(chart, rows):
    unknown = [{name: value if name in ("limit", "factor") else None for name, value in row.items()} for row in rows]
    for given in (rows, unknown, []):
        file = io.BytesIO()
        chart(given, "VAE").savefig(file, dpi=100)
        assert Image.open(file).width <= 700


def labels_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]

"""Charts of measures, losses and sweeps show the numbers that they are about."""

import io

import numpy as np
import pandas as pd
import pytest
from base_config import base_config
from PIL import Image

from celeba_vae.config import EvaluationConfig
from celeba_vae.metrics.measure_groups import reconstruction_measures
from celeba_vae.metrics.measures import KL, Measure
from celeba_vae.reporting.charts import distance_chart, loss_chart, measures_chart, sharpening_chart

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


def test_chart_shows_each_number_and_marks_the_best():
    metrics = {
        "ae": {"psnr": 23.456, "mse": 0.00512, "bce": 4850.2, "ssim": 0.71, "explained_variance": 0.912},
        "vae": {"psnr": 19.04, "mse": 0.0131, "bce": 5015.4, "ssim": 0.55, "explained_variance": None, "kl": 31.25},
    }

    measures = reconstruction_measures(base_config(EvaluationConfig))
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


@pytest.mark.filterwarnings("error")
def test_charts_of_equal_and_of_missing_figures_are_drawn_without_a_complaint():
    none = dict.fromkeys(("swd", "variance_border", "variance_centre", "sharpness", "clipped"))
    equal = dict.fromkeys(none, 0.0)
    history = pd.DataFrame({"epoch": [1], "total_loss": [700.0], "reconstruction_loss": [700.0], "kl_loss": [0.0]})
    figures = [loss_chart(history, "vae")]
    for figure in none, equal:
        rows = [{"limit": limit, "factor": limit, "distance": limit, **figure} for limit in (0.5, 1.0, 3.0)]
        figures += [distance_chart(rows, "VAE"), sharpening_chart(rows, "VAE")]
        measured = {"vae": dict.fromkeys(("psnr", "mse", "explained_variance"), figure["swd"])}
        figures.append(measures_chart(measured, reconstruction_measures(base_config(EvaluationConfig))))

    for figure in figures:
        figure.savefig(io.BytesIO())


def labels_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]

"""Charts of measures and losses show the numbers that they are about."""

import io

import pandas as pd
import pytest
from base_config import base_config
from PIL import Image

from celeba_vae.config import EvaluationConfig
from celeba_vae.metrics.measure_groups import reconstruction_measures
from celeba_vae.metrics.measures import KL, Measure
from celeba_vae.reporting.charts import loss_chart, measures_chart


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

"""Charts of latent spaces show the numbers that they are about."""

import io

import numpy as np
import pytest
from PIL import Image

from celeba_vae.metrics.latent_space import LatentSpace
from celeba_vae.reporting.latent_charts import (
    latent_correlation_chart,
    latent_distances_chart,
    latent_kl_chart,
    latent_moments_chart,
    latent_projection_chart,
)

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


@pytest.mark.parametrize("count", [2, 30])
@pytest.mark.parametrize("dimensions", [1, 8])
@pytest.mark.parametrize("chart", [*LATENT_CHARTS, latent_kl_chart])
# what can't be drawn would be warned of
@pytest.mark.filterwarnings("error")
def test_latents_that_are_all_alike_are_drawn(chart, dimensions, count):
    alike = LatentSpace()
    mu = np.full((count, dimensions), 0.3, np.float32)
    alike.update(mu, np.zeros_like(mu))

    figure = chart(alike, "VAE")
    file = io.BytesIO()
    figure.savefig(file)

    assert Image.open(file).width > 300
    assert alike.measured["active_units"] == 0
    assert alike.measured["largest_correlation"] is None
    assert np.isfinite(alike.projection).all()


def test_correlations_are_ordered_by_deviation_and_the_diagonal_is_left_out():
    latents = space()

    drawn = np.asarray(latent_correlation_chart(latents, "VAE").axes[0].images[0].get_array().filled(np.nan))

    order = np.argsort(-latents.deviation)
    expected = latents.correlation[order][:, order]
    apart = ~np.eye(8, dtype=bool)
    np.testing.assert_allclose(drawn[apart], expected[apart])
    assert np.isnan(np.diagonal(drawn)).all()

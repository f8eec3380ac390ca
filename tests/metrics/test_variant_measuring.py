"""How many images each set has that is measured, and what a broken model or sampler does to it."""

import numpy as np
import pandas as pd
import pytest
from base_config import base_config

from celeba_vae.config import EvaluationConfig
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant, TrainedVariant
from celeba_vae.metrics.variant_measuring import measure_variant, summarise_test_images

SHAPE = (16, 16, 3)


@pytest.fixture
def images():
    return np.random.default_rng(7).integers(0, 256, (40, *SHAPE), np.uint8)


def trained(scale=0.1):
    """Make an autoencoder of one layer each way, whose first weights are of this scale."""
    import keras

    start = keras.initializers.Constant(scale)
    encoder = keras.Sequential(
        [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(2, kernel_initializer=start)]
    )
    size = int(np.prod(SHAPE))
    decoder = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(size, "sigmoid"), keras.layers.Reshape(SHAPE)],
    )
    return TrainedVariant(EvaluatedVariant("small", {"model": "ae"}, pd.DataFrame()), encoder, decoder)


def measured(test_images, train_images, folder, model=None, **parameters):
    """Measure a model by little."""
    parameters = base_config(
        EvaluationConfig, **{"samplers": ["normal"], "distribution_metrics": ["variety"], **parameters}
    )
    reference, model = summarise_test_images(test_images, parameters), model or trained()
    return measure_variant(model.variant, model, test_images, train_images, folder, reference, parameters)


@pytest.mark.parametrize(("generated_count", "expected"), [(6, 6), (30, 10)])
def test_sets_that_are_compared_are_of_one_size(images, tmp_path, generated_count, expected):
    parameters = base_config(
        EvaluationConfig,
        generated_count=generated_count,
        samplers=["normal"],
        distribution_metrics=["variety"],
        batch_size=4,
    )
    test, train = images[:10], images[10:]
    reference, model = summarise_test_images(test, parameters), trained()

    variant = measure_variant(model.variant, model, test, train, tmp_path, reference, parameters)

    assert variant.measured["reconstructed"]["images"] == variant.measured["normal"]["images"] == expected
    assert variant.measured["training"]["images"] == 10
    assert len(variant.created["normal"]) == min(7, generated_count)
    of_test = reference.summaries[0]["variance"]
    np.testing.assert_allclose(of_test, (test[:expected] / 255).var(axis=0, ddof=1), rtol=1e-4)
    from celeba_vae.models.inference import reconstruct

    copies = reconstruct(model.encoder, model.decoder, test[:expected])
    expected_share = copies.var(axis=0, ddof=1).mean() / of_test.mean()
    assert variant.measured["reconstructed"]["variance"] == pytest.approx(expected_share, rel=1e-3)


def test_a_whole_row_is_created_for_few_test_images(images, tmp_path):
    variant = measured(images[:2], images, tmp_path, samplers=["normal"], columns=5)

    assert (len(variant.created["normal"]), variant.measured["normal"]["images"]) == (5, 2)


def test_without_test_images_it_is_said_how_many_training_images_are_measured(images, tmp_path, monkeypatch):
    monkeypatch.setattr("celeba_vae.metrics.variant_measuring.TRAINING_IMAGES", 25)

    of_training = measured(images[:0], images, tmp_path, generated_count=4).measured["training"]

    assert of_training["images"] == 25
    assert of_training["psnr"] > 0


def test_latents_that_are_not_finite_are_that_models_problem(images, tmp_path, caplog):
    variant = measured(images[:10], images, tmp_path, model=trained(scale=np.nan))

    assert (variant.measured, variant.latent_space, variant.created) == ({}, None, {})
    assert "small is left out of the evaluation: The encoder gives latents that are not finite" in variant.problem
    assert variant.problem in caplog.text


def test_a_sampler_that_can_not_be_fitted_is_noted_and_all_else_measured(images, tmp_path, caplog):
    variant = measured(images[:10], images, tmp_path, model=trained(scale=0), samplers=["normal", "posterior"])

    assert variant.measured.keys() >= {"test", "normal"}
    assert "posterior" not in variant.measured
    (note,) = variant.notes
    assert note.startswith("small, posterior: ")
    assert note in caplog.text


@pytest.mark.parametrize("test_count", [0, 1, 10, 120])
def test_a_collapsed_posterior_is_noted_whatever_the_number_of_test_images(images, tmp_path, caplog, test_count):
    import keras

    model = trained()
    # mu and logvar, both 0 for all images
    encoder = keras.Model(model.encoder.inputs, [model.encoder.outputs[0] * 0, model.encoder.outputs[0] * 0])
    settings = {"name": "small", "model": "vae", "latent_dim": 2, "kl_weight": 5.0}
    collapsed = TrainedVariant(EvaluatedVariant("small", settings, pd.DataFrame()), encoder, model.decoder)
    test_images = np.concatenate([images] * 3)[:test_count]

    notes = measured(test_images, images, tmp_path, model=collapsed, samplers=["gaussian"]).notes

    assert len(notes) == 2
    assert notes[0].startswith("small: the posterior has collapsed, 0 of 2 latent dimensions are active")
    assert notes[1].startswith("small: The sampler gaussian has one point only")
    assert notes[0] in caplog.text


def test_of_one_image_there_is_no_latent_space(images, tmp_path):
    assert measured(images[:1], images, tmp_path).latent_space is None

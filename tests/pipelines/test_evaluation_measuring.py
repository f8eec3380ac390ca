"""Which group of figures is of which sampler, how many images it is of, and what a broken model does to it."""

import numpy as np
import pandas as pd
import pytest
from base_config import base_config

from celeba_vae.config import EvaluationConfig
from celeba_vae.pipelines.evaluation.nodes_measuring import (
    examine_model,
    generate_and_measure,
    sampler_groups,
    sampler_label,
    summarise_originals,
)
from celeba_vae.pipelines.evaluation.trained_variant import TrainedVariant

SHAPE = (16, 16, 3)


def samplers(*configs):
    return base_config(EvaluationConfig, samplers=list(configs)).samplers


def test_samplers_are_told_by_what_they_are_not_by_their_names():
    assert sampler_groups(samplers("normal", "mixture", "gaussian")) == ("normal", ("mixture", "gaussian"))
    assert sampler_groups(samplers({"name": "normal", "scale": 0.3})) == ("", ())
    assert sampler_groups(samplers("uniform", "truncated_normal", "posterior")) == ("", ())
    both = samplers({"name": "normal", "scale": 0.3}, {"name": "normal", "scale": 1.0}, {"name": "mixture"})
    assert sampler_groups(both) == ("normal scale=1.0", ("mixture",))


def test_labels_are_unique_and_no_group_of_other_figures():
    configs = samplers("normal", {"name": "normal", "scale": 2}, "test", {"name": "uniform", "limit": 3})

    labels = [sampler_label(config, configs) for config in configs]

    assert labels == ["normal", "normal scale=2", "sampler test", "uniform"]


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
    return TrainedVariant("small", encoder, decoder, pd.DataFrame(), {"model": "ae"})


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
    originals, model = summarise_originals(test, parameters), trained()

    examined = examine_model(model, test, train, originals, parameters)
    generated = generate_and_measure(model, train, test, tmp_path, originals, parameters)

    assert examined.measured["reconstructed"]["images"] == generated.measured["normal"]["images"] == expected
    assert examined.measured["training"]["images"] == 10
    assert len(generated.images["normal"]) == min(7, generated_count)
    of_test = originals.summaries[0]["variance"]
    np.testing.assert_allclose(of_test, (test[:expected] / 255).var(axis=0, ddof=1), rtol=1e-4)
    from celeba_vae.models.inference import reconstruct

    copies = reconstruct(model.encoder, model.decoder, test[:expected])
    expected_share = copies.var(axis=0, ddof=1).mean() / of_test.mean()
    assert examined.measured["reconstructed"]["variance"] == pytest.approx(expected_share, rel=1e-3)


def test_a_whole_row_is_created_for_few_test_images(images, tmp_path):
    parameters = base_config(EvaluationConfig, samplers=["normal"], distribution_metrics=["variety"], columns=5)
    originals = summarise_originals(images[:2], parameters)

    generated = generate_and_measure(trained(), images, images[:2], tmp_path, originals, parameters)

    assert (len(generated.images["normal"]), generated.measured["normal"]["images"]) == (5, 2)


def test_without_test_images_it_is_said_how_many_training_images_are_measured(images, monkeypatch):
    monkeypatch.setattr("celeba_vae.pipelines.evaluation.nodes_measuring.TRAINING_IMAGES", 25)
    parameters = base_config(EvaluationConfig, distribution_metrics=["variety"])
    nothing = images[:0]

    measured = examine_model(trained(), nothing, images, summarise_originals(nothing, parameters), parameters).measured

    assert measured["training"]["images"] == 25
    assert measured["training"]["psnr"] > 0


def test_latents_that_are_not_finite_are_that_models_problem(images, caplog):
    parameters = base_config(EvaluationConfig, distribution_metrics=["variety"])

    examined = examine_model(
        trained(scale=np.nan), images[:10], images, summarise_originals(images[:10], parameters), parameters
    )

    assert (examined.measured, examined.latent_space) == ({}, None)
    assert "small is left out of the evaluation: The encoder gives latents that are not finite" in examined.problem
    assert examined.problem in caplog.text

"""What a training says of itself before its first step."""

import logging

import numpy as np
import pytest
from base_config import base_config

from celeba_vae.config import VariantConfig
from celeba_vae.training.building import build_autoencoder
from celeba_vae.training.recipe import create_recipe
from celeba_vae.training.training_log import describe_training, memory_estimate


def small(**options):
    layers = {"kernel_sizes": (3, 3), "strides": (2, 2)}
    variant = base_config(
        VariantConfig,
        name="small",
        latent_dim=8,
        encoder={"name": "conv", "filters": (8, 16), **layers},
        decoder={"name": "conv_transpose", "filters": (8, 3), "start_filters": 16, **layers},
        **options,
    )
    recipe = create_recipe(variant)
    return recipe, build_autoencoder(recipe, (16, 16, 3), "float32")


def test_memory_estimate_counts_bytes():
    _, model = small()
    weights = sum(w.size for w in model.get_weights())
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    memory = memory_estimate(model, batch_size=10)
    assert memory["weights"] == pytest.approx(4 * weights / 2**20)
    assert memory["optimizer"] == pytest.approx(3 * 4 * trainable / 2**20)
    assert memory["activations"] == pytest.approx(memory_estimate(model, batch_size=5)["activations"] * 2)
    # at least the outputs of the first convolution, its normalisation and its activation, float32
    assert memory["activations"] * 2**20 > 3 * 10 * 8 * 8 * 8 * 4


@pytest.mark.parametrize(("image_count", "batch_size"), [(3, 3), (100_000, 128)])
def test_a_batch_is_no_larger_than_the_data(image_count, batch_size, caplog):
    recipe, model = small()

    with caplog.at_level(logging.INFO):
        describe_training(recipe, model, image_count)

    activations = memory_estimate(model, batch_size)["activations"]
    assert f"activations {activations:.0f} at batch size {batch_size}" in caplog.text


@pytest.mark.parametrize(
    ("loss", "kl_weight", "beta", "warns"),
    [("bce", 5.0, "15", False), ("mse", 0.03, "0.09", False), ("mse", 5.0, "15", True), ("gaussian", 1.0, "1", False)],
)
def test_kl_weight_is_explained_and_one_that_is_far_too_large_warned_of(caplog, loss, kl_weight, beta, warns):
    with caplog.at_level(logging.INFO):
        describe_training(*small(reconstruction_loss={"name": loss}, kl_weight=kl_weight), image_count=500)
    assert f"kl_weight {kl_weight:g} is an effective beta of {beta} against" in caplog.text
    assert ("all images may come out alike" in caplog.text) == warns


def test_plain_autoencoder_says_nothing_of_a_kl_weight(caplog):
    with caplog.at_level(logging.INFO):
        describe_training(*small(model="ae"), image_count=500)
    assert "parameters, decoder" in caplog.text
    assert "kl_weight" not in caplog.text

"""What --params gives all variants and one of them does not take."""

import pytest
from base_config import base_config

from celeba_vae.config import VariantConfig
from celeba_vae.config.overrides import without_effect


def said(given, name="ae", block="ae", **own):
    return without_effect(given, base_config(VariantConfig, name=name, **own), block)


def test_an_own_value_is_named_with_what_changes_it():
    assert said({"training": {"epochs": 1}}, epochs=5) == [
        "--params training.epochs=1 has no effect on ae: variants.ae.epochs is 5. For it, too: --params"
        " variants.ae.epochs=1"
    ]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"training": {"variants": ["ae"]}},
        # the value that it has
        {"training": {"epochs": 5, "image_count": "none", "layers": {"dropout": 0.0}}},
        # the person has said both
        {"training": {"epochs": 1}, "variants": {"ae": {"epochs": 5}}},
        {"generation": {"count": 3}},
    ],
)
def test_nothing_is_said_of_what_has_its_effect(given):
    assert said(given, epochs=5, image_count=None) == []


def test_of_a_nested_block_only_the_values_without_effect_are_named():
    layers = base_config(VariantConfig).layers.model_copy(update={"dropout": 0.5, "activation": "relu"})

    (line,) = said({"training": {"layers": {"dropout": 0.1, "activation": "relu"}}}, layers=layers)

    assert line.startswith(
        "--params training.layers.dropout=0.1 has no effect on ae: variants.ae.layers.dropout is 0.5."
    )


@pytest.mark.parametrize(
    ("given", "typed"),
    [
        ({"name": "residual", "depth": 3}, "{0}.encoder.name=residual,{0}.encoder.depth=3"),
        # an option of another component
        ({"filters": [8, 16]}, "{0}.encoder.filters=[8, 16]"),
    ],
)
def test_a_component_is_named_with_its_options(given, typed):
    encoder = {"name": "dense", "units": None}

    (line,) = said({"training": {"encoder": given}}, "vae_dense", "vae_dense", encoder=encoder)

    assert line == (
        f"--params {typed.format('training')} has no effect on vae_dense: variants.vae_dense.encoder is"
        f" {{name: dense, units: none}}. For it, too: --params {typed.format('variants.vae_dense')}"
    )


def test_trials_have_their_budget_and_what_is_tried():
    given = {"training": {"epochs": 1, "kl_weight": 3.0, "free_bits": 1.0}}

    lines = said(given, "trial_kl_weight_1_5", "vae", epochs=10, kl_weight=1.5, free_bits=0.5)

    assert lines == [
        "--params training.epochs=1 has no effect on trial_kl_weight_1_5: experiments.epochs is 10. For it, too:"
        " --params experiments.epochs=1",
        "--params training.free_bits=1.0 has no effect on trial_kl_weight_1_5: variants.vae.free_bits is 0.5. For it,"
        " too: --params variants.vae.free_bits=1.0",
    ]


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"training": {"kl_weight": 3.0}}, "training"),
        ({"variants": {"ae": {"kl_weight": 3.0}}}, "variants.ae"),
    ],
)
# the weight given, or one of its own
@pytest.mark.parametrize("kl_weight", [3.0, 5.0])
def test_what_only_a_vae_has_is_named_for_an_autoencoder(given, place, kl_weight):
    (line,) = said(given, model="ae", kl_weight=kl_weight)

    assert line == f"--params {place}.kl_weight=3.0 has no effect on ae: a plain autoencoder has no KL term."


def test_a_kl_weight_has_its_effect_on_a_vae():
    assert said({"training": {"kl_weight": 3.0}}, model="vae", kl_weight=3.0) == []

"""What a training's identity is made of: the settings that its weights depend on, and no others."""

import pytest
from base_config import base_config

from celeba_vae.config import VariantConfig
from celeba_vae.training.recipe import create_recipe, recreate_recipe

CHANGED = {
    "name": "other",
    "model": "ae",
    "latent_dim": 7,
    "encoder": {"name": "residual"},
    "decoder": {"name": "upsampling"},
    "layers": {"dropout": 0.1},
    "reconstruction_loss": {"name": "mse"},
    "kl_weight": 3.0,
    "kl_schedule": {"name": "linear_warm_up"},
    "free_bits": 0.1,
    "kl_term": "add_loss",
    "image_count": 10,
    "horizontal_flips": True,
    "epochs": 2,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "learning_rate_schedule": {"name": "step"},
    "gradient_clip_norm": 1.0,
    "ema_momentum": 0.9,
    "early_stopping_patience": 3,
    "use_weights": "best",
    "seed": 1,
    "checkpoint_steps": 5,
    "keep_checkpoints": 5,
    "preview_epochs": 5,
    "fresh": True,
}
WITHOUT_EFFECT = {
    "image_count",
    "epochs",
    "early_stopping_patience",
    "use_weights",
    "checkpoint_steps",
    "keep_checkpoints",
    "preview_epochs",
    "fresh",
}
OF_A_VAE = {"kl_weight", "kl_schedule", "free_bits", "kl_term"}


def identity(**settings):
    return create_recipe(base_config(VariantConfig, **settings)).identity()


def test_every_setting_is_tried():
    assert set(CHANGED) == set(VariantConfig.model_fields)


@pytest.mark.parametrize("setting", CHANGED)
def test_a_setting_changes_the_identity_where_it_changes_the_weights(setting):
    changes = identity(**{setting: CHANGED[setting]}) != identity()
    assert changes == (setting not in WITHOUT_EFFECT)


@pytest.mark.parametrize("setting", sorted(set(CHANGED) - {"model"}))
def test_a_plain_autoencoder_has_no_kl_term(setting):
    changes = identity(model="ae", **{setting: CHANGED[setting]}) != identity(model="ae")
    assert changes == (setting not in WITHOUT_EFFECT | OF_A_VAE)


def test_what_one_device_does_anyway_is_no_other_training():
    synchronized, plain, off = (
        identity(layers={"batch_normalization": value}) for value in ("synchronized", True, False)
    )
    assert synchronized == plain != off


def test_more_epochs_are_another_training_where_a_schedule_follows_them():
    assert identity(learning_rate_schedule={"name": "cosine"}, epochs=2) != identity(
        learning_rate_schedule={"name": "cosine"}, epochs=3
    )


def test_a_recipe_is_made_again_from_its_settings():
    recipe = create_recipe(base_config(VariantConfig, name="vae", learning_rate_schedule={"name": "cosine"}, epochs=3))
    assert recreate_recipe(recipe.settings()).settings() == recipe.settings()

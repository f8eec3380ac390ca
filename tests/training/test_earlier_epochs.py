"""The earliest epoch that a training's checkpoints keep, against trainings that ended there."""

import numpy as np
import pytest
from base_config import base_config

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.errors import DataError
from celeba_vae.training.checkpoints import Checkpoints
from celeba_vae.training.earlier_epochs import earliest_epoch
from celeba_vae.training.recipe import create_recipe, recreate_recipe
from celeba_vae.training.trainer import Trainer

IMAGES = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 3), np.uint8)
POINTS = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)


def variant(**options):
    one_layer = {"kernel_sizes": (3,), "strides": (2,)}
    return base_config(
        VariantConfig,
        name="small",
        latent_dim=4,
        encoder={"name": "conv", "filters": (8,), **one_layer},
        decoder={"name": "conv_transpose", "filters": (3,), "start_filters": 8, **one_layer},
        batch_size=16,
        learning_rate=5e-3,
        **options,
    )


def trained(folder, variant, validation=0, precision="float32"):
    """Train; give the encoder and decoder that the training hands on."""
    images, validation_images = np.split(IMAGES, [len(IMAGES) - validation])
    hardware = base_config(HardwareConfig, device="cpu", strategy="one", precision=precision)
    trainer = Trainer(create_recipe(variant), images, validation_images, hardware)
    checkpoints = Checkpoints(folder, variant.keep_checkpoints)
    history = trainer.train(checkpoints)
    return *trainer.inference_models(checkpoints), history


def files_of(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("options", [{}, {"model": "ae"}, {"ema_momentum": 0.8}])
def test_earliest_kept_checkpoint_is_what_a_shorter_training_gives(tmp_path, options):
    parts = trained(tmp_path / "long", variant(epochs=4, keep_checkpoints=3, **options))[:2]
    encoder, decoder, _ = trained(tmp_path / "short", variant(epochs=2, **options))
    (tmp_path / "long/.step_00000099").mkdir()
    before = files_of(tmp_path)

    earlier = earliest_epoch(tmp_path / "long", create_recipe(variant(**options)), "float32", *parts)

    assert earlier.epoch == 2
    images = IMAGES[:5].astype(np.float32) / 255
    np.testing.assert_allclose(
        earlier.encoder.predict_on_batch(images), encoder.predict_on_batch(images), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        earlier.decoder.predict_on_batch(POINTS), decoder.predict_on_batch(POINTS), rtol=1e-4, atol=1e-5
    )
    assert np.abs(parts[1].predict_on_batch(POINTS) - decoder.predict_on_batch(POINTS)).max() > 1e-3
    assert files_of(tmp_path) == before


def test_checkpoint_within_an_epoch_has_a_fraction(tmp_path):
    parts = trained(tmp_path, variant(epochs=3, checkpoint_steps=3, keep_checkpoints=3))[:2]

    # four steps an epoch: 8, 9 and 12 are kept
    assert earliest_epoch(tmp_path, create_recipe(variant()), "float32", *parts).epoch == 2
    (tmp_path / "step_00000008").rename(tmp_path / "removed")
    assert earliest_epoch(tmp_path, create_recipe(variant()), "float32", *parts).epoch == 2.25


def test_best_weights_are_an_earlier_epoch_too_and_nothing_is_earlier_than_the_model_in_use(tmp_path):
    settings = variant(
        model="ae", epochs=6, keep_checkpoints=1, learning_rate_schedule={"name": "step", "every": 3, "factor": 20}
    )
    encoder, decoder, history = trained(tmp_path, settings, validation=16)
    best = history["epoch"][history["validation_total_loss"].argmin()]
    assert best < 6

    recipe = recreate_recipe(create_recipe(settings).settings())
    earlier = earliest_epoch(tmp_path, recipe, "float32", encoder, decoder)

    assert earlier.epoch == best
    assert earliest_epoch(tmp_path, recipe, "float32", earlier.encoder, earlier.decoder) is None


def test_mixed_precision(tmp_path):
    parts = trained(tmp_path, variant(epochs=3, keep_checkpoints=2), precision="mixed_bfloat16")[:2]

    earlier = earliest_epoch(tmp_path, create_recipe(variant()), "mixed_bfloat16", *parts)

    assert earlier.epoch == 2
    assert earlier.encoder.compute_dtype == earlier.decoder.compute_dtype == "float32"


def test_another_training_and_one_with_nothing_earlier_give_none(tmp_path):
    parts = trained(tmp_path / "a", variant(epochs=2, keep_checkpoints=1))[:2]
    others = trained(tmp_path / "b", variant(epochs=2, keep_checkpoints=2, seed=5))[:2]
    recipe = create_recipe(variant())

    assert earliest_epoch(tmp_path / "a", recipe, "float32", *parts) is None
    assert earliest_epoch(tmp_path / "b", recipe, "float32", *parts) is None
    assert earliest_epoch(tmp_path / "b", recipe, "float32", *others).epoch == 1
    assert earliest_epoch(tmp_path / "nothing", recipe, "float32", *parts) is None


def test_damaged_checkpoint_is_named(tmp_path):
    parts = trained(tmp_path, variant(epochs=2, keep_checkpoints=2))[:2]
    (tmp_path / "step_00000004/training.npz").write_bytes(b"PK")

    with pytest.raises(DataError, match="step_00000004 is damaged"):
        earliest_epoch(tmp_path, create_recipe(variant()), "float32", *parts)

"""Training a small network on real steps: it learns, goes on where it stopped, and keeps what was good."""

import logging
import os
import re
import signal

import numpy as np
import pandas as pd
import pytest
from base_config import base_config
from discs import discs
from keras.optimizers import SGD

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.errors import DataError, SettingError
from celeba_vae.training.batches import training_batches
from celeba_vae.training.checkpoints import Checkpoints, Progress
from celeba_vae.training.recipe import create_recipe
from celeba_vae.training.trainer import Trainer

LAYERS = {"kernel_sizes": (3, 3), "strides": (2, 2)}
TIMES = ["seconds", "images_per_second", "data_wait_share"]


@pytest.fixture(scope="module")
def images():
    return discs()


def variant(**options):
    options = {
        "name": "small",
        "latent_dim": 8,
        "encoder": {"name": "conv", "filters": (8, 16), **LAYERS},
        "decoder": {"name": "conv_transpose", "filters": (8, 3), "start_filters": 16, **LAYERS},
        "epochs": 4,
        "batch_size": 32,
        "learning_rate": 2e-3,
        **options,
    }
    return base_config(VariantConfig, **options)


def trainer(variant, images, validation=40, **hardware):
    """A trainer on all images but the last ``validation``."""
    config = base_config(HardwareConfig, **{"device": "cpu", "strategy": "one", "precision": "float32", **hardware})
    return Trainer(create_recipe(variant), *np.split(images, [len(images) - validation]), config)


def trained(variant, images, folder, **options):
    """Train; give the model and the history."""
    training = trainer(variant, images, **options)
    history = training.train(Checkpoints(folder, variant.keep_checkpoints))
    return training.model, history


def steps_kept(folder):
    return sorted(int(path.name.removeprefix("step_")) for path in folder.iterdir())


def assert_same_training(first, second):
    (model, history), (other, other_history) = first, second
    for a, b in zip(model.kept_weights(), other.kept_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    pd.testing.assert_frame_equal(history.drop(columns=TIMES), other_history.drop(columns=TIMES), check_exact=True)


def test_model_learns_and_the_history_says_so(images, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        _, history = trained(variant(epochs=6), images, tmp_path)
    assert list(history["epoch"]) == [1, 2, 3, 4, 5, 6]
    assert history["reconstruction_loss"].iloc[-1] < 0.9 * history["reconstruction_loss"].iloc[0]
    np.testing.assert_allclose(history["total_loss"], history["reconstruction_loss"] + history["kl_loss"], rtol=1e-5)
    np.testing.assert_allclose(history["kl_loss"], 5 * history["kl"], rtol=1e-5)
    assert history["data_wait_share"].between(0, 1).all()
    assert history[["validation_total_loss", "seconds", "images_per_second"]].notna().all(axis=None)
    lines = [line for line in caplog.messages if line.startswith("small epoch")]
    assert len(lines) == 6
    assert all(f"{word} " in lines[0] for word in ("total_loss", "reconstruction_loss", "kl_loss"))
    assert "% of the total" in lines[0]
    assert "images/s" in lines[0]
    assert lines[0].endswith("left")


EVERYTHING = {
    "layers": {"dropout": 0.2},
    "horizontal_flips": True,
    "gradient_clip_norm": 50.0,
    "ema_momentum": 0.9,
    "kl_schedule": {"name": "linear_warm_up", "epochs": 3},
    "learning_rate_schedule": {"name": "cosine", "epochs": 4},
}


@pytest.mark.parametrize(
    ("options", "precision"),
    [({}, "float32"), ({"model": "ae"}, "mixed_bfloat16"), (EVERYTHING, "mixed_float16")],
    ids=["vae", "ae", "everything"],
)
def test_training_in_two_parts_gives_what_it_gives_at_once_to_the_bit(images, tmp_path, options, precision):
    at_once = trained(variant(**options), images, tmp_path / "once", precision=precision)
    trained(variant(epochs=2, **options), images, tmp_path / "parts", precision=precision)
    in_parts = trained(variant(**options), images, tmp_path / "parts", precision=precision)
    assert_same_training(at_once, in_parts)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_within_an_epoch_saves_and_nothing_is_lost_or_done_twice(images, tmp_path, number, caplog):
    uninterrupted = trained(variant(), images, tmp_path / "once")

    class Interrupted(np.ndarray):
        """Images whose ninth batch comes with a signal."""

        batches = 0

        def __getitem__(self, rows):
            if isinstance(rows, np.ndarray):
                Interrupted.batches += 1
                if Interrupted.batches == 9:
                    os.kill(os.getpid(), number)
            return super().__getitem__(rows)

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), caplog.at_level(logging.INFO):
        trained(variant(), images.view(Interrupted), tmp_path / "stopped")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    # batches are read ahead of the steps
    (stopped_at,) = [step for step in steps_kept(tmp_path / "stopped") if step % 5]
    assert 5 < stopped_at < 10
    assert f"stopped after step {stopped_at}, in epoch 2 of 4" in caplog.text
    assert_same_training(uninterrupted, trained(variant(), images, tmp_path / "stopped"))


def test_checkpoints_come_after_steps_and_epochs_and_the_last_are_kept(images, tmp_path):
    trained(variant(epochs=2, checkpoint_steps=2, keep_checkpoints=3), images, tmp_path)
    # five steps an epoch: 2, 4, 5, 6, 8, 10
    assert steps_kept(tmp_path) == [6, 8, 10]
    trained(variant(epochs=4, checkpoint_steps=None, keep_checkpoints=1), images, tmp_path)
    # those of a finished training stay
    assert steps_kept(tmp_path) == [10, 20]


def test_fewer_epochs_than_trained_give_what_they_gave(images, tmp_path):
    two = trained(variant(epochs=2), images, tmp_path)
    trained(variant(epochs=3), images, tmp_path)
    assert_same_training(two, trained(variant(epochs=2), images, tmp_path))


def test_best_weights_are_those_of_the_lowest_validation_loss(images, tmp_path):
    # so high a learning rate that the validation loss goes up and down
    options = {"learning_rate": 0.05, "epochs": 6}
    _, history = trained(variant(**options), images, tmp_path / "all")
    best_epoch = int(history["validation_total_loss"].argmin()) + 1
    assert best_epoch < 6
    model, _ = trained(variant(**{**options, "epochs": best_epoch}), images, tmp_path / "until_best")
    checkpoints = Checkpoints(tmp_path / "all")
    checkpoints.restore(model_of_six := trained(variant(**options), images, tmp_path / "all")[0], 30)
    best = checkpoints.best_weights()
    for weight, expected in zip(best, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert not all(np.array_equal(*pair) for pair in zip(best, model_of_six.get_weights(), strict=True))


def test_early_stopping_ends_after_so_many_epochs_without_a_better_one(images, tmp_path, caplog):
    options = {"learning_rate": 0.05, "epochs": 12}
    _, history = trained(variant(**options), images, tmp_path / "all")
    losses = history["validation_total_loss"]
    stop = next(i for i in range(2, 12) if losses[: i + 1].argmin() == i - 2) + 1
    with caplog.at_level(logging.INFO):
        stopped = trained(variant(**options, early_stopping_patience=2), images, tmp_path / "early")
    assert len(stopped[1]) == stop < 12
    assert (
        "small stopped early: 2 epochs without a lower validation_total_loss (early_stopping_patience)" in caplog.text
    )
    # again: it stays finished, and says why; without patience it goes on
    caplog.clear()
    with caplog.at_level(logging.INFO):
        again = trained(variant(**options, early_stopping_patience=2), images, tmp_path / "early")
    assert_same_training(stopped, again)
    assert f"its training of {stop} epochs, which stopped early: 2 epochs without" in caplog.text
    _, longer = trained(variant(**options), images, tmp_path / "early")
    np.testing.assert_array_equal(longer["validation_total_loss"], losses)


def test_learning_rate_and_kl_weight_follow_their_schedules(images, tmp_path):
    options = {
        "learning_rate_schedule": {"name": "step", "every": 1, "factor": 0.5},
        "kl_schedule": {"name": "linear_warm_up", "epochs": 1000},
    }
    _, history = trained(variant(**options, epochs=3), images, tmp_path)
    # noted at an epoch's end, when the next begins
    np.testing.assert_allclose(history["learning_rate"], [1e-3, 5e-4, 2.5e-4], rtol=1e-6)
    # at most 5 * (3 epochs of 1000) in training; validation has the whole weight
    assert (history["kl_loss"] <= 5 * 0.003 * history["kl"] * 1.0001).all()
    np.testing.assert_allclose(history["validation_kl_loss"], 5 * history["validation_kl"], rtol=1e-5)


def test_clipped_gradients_keep_the_weights_where_they_were(images, tmp_path):
    model = trainer(variant(gradient_clip_norm=1e-3), images).model
    model.compile(optimizer=SGD(1.0, global_clipnorm=model.optimizer.global_clipnorm))
    before = [np.asarray(weight) for weight in model.trainable_weights]
    model.train_step(images[:32])
    change = [np.asarray(weight) - old for weight, old in zip(model.trainable_weights, before, strict=True)]
    assert np.sqrt(sum((each**2).sum() for each in change)) == pytest.approx(1e-3, rel=1e-3)


def test_moving_average_is_what_is_validated_and_kept(images, tmp_path):
    # a bias before batch normalisation has a gradient of rounding errors only, which Adam makes large
    options = {"epochs": 1, "batch_size": 80, "layers": {"batch_normalization": False}}
    model = trainer(variant(**options), images).model
    after = []
    for _, batch in zip(range(2), training_batches(images[:160], 80, 42), strict=False):
        model.train_step(batch)
        after.append([np.asarray(weight) for weight in model.trainable_weights])

    averaged, history = trained(variant(**options, ema_momentum=0.25), images, tmp_path)
    with averaged.averaged_weights():
        for weight, first, second in zip(averaged.trainable_weights, *after, strict=True):
            np.testing.assert_allclose(weight, 0.25 * first + 0.75 * second, rtol=1e-3, atol=1e-5)
        averaged.reset_metrics()
        losses = averaged.test_step(images[160:])
    assert float(losses["total_loss"]) == pytest.approx(history["validation_total_loss"][0], rel=1e-5)
    for weight, second in zip(averaged.trainable_weights, after[1], strict=True):
        np.testing.assert_allclose(weight, second, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("length", [1000, 0])
def test_damaged_checkpoint_is_named_with_what_to_do(images, tmp_path, length):
    trained(variant(epochs=1), images, tmp_path)
    damaged = tmp_path / "step_00000005/training.npz"
    damaged.write_bytes(damaged.read_bytes()[:length])
    with pytest.raises(DataError, match=r"step_00000005 is damaged.*Delete this folder"):
        trained(variant(epochs=2), images, tmp_path)


def test_loss_that_is_not_finite_stops_with_advice_and_keeps_the_checkpoint(images, tmp_path):
    trained(variant(epochs=1), images, tmp_path)
    with pytest.raises(
        SettingError,
        match=r"small stopped at step 6: kl_loss is inf\. The checkpoint after step 5 is kept\..*lower learning_rate or"
        r" kl_weight.*variants\.small\.fresh=true",
    ):
        trained(variant(kl_weight=1e38), images, tmp_path)
    assert steps_kept(tmp_path) == [5]


def test_every_loss_that_is_not_finite_is_named_with_its_advice(images, tmp_path):
    with pytest.raises(SettingError) as stopped:
        trained(variant(learning_rate=1e30), images, tmp_path)
    message = str(stopped.value)
    assert re.search(r"kl_loss is (inf|nan) and reconstruction_loss is nan\. There is no checkpoint yet\.", message)
    assert re.search(r"for kl_loss lower .* kl_weight, .*for reconstruction_loss lower .* precision", message)
    assert not steps_kept(tmp_path)


def test_weights_that_are_not_finite_are_never_saved(images, tmp_path):
    model, _ = trained(variant(epochs=1), images, tmp_path)
    model.trainable_weights[0].assign(np.full(model.trainable_weights[0].shape, np.nan))
    with pytest.raises(SettingError, match=r"After step 7 .*not finite.*learning_rate"):
        Checkpoints(tmp_path).save(model, Progress(step=7))
    assert steps_kept(tmp_path) == [5]


def test_weights_trained_in_mixed_precision_are_handed_on_in_float32(images, tmp_path):
    training, checkpoints = trainer(variant(epochs=1), images, precision="mixed_bfloat16"), Checkpoints(tmp_path)
    training.train(checkpoints)
    encoder, decoder = training.inference_models(checkpoints)
    policies = {layer.dtype_policy.name for part in (encoder, decoder) for layer in part.layers}
    assert policies == {"float32"}
    x = images[:8].astype(np.float32) / 255
    np.testing.assert_allclose(encoder(x)[0], training.model.encoder(x, training=False)[0], rtol=0.1, atol=0.05)


def test_mixed_float16_learns_with_a_scaled_loss(images, tmp_path):
    model, history = trained(variant(epochs=3, batch_size=16), images[:180], tmp_path, precision="mixed_float16")
    assert type(model.optimizer).__name__ == "LossScaleOptimizer"
    assert history["total_loss"].iloc[-1] < history["total_loss"].iloc[0]


def test_plain_autoencoder_has_no_kl(images, tmp_path):
    model, history = trained(variant(model="ae", epochs=1), images, tmp_path)
    assert "kl_loss" not in history
    assert len(model.encoder.outputs) == 1


def test_training_without_validation_images_works(images, tmp_path):
    _, history = trained(variant(epochs=1), images, tmp_path, validation=0)
    assert "validation_total_loss" not in history


def test_settings_without_effect_for_want_of_validation_images_are_named(images, tmp_path, caplog):
    patient = variant(epochs=2, early_stopping_patience=1, use_weights="best")
    for _ in range(2):
        caplog.clear()
        _, history = trained(patient, images, tmp_path, validation=0)
        assert len(history) == 2
        assert "small: early_stopping_patience is 1, but without validation images all 2 epochs" in caplog.text
        assert "small: use_weights is best, but without validation images the last weights are used" in caplog.text
    caplog.clear()
    trained(patient, images, tmp_path / "with", validation=40)
    assert "without validation images" not in caplog.text
    assert Checkpoints(tmp_path).best_weights() is None


def test_training_runs_compiled_by_xla(images, tmp_path):
    model, history = trained(variant(epochs=1), images, tmp_path, xla=True)
    _, plain = trained(variant(epochs=1), images, tmp_path / "plain")
    assert int(model.step) == 5
    assert history["total_loss"][0] == pytest.approx(plain["total_loss"][0], rel=1e-3)

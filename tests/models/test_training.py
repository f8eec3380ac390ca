"""Training a small network on real steps: it learns, goes on where it stopped, and keeps what was good."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from celeba_vae.config import VariantConfig
from celeba_vae.errors import DataError, SettingError
from celeba_vae.models.checkpoints import Checkpoints
from celeba_vae.models.decoders import ConvTransposeDecoder
from celeba_vae.models.encoders import ConvEncoder
from celeba_vae.models.losses import BinaryCrossEntropy
from celeba_vae.models.training import (
    build_autoencoder,
    compile_autoencoder,
    inference_models,
    memory_estimate,
    train,
)

SHAPE = (16, 16, 3)
LAYERS = {"kernel_sizes": (3, 3), "strides": (2, 2)}


@pytest.fixture(scope="module")
def images():
    """Discs of many colours, sizes and places on a black ground."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:16, :16]
    centre, radius = random.uniform(4, 12, (2, 200, 1, 1)), random.uniform(2, 6, (200, 1, 1))
    inside = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
    return np.where(inside[..., None], random.integers(0, 256, (200, 1, 1, 3)), 0).astype(np.uint8)


def variant(**options):
    options = {"name": "small", "latent_dim": 8, "epochs": 4, "batch_size": 32, "learning_rate": 2e-3, **options}
    return VariantConfig(**options)


def built(variant, precision="float32"):
    return build_autoencoder(
        variant,
        encoder=ConvEncoder(filters=(8, 16), **LAYERS),
        decoder=ConvTransposeDecoder(filters=(8, 3), start_filters=16, **LAYERS),
        reconstruction_loss=BinaryCrossEntropy(),
        image_shape=SHAPE,
        precision=precision,
    )


def trained(variant, images, folder, precision="float32"):
    model = built(variant, precision)
    compile_autoencoder(model, variant.learning_rate, precision, xla=False)
    history = train(model, variant, images[:160], images[160:], Checkpoints(folder))
    return model, history


def test_model_learns_and_the_history_says_so(images, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        _, history = trained(variant(epochs=6), images, tmp_path)
    assert list(history["epoch"]) == [1, 2, 3, 4, 5, 6]
    assert history["reconstruction_loss"].iloc[-1] < 0.9 * history["reconstruction_loss"].iloc[0]
    np.testing.assert_allclose(history["total_loss"], history["reconstruction_loss"] + history["kl_loss"], rtol=1e-5)
    np.testing.assert_allclose(history["kl_loss"], 5 * history["kl"], rtol=1e-5)
    assert history[["validation_total_loss", "seconds", "images_per_second"]].notna().all(axis=None)
    lines = [line for line in caplog.messages if line.startswith("small epoch")]
    assert len(lines) == 6
    assert all(f"{word} " in lines[0] for word in ("total_loss", "reconstruction_loss", "kl_loss"))
    assert "% of the total" in lines[0]
    assert "images/s" in lines[0]
    assert lines[0].endswith("left")


def test_training_in_two_parts_gives_what_it_gives_at_once(images, tmp_path):
    at_once, history = trained(variant(layers={"dropout": 0.2}), images, tmp_path / "once")
    trained(variant(layers={"dropout": 0.2}, epochs=2), images, tmp_path / "parts")
    in_parts, history_in_parts = trained(variant(layers={"dropout": 0.2}), images, tmp_path / "parts")
    for a, b in zip(at_once.get_weights(), in_parts.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(history["total_loss"], history_in_parts["total_loss"], rtol=1e-5)
    # both ends of a training are kept, nothing in between
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == ["epoch_0002", "epoch_0004"]


def test_fewer_epochs_than_trained_give_what_they_gave(images, tmp_path):
    two, history = trained(variant(epochs=2), images, tmp_path)
    trained(variant(epochs=3), images, tmp_path)
    again, history_again = trained(variant(epochs=2), images, tmp_path)
    for a, b in zip(two.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(history["total_loss"], history_again["total_loss"])


@pytest.mark.parametrize("file", ["state.npz", "history.csv"])
def test_damaged_checkpoint_is_named_with_what_to_do(images, tmp_path, file):
    trained(variant(epochs=1), images, tmp_path)
    damaged = tmp_path / "epoch_0001" / file
    damaged.write_bytes(damaged.read_bytes()[:1000] if file == "state.npz" else b"")
    with pytest.raises(DataError, match=r"epoch_0001 is damaged.*Delete this folder"):
        trained(variant(epochs=2), images, tmp_path)


def test_loss_that_is_not_finite_stops_with_advice_and_keeps_the_checkpoint(images, tmp_path):
    trained(variant(epochs=1), images, tmp_path)
    with pytest.raises(
        SettingError, match=r"small stopped at step 1 .*kl_loss is inf.*lower learning_rate or kl_weight"
    ):
        trained(variant(kl_weight=1e38), images, tmp_path)
    assert Checkpoints(tmp_path).newest(4) == 1


def test_weights_trained_in_mixed_precision_are_handed_on_in_float32(images, tmp_path):
    model, _ = trained(variant(epochs=1), images, tmp_path, precision="mixed_bfloat16")
    encoder, decoder = inference_models(model, built(variant()))
    policies = {layer.dtype_policy.name for part in (encoder, decoder) for layer in part.layers}
    assert policies == {"float32"}
    x = images[:8].astype(np.float32) / 255
    np.testing.assert_allclose(encoder(x)[0], model.encoder(x, training=False)[0], rtol=0.1, atol=0.05)


def test_mixed_float16_learns_with_a_scaled_loss(images, tmp_path):
    model, history = trained(variant(epochs=3, batch_size=16), images[:180], tmp_path, precision="mixed_float16")
    assert type(model.optimizer).__name__ == "LossScaleOptimizer"
    assert history["total_loss"].iloc[-1] < history["total_loss"].iloc[0]


def test_plain_autoencoder_has_no_kl(images, tmp_path):
    model, history = trained(variant(model="ae", epochs=1), images, tmp_path)
    assert "kl_loss" not in history
    assert len(model.encoder.outputs) == 1


def test_training_without_validation_images_works(images, tmp_path):
    model = built(variant(epochs=1))
    compile_autoencoder(model, 1e-3, "float32", xla=False)
    history = train(model, variant(epochs=1), images[:40], images[:0], Checkpoints(tmp_path))
    assert "validation_total_loss" not in history


def test_memory_estimate_counts_bytes():
    model = built(variant())
    weights = sum(w.size for w in model.get_weights())
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    memory = memory_estimate(model, batch_size=10)
    assert memory["weights"] == pytest.approx(4 * weights / 2**20)
    assert memory["optimizer"] == pytest.approx(3 * 4 * trainable / 2**20)
    assert memory["activations"] == pytest.approx(memory_estimate(model, batch_size=5)["activations"] * 2)
    # at least the outputs of the first convolution, its normalisation and its activation, float32
    assert memory["activations"] * 2**20 > 3 * 10 * 8 * 8 * 8 * 4


def test_gradient_tape_step_runs_compiled_by_xla(images):
    model = built(variant())
    compile_autoencoder(model, 1e-3, "float32", xla=True)
    model.fit(tf.data.Dataset.from_tensor_slices(images[:64]).batch(32), verbose=0)
    assert int(model.step) == 2

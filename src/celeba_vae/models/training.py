"""Training an autoencoder: to the last epoch, from wherever its newest checkpoint stands."""

import logging
import math
import time
from typing import Any

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from celeba_vae.config import VariantConfig
from celeba_vae.errors import SettingError
from celeba_vae.models.autoencoders import VAE, Autoencoder
from celeba_vae.models.batches import training_batches, validation_batches
from celeba_vae.models.checkpoints import Checkpoints
from celeba_vae.models.optimizers import FusedAdam

logger = logging.getLogger(__name__)

STEPS_BEFORE_ESTIMATE = 10


def build_autoencoder(
    variant: VariantConfig,
    encoder: Any,
    decoder: Any,
    reconstruction_loss: Any,
    image_shape: tuple[int, int, int],
    precision: str,
) -> Autoencoder:
    """Build a variant's model, not compiled.

    Args:
        variant: The variant's parameters.
        encoder: Encoder component.
        decoder: Decoder component.
        reconstruction_loss: Loss component.
        image_shape: (height, width, channels).
        precision: Keras dtype policy: float32, mixed_bfloat16 or mixed_float16.
    """
    variational = variant.model == "vae"
    parts = {
        "encoder": encoder.build(
            image_shape,
            variant.latent_dim,
            outputs=("mu", "logvar") if variational else ("z",),
            layers=variant.layers,
            precision=precision,
            seed=variant.seed,
        ),
        "decoder": decoder.build(
            image_shape,
            variant.latent_dim,
            layers=variant.layers,
            precision=precision,
            seed=variant.seed + 1,
        ),
        "reconstruction_loss": reconstruction_loss,
    }
    return VAE(**parts, kl_weight=variant.kl_weight, seed=variant.seed) if variational else Autoencoder(**parts)


def compile_autoencoder(model: Autoencoder, learning_rate: float, precision: str, xla: bool) -> None:
    """Give the model its optimizer: Adam, with loss scaling in mixed_float16."""
    optimizer = FusedAdam(learning_rate)
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer=optimizer, jit_compile=xla)


def train(
    model: Autoencoder,
    variant: VariantConfig,
    train_images: np.ndarray,
    validation_images: np.ndarray,
    checkpoints: Checkpoints,
) -> pd.DataFrame:
    """Train a compiled model up to ``variant.epochs``, going on from the newest checkpoint; save one after each epoch.

    A training that has gone so far already is handed on.

    Args:
        model: Built and compiled.
        variant: The variant's parameters.
        train_images: (n, h, w, c) uint8.
        validation_images: (m, h, w, c) uint8; none at all are allowed.
        checkpoints: Where the state is kept.

    Returns:
        The history, a row an epoch: ``epoch``, each loss, each loss of the validation images as ``validation_…``,
        ``seconds`` and ``images_per_second``.

    Raises:
        SettingError: a loss is not finite.
        DataError: the checkpoint is damaged.
    """
    done = checkpoints.newest(variant.epochs)
    history = checkpoints.restore(model, done) if done else pd.DataFrame()
    if done == variant.epochs:
        return history
    progress = _Progress(variant, len(train_images), history, checkpoints)
    model.fit(
        training_batches(train_images, variant.batch_size, variant.seed, first_epoch=done),
        steps_per_epoch=math.ceil(len(train_images) / variant.batch_size),
        initial_epoch=done,
        epochs=variant.epochs,
        validation_data=validation_batches(validation_images, variant.batch_size) if len(validation_images) else None,
        shuffle=False,
        callbacks=[progress],
        verbose=0,
    )
    return progress.history


class _Progress(keras.callbacks.Callback):
    """Shows a bar on a terminal and a log line an epoch, keeps the history, and saves a checkpoint after each epoch."""

    def __init__(
        self, variant: VariantConfig, image_count: int, history: pd.DataFrame, checkpoints: Checkpoints
    ) -> None:
        super().__init__()
        self.variant = variant
        self.image_count = image_count
        self.history = history
        self.checkpoints = checkpoints
        self.steps = math.ceil(image_count / variant.batch_size)
        self.step_seconds: list[float] = []

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.first_epoch = len(self.history)
        self.began = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epoch_began = self.step_ended = time.perf_counter()
        self.bar = tqdm(
            total=self.image_count,
            desc=f"{self.variant.name} {epoch + 1}/{self.variant.epochs}",
            unit=" images",
            unit_scale=True,
            disable=None,
            leave=False,
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        now = time.perf_counter()
        _stop_unless_finite(logs, self.variant, f"step {batch + 1}")
        self.bar.update(min(self.variant.batch_size, self.image_count - self.bar.n))
        self.bar.set_postfix_str(_losses_text(logs), refresh=False)
        if len(self.step_seconds) < STEPS_BEFORE_ESTIMATE:
            self.step_seconds.append(now - self.step_ended)
            if len(self.step_seconds) == STEPS_BEFORE_ESTIMATE:
                seconds = float(np.median(self.step_seconds)) * self.steps * (self.variant.epochs - self.first_epoch)
                logger.info("%s: about %s for all epochs", self.variant.name, _duration(seconds))
        self.step_ended = now

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        self.train_seconds = time.perf_counter() - self.epoch_began

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.bar.close()
        seconds = time.perf_counter() - self.epoch_began
        images_per_second = self.image_count / getattr(self, "train_seconds", seconds)
        losses = {name.replace("val_", "validation_"): value for name, value in logs.items()}
        row = {"epoch": epoch + 1, **losses, "seconds": seconds, "images_per_second": images_per_second}
        self.history = pd.concat([self.history, pd.DataFrame([row])], ignore_index=True)
        self.checkpoints.save(self.model, epoch + 1, self.history, finished=epoch + 1 == self.variant.epochs)
        elapsed = time.perf_counter() - self.began
        left = elapsed / (epoch + 1 - self.first_epoch) * (self.variant.epochs - epoch - 1)
        logger.info(
            "%s epoch %d/%d: %s, %.0f images/s, %s left",
            self.variant.name,
            epoch + 1,
            self.variant.epochs,
            _losses_text(logs),
            images_per_second,
            _duration(left),
        )


def _losses_text(logs: dict[str, float]) -> str:
    """Show the losses, the weighted KL also as a share of the total, the validation images' total last."""
    text = f"total_loss {logs['total_loss']:.1f}, reconstruction_loss {logs['reconstruction_loss']:.1f}"
    if "kl_loss" in logs:
        text += f", kl_loss {logs['kl_loss']:.1f} ({logs['kl_loss'] / logs['total_loss']:.1%} of the total)"
    if "val_total_loss" in logs:
        text += f", validation total_loss {logs['val_total_loss']:.1f}"
    return text


def _stop_unless_finite(logs: dict[str, float], variant: VariantConfig, where: str) -> None:
    advice = {
        "reconstruction_loss": "lower learning_rate, or look at precision in hardware.yml",
        "kl_loss": "lower learning_rate or kl_weight",
    }
    for name, what in advice.items():
        if not math.isfinite(logs.get(name, 0.0)):
            raise SettingError(
                f"Training {variant.name} stopped at {where} of its epoch: {name} is {logs[name]}. The last checkpoint"
                f" is kept. What may help: {what} (learning_rate {variant.learning_rate}, parameters_training.yml)."
            )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def inference_models(model: Autoencoder, float32_model: Autoencoder) -> tuple[Any, Any]:
    """Put a trained model's weights into a float32 model of the same build; give its encoder and decoder."""
    float32_model.set_weights(model.get_weights())
    return float32_model.encoder, float32_model.decoder


def memory_estimate(model: Autoencoder, batch_size: int) -> dict[str, float]:
    """Estimate the memory of a training in MB: ``weights``, ``optimizer`` (with gradients) and ``activations``.

    Adam keeps two moments a weight beside its gradient. Activations are every layer's outputs at this batch size,
    which the gradient needs.
    """
    weights = sum(np.prod(w.shape) for w in model.weights) * 4
    trainable = sum(np.prod(w.shape) for w in model.trainable_weights) * 4
    activations = 0
    for part in (model.encoder, model.decoder):
        for layer in part.layers:
            outputs = layer.output if isinstance(layer.output, list | tuple) else [layer.output]
            value = 4 if layer.compute_dtype == "float32" else 2
            activations += sum(batch_size * int(np.prod(output.shape[1:])) * value for output in outputs)
    return {
        "weights": weights / 2**20,
        "optimizer": 3 * trainable / 2**20,
        "activations": activations / 2**20,
    }

"""Training an autoencoder: to the last epoch, from wherever its newest checkpoint stands."""

import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from tqdm import tqdm

from celeba_vae.config.wording import duration
from celeba_vae.errors import SettingError
from celeba_vae.models.autoencoders import VAE, Autoencoder
from celeba_vae.models.optimizers import FusedAdam, Scheduled
from celeba_vae.training.batches import images_of_step, steps_per_epoch, training_batches, validation_batches
from celeba_vae.training.checkpoints import Checkpoints, NoCheckpoints, Progress, packed_state, unpack_state
from celeba_vae.training.description import describe_training
from celeba_vae.training.distributed.devices import Devices
from celeba_vae.training.recipe import Recipe

logger = logging.getLogger(__name__)

STEPS_BEFORE_ESTIMATE = 10
VALIDATION_LOSS = "validation_total_loss"
_ADVICE = {
    "kl_loss": "lower learning_rate or kl_weight, or set gradient_clip_norm",
    "reconstruction_loss": "lower learning_rate, set gradient_clip_norm, or look at precision in hardware.yml",
}


def build_autoencoder(
    recipe: Recipe, image_shape: tuple[int, int, int], precision: str, epoch_steps: int = 1
) -> Autoencoder:
    """Build a variant's model, not compiled.

    Args:
        recipe: The variant's parameters and components.
        image_shape: (height, width, channels).
        precision: Keras dtype policy: float32, mixed_bfloat16 or mixed_float16.
        epoch_steps: Training steps of an epoch, by which the KL weight's schedule goes.
    """
    variant = recipe.variant
    variational = variant.model == "vae"
    parts = {
        "encoder": recipe.encoder.build(
            image_shape,
            variant.latent_dim,
            outputs=("mu", "logvar") if variational else ("z",),
            layers=variant.layers,
            precision=precision,
            seed=variant.seed,
        ),
        "decoder": recipe.decoder.build(
            image_shape,
            variant.latent_dim,
            layers=variant.layers,
            precision=precision,
            seed=variant.seed + 1,
        ),
        "reconstruction_loss": recipe.reconstruction_loss,
    }
    if not variational:
        return Autoencoder(**parts)
    return VAE(
        **parts,
        kl_weight=variant.kl_weight,
        seed=variant.seed,
        kl_factor=lambda step: recipe.kl_schedule(tf.cast(step, tf.float32) / epoch_steps),
        free_bits=variant.free_bits,
        kl_by_add_loss=variant.kl_term == "add_loss",
    )


def compile_autoencoder(model: Autoencoder, recipe: Recipe, precision: str, epoch_steps: int = 1) -> None:
    """Give the model its optimizer: Adam as the variant says, with loss scaling in mixed_float16."""
    variant = recipe.variant
    optimizer = FusedAdam(
        Scheduled(variant.learning_rate, recipe.learning_rate_schedule, epoch_steps),
        global_clipnorm=variant.gradient_clip_norm,
        use_ema=variant.ema_momentum is not None,
        ema_momentum=variant.ema_momentum or 0.0,
    )
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    # replicas can't make its variables within a step
    optimizer.build(model.trainable_weights)
    model.compile(optimizer=optimizer)


def train(
    model: Autoencoder,
    recipe: Recipe,
    train_images: np.ndarray,
    validation_images: np.ndarray,
    checkpoints: Checkpoints | NoCheckpoints,
    xla: bool = False,
    on_epoch_end: Callable[[int, Mapping[str, float], bool], None] | None = None,
    devices: Devices | None = None,
) -> pd.DataFrame:
    """Train a compiled model up to the variant's epochs, going on from the newest checkpoint.

    A training that has gone so far already is handed on. Ctrl-C and SIGTERM are answered after the step under way: by a
    checkpoint, then by KeyboardInterrupt. Of several processes that train together, all stop after the same step.

    Args:
        model: Built and compiled with the same recipe, in the ``scope`` of ``devices``.
        recipe: The variant's parameters and components.
        train_images: (n, h, w, c) uint8.
        validation_images: (m, h, w, c) uint8; none at all are allowed.
        checkpoints: Where the state is kept; by the chief, of several processes.
        xla: Compile the steps with XLA.
        on_epoch_end: Called with the epochs done, the history's new row, and whether the training ends there, before
            the epoch's checkpoint is saved; the model has the weights that are worth keeping.
        devices: What to train on; None: one device.

    Returns:
        The history, a row an epoch: ``epoch``, each loss, each loss of the validation images as ``validation_…``,
        ``learning_rate`` at its end, ``seconds``, ``images_per_second`` and ``data_wait_share``, the part of the steps'
        time in which they waited for images.

    Raises:
        SettingError: a loss or a weight is not finite.
        DataError: the checkpoint is damaged.
        CelebaVaeError: a process that trains together with this one is lost.
    """
    devices = devices or Devices(xla)
    return _Training(model, recipe, train_images, validation_images, checkpoints, xla, on_epoch_end, devices).run()


class _Training:
    """One call of ``train``: what its parts share."""

    def __init__(
        self,
        model: Autoencoder,
        recipe: Recipe,
        train_images: np.ndarray,
        validation_images: np.ndarray,
        checkpoints: Checkpoints | NoCheckpoints,
        xla: bool,
        on_epoch_end: Callable[[int, Mapping[str, float], bool], None] | None,
        devices: Devices,
    ) -> None:
        self.model = model
        self.recipe = recipe
        self.variant = recipe.variant
        self.train_images = train_images
        self.validation_images = validation_images
        self.checkpoints = checkpoints
        self.on_epoch_end = on_epoch_end
        self.devices = devices
        self.epoch_steps = steps_per_epoch(len(train_images), self.variant.batch_size)
        self.all_steps = self.variant.epochs * self.epoch_steps
        self.train_step = devices.compile(model.train_step, train_images.shape[1:])
        self.test_step = devices.compile(model.test_step, train_images.shape[1:])

    def run(self) -> pd.DataFrame:
        self.progress = self._take_up()
        done = self.progress.step
        self._say_where_it_stands()
        if self._is_finished():
            return self.progress.history
        describe_training(self.recipe, self.model)
        self.remaining = _RemainingTime(self.variant.name, self.all_steps - done)
        self.batches = iter(
            training_batches(
                self.train_images,
                self.variant.batch_size,
                self.variant.seed,
                first_step=done,
                horizontal_flips=self.variant.horizontal_flips,
                rows=self.devices.rows,
            )
        )
        try:
            with _stop_requests() as stop_requested:
                self._take_all_steps(stop_requested)
        finally:
            # an error's traceback would keep it until Python ends, when TensorFlow can't finalize it without complaint
            del self.batches
        return self.progress.history

    def _take_up(self) -> Progress:
        """Restore the newest checkpoint, if there is one, in all processes that train together."""
        done = self.checkpoints.newest(self.all_steps)
        progress = self.checkpoints.restore(self.model, done) if done else Progress()
        state = self.devices.from_chief(lambda: packed_state(self.model, progress))
        return unpack_state(state, self.model) if state else progress

    def _take_all_steps(self, stop_requested: Callable[[], bool]) -> None:
        while not self._is_finished():
            self._take_steps(stop_requested)
            if self.progress.step % self.epoch_steps == 0:
                self._end_epoch()
            else:
                self.checkpoints.save(self.model, self.progress)
            if self.stopping or self.devices.any_process(stop_requested()):
                self._stop()

    def _say_where_it_stands(self) -> None:
        name, progress = self.variant.name, self.progress
        if self._is_finished():
            anew = f"anew: --params variants.{name}.fresh=true"
            logger.info(
                "%s: nothing has changed since its training of %d epochs%s; the finished models are handed on (%s)",
                name,
                len(progress.history),
                "" if progress.step == self.all_steps else f", which {self._why_it_stopped_early()}",
                f"{anew} once a run has come to its end" if self.variant.fresh else anew,
            )
        elif progress.step:
            done = progress.step / self.epoch_steps
            logger.info("%s: training goes on after epoch %.4g of %d", name, done, self.variant.epochs)

    def _is_finished(self) -> bool:
        history = self.progress.history
        at_epoch_end = self.progress.step == len(history) * self.epoch_steps
        return self.progress.step == self.all_steps or (
            at_epoch_end and _stops_early(history, self.variant.early_stopping_patience)
        )

    def _why_it_stopped_early(self) -> str:
        patience = self.variant.early_stopping_patience
        return f"stopped early: {patience} epochs without a lower {VALIDATION_LOSS} (early_stopping_patience)"

    def _take_steps(self, stop_requested: Callable[[], bool]) -> None:
        """Train until a checkpoint is due: at the end of the epoch, after some steps, or when asked to stop."""
        progress = self.progress
        every = self.variant.checkpoint_steps or self.epoch_steps
        with self._bar() as bar:
            while True:
                began = time.perf_counter()
                images = next(self.batches)
                waited = time.perf_counter() - began
                count = images_of_step(len(self.train_images), self.variant.batch_size, progress.step)
                self.losses, self.stopping = self.train_step(images, count, stop_requested)
                seconds = time.perf_counter() - began
                progress.step += 1
                progress.wait_seconds += waited
                progress.epoch_seconds += seconds
                self._stop_unless_finite()
                self.remaining.step_ended(seconds)
                bar.set_postfix_str(_losses_text(self.losses), refresh=False)
                bar.update(count)
                if progress.step % self.epoch_steps == 0 or progress.step % every == 0 or self.stopping:
                    return

    def _end_epoch(self) -> None:
        """Validate, add a row to the history, and save a checkpoint."""
        step, history = self.progress.step, self.progress.history
        row = {
            "epoch": step // self.epoch_steps,
            **self.losses,
            **self._validation_losses(),
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": self.progress.epoch_seconds,
            "images_per_second": len(self.train_images) / self.progress.epoch_seconds,
            "data_wait_share": self.progress.wait_seconds / self.progress.epoch_seconds,
        }
        best = VALIDATION_LOSS in row and (history.empty or row[VALIDATION_LOSS] < history[VALIDATION_LOSS].min())
        self.progress = Progress(step, pd.concat([history, pd.DataFrame([row])], ignore_index=True))
        if self.on_epoch_end:
            with self.model.averaged_weights():
                self.on_epoch_end(row["epoch"], row, self._is_finished())
        self.checkpoints.save(self.model, self.progress, finished=self._is_finished(), best=best)
        logger.info(
            "%s epoch %d/%d: %s%s, %.0f images/s, %s left",
            self.variant.name,
            row["epoch"],
            self.variant.epochs,
            _losses_text(row),
            " (the best so far)" if best else "",
            row["images_per_second"],
            duration(self.remaining.seconds()),
        )
        if step < self.all_steps and self._is_finished():
            logger.info("%s %s", self.variant.name, self._why_it_stopped_early())

    def _validation_losses(self) -> dict[str, float]:
        """Compute the losses of the validation images with the weights that are worth keeping; leave the means at 0."""
        self.model.reset_metrics()
        losses: Mapping[str, float] = {}
        size, count = self.variant.batch_size, len(self.validation_images)
        with self.model.averaged_weights():
            for step, images in enumerate(validation_batches(self.validation_images, size, self.devices.rows)):
                losses, _ = self.test_step(images, images_of_step(count, size, step), lambda: False)
        self.model.reset_metrics()
        return {f"validation_{name}": loss for name, loss in losses.items()}

    def _stop_unless_finite(self) -> None:
        values = {name: self.losses.get(name, 0.0) for name in _ADVICE}
        # an infinite one is the cause where the other is NaN
        bad = sorted(
            (name for name in values if not math.isfinite(values[name])), key=lambda name: math.isnan(values[name])
        )
        if not bad:
            return
        kept = self.checkpoints.newest(self.all_steps)
        raise SettingError(
            f"Training {self.variant.name} stopped at step {self.progress.step}:"
            f" {' and '.join(f'{name} is {values[name]}' for name in bad)}."
            f" {f'The checkpoint after step {kept} is kept.' if kept else 'There is no checkpoint yet.'}"
            f" What may help: {'; '.join(f'for {name} {_ADVICE[name]}' for name in bad)}"
            f" (learning_rate is {self.variant.learning_rate:g}; parameters_training.yml). With such a setting changed"
            f" the training starts anew: add --params variants.{self.variant.name}.fresh=true."
        )

    def _stop(self) -> None:
        logger.info(
            "%s stopped after step %d, in epoch %d of %d; all of it is saved, and the same command goes on there",
            self.variant.name,
            self.progress.step,
            min(self.progress.step // self.epoch_steps + 1, self.variant.epochs),
            self.variant.epochs,
        )
        raise KeyboardInterrupt

    def _bar(self) -> Any:
        epoch, step = divmod(self.progress.step, self.epoch_steps)
        return tqdm(
            total=len(self.train_images),
            initial=step * self.variant.batch_size,
            desc=f"{self.variant.name} {epoch + 1}/{self.variant.epochs}",
            unit=" images",
            unit_scale=True,
            disable=None,
            leave=False,
        )


class _RemainingTime:
    """Estimates how long a training still takes; logs it once, after a few steps."""

    def __init__(self, name: str, steps: int) -> None:
        self.name = name
        self.steps_left = steps
        self.first_seconds: list[float] = []
        self.steps_taken = 0
        self.began = time.perf_counter()

    def step_ended(self, seconds: float) -> None:
        self.steps_left -= 1
        self.steps_taken += 1
        if len(self.first_seconds) < STEPS_BEFORE_ESTIMATE:
            self.first_seconds.append(seconds)
            if len(self.first_seconds) == STEPS_BEFORE_ESTIMATE:
                # the first steps, which also build the graph, are no measure
                estimate = float(np.median(self.first_seconds)) * self.steps_left
                logger.info("%s: about %s for all epochs", self.name, duration(estimate))

    def seconds(self) -> float:
        """Estimate from all that this process has done, validation and checkpoints included."""
        return (time.perf_counter() - self.began) / self.steps_taken * self.steps_left


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a request, which the function that is given tells of; a second one stops at once."""
    if threading.current_thread() is not threading.main_thread():
        # signals are another thread's, whose process ends it
        yield lambda: False
        return
    requests = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def request(number: int, frame: Any) -> None:
        requests.append(number)
        restore()

    for number in before:
        signal.signal(number, request)
    try:
        yield lambda: bool(requests)
    finally:
        restore()


def _stops_early(history: pd.DataFrame, patience: int | None) -> bool:
    if patience is None or VALIDATION_LOSS not in history:
        return False
    return len(history) - 1 - history[VALIDATION_LOSS].argmin() >= patience


def _losses_text(losses: Mapping[str, float]) -> str:
    """Show the losses, the weighted KL also as a share of the total, the validation images' total last."""
    text = f"total_loss {losses['total_loss']:.1f}, reconstruction_loss {losses['reconstruction_loss']:.1f}"
    if "kl_loss" in losses:
        text += f", kl_loss {losses['kl_loss']:.1f}"
        # a likelihood's negative logarithm may itself be negative: then there is no share
        if losses["reconstruction_loss"] > 0:
            text += f" ({losses['kl_loss'] / losses['total_loss']:.1%} of the total)"
    if VALIDATION_LOSS in losses:
        text += f", validation total_loss {losses[VALIDATION_LOSS]:.1f}"
    return text


def inference_models(weights: list[np.ndarray], float32_model: Autoencoder) -> tuple[Any, Any]:
    """Put a trained model's weights into a float32 model of the same build; give its encoder and decoder."""
    float32_model.set_weights(weights)
    return float32_model.encoder, float32_model.decoder

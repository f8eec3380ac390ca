"""Training an autoencoder: to the last epoch, from wherever its newest checkpoint stands."""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from types import FrameType
from typing import Any

import keras
import numpy as np
import pandas as pd

from celeba_vae.config import HardwareConfig
from celeba_vae.config.wording import fresh_parameter
from celeba_vae.errors import DataError, SettingError
from celeba_vae.models.autoencoders import Autoencoder
from celeba_vae.storage.stages import images_content
from celeba_vae.training.batches import images_of_step, steps_per_epoch, training_batches, validation_batches
from celeba_vae.training.building import build_autoencoder, compile_autoencoder
from celeba_vae.training.checkpoints import Checkpoints, Progress, read_state, write_state
from celeba_vae.training.distributed.strategies import training_devices
from celeba_vae.training.machine import effective_precision
from celeba_vae.training.recipe import Recipe
from celeba_vae.training.training_log import TrainingLog, describe_training

OnEpochEnd = Callable[[Autoencoder, Mapping[str, float], bool], None]
_ADVICE = {
    "kl_loss": "lower learning_rate or kl_weight, or set gradient_clip_norm",
    "reconstruction_loss": "lower learning_rate, set gradient_clip_norm, or look at precision in hardware.yml",
}


class Trainer:
    """A variant's training, which builds the model, takes up the newest checkpoint, trains, validates and saves.

    Several processes that train together have a trainer each, made alike. All images are (n, h, w, c) uint8; the first
    ``image_count`` are trained on, and none at all are allowed for validation.

    Raises:
        DataError: there are no training images.
        SettingError: the variant can't be trained on these devices.
        HardwareError: the devices are not there.
    """

    def __init__(
        self, recipe: Recipe, train_images: np.ndarray, validation_images: np.ndarray, hardware: HardwareConfig
    ) -> None:
        if not len(train_images):
            raise DataError("There are no training images: train_images is empty. Look at split and at image_index.")
        self.recipe = recipe
        self.variant = recipe.variant
        self.train_images = train_images[: self.variant.image_count]
        self.validation_images = validation_images
        self.devices = training_devices(hardware)
        self.devices.check(self.variant)
        self.precision = effective_precision(hardware)
        self.epoch_steps = steps_per_epoch(len(self.train_images), self.variant.batch_size)
        self.all_steps = self.variant.epochs * self.epoch_steps
        self.log = TrainingLog(self.variant, len(self.train_images), self.epoch_steps)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        height, width, channels = self.train_images.shape[1:]
        return height, width, channels

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What the weights after a given step depend on."""
        return {
            **self.recipe.identity(),
            "train_images": images_content(self.train_images),
            "validation_images": images_content(self.validation_images),
            "precision": self.precision,
            **self.devices.identity(self.variant),
        }

    @cached_property
    def model(self) -> Autoencoder:
        """The model in training, built when it is first asked for."""
        with self.devices.scope():
            model = build_autoencoder(self.recipe, self.image_shape, self.precision, self.epoch_steps)
            compile_autoencoder(model, self.recipe, self.precision, self.epoch_steps)
        return model

    def train(self, checkpoints: Checkpoints | None, on_epoch_end: OnEpochEnd | None = None) -> pd.DataFrame:
        """Train up to the variant's epochs, going on from the newest checkpoint.

        A training that has gone so far already is handed on. Ctrl-C and SIGTERM are answered after the step under way:
        by a checkpoint, then by KeyboardInterrupt. Of several processes that train together, all stop after the same
        step.

        Args:
            checkpoints: Where the state is kept; None where another process, the chief, does that.
            on_epoch_end: Called with the model, which has the weights that are worth keeping, the history's new row,
                and whether the training ends there, before the epoch's checkpoint is saved.

        Returns:
            The history, a row an epoch: ``epoch``, each loss, each loss of the validation images as ``validation_…``,
            ``learning_rate`` at its end, ``seconds``, ``images_per_second`` and ``data_wait_share``, the part of the
            steps' time in which they waited for images.

        Raises:
            SettingError: a loss or a weight is not finite, or the processes don't train the same.
            DataError: the checkpoint is damaged.
            CelebaVaeError: a process that trains together with this one is lost.
        """
        self.devices.check_same(lambda: self.identity)
        self.checkpoints = checkpoints
        self.on_epoch_end = on_epoch_end
        self.progress = self._take_up()
        self.kept_step = self.progress.step
        if not len(self.validation_images):
            self.log.lacks_validation()
        if self._is_finished():
            self.log.finished_before(self.progress)
        else:
            self._train_to_the_end()
        return self.progress.history

    def inference_models(self, checkpoints: Checkpoints) -> tuple[keras.Model, keras.Model]:
        """Give encoder and decoder, in float32 whatever they were trained in, with the weights of ``use_weights``.

        Raises:
            DataError: the checkpoint that holds the best weights is damaged.
        """
        weights = checkpoints.best_weights() if self.variant.use_weights == "best" else None
        model = build_autoencoder(self.recipe, self.image_shape, precision="float32")
        model.set_weights(self.model.kept_weights() if weights is None else weights)
        return model.encoder, model.decoder

    def _take_up(self) -> Progress:
        """Restore the newest checkpoint, if there is one, in all processes that train together."""
        # all processes build it at the same time, since they exchange its weights
        model = self.model
        progress = self.checkpoints.restore(model, self.all_steps) if self.checkpoints else Progress()
        chiefs = self.devices.from_chief(lambda file: write_state(file, model, progress))
        return read_state(chiefs, model) if chiefs else progress

    def _train_to_the_end(self) -> None:
        self.log.begins(self.progress)
        describe_training(self.recipe, self.model, len(self.train_images))
        self.train_step = self.devices.compile(self.model.train_step, self.image_shape)
        self.test_step = self.devices.compile(self.model.test_step, self.image_shape)
        self.batches = iter(
            training_batches(
                self.train_images,
                self.variant.batch_size,
                self.variant.seed,
                first_step=self.progress.step,
                horizontal_flips=self.variant.horizontal_flips,
                rows=self.devices.rows,
            )
        )
        try:
            with _stop_requests() as stop_requested:
                while not self._is_finished():
                    stopping = self._take_steps(stop_requested)
                    if self.progress.step % self.epoch_steps == 0:
                        self._end_epoch()
                    else:
                        self._save()
                    if stopping or self.devices.any_process(stop_requested()):
                        self.log.stopped(self.progress.step)
                        raise KeyboardInterrupt
        finally:
            # an error's traceback would keep it until Python ends, when TensorFlow can't finalize it without complaint
            del self.batches

    def _take_steps(self, stop_requested: Callable[[], bool]) -> bool:
        """Train until a checkpoint is due, at the end of the epoch or after some steps; say whether to stop there."""
        progress, stopping = self.progress, False
        every = self.variant.checkpoint_steps or self.epoch_steps
        with self.log.bar(progress) as bar:
            while True:
                began = time.perf_counter()
                images = next(self.batches)
                waited = time.perf_counter() - began
                count = images_of_step(len(self.train_images), self.variant.batch_size, progress.step)
                self.losses, stopping = self.train_step(images, count, stop_requested)
                seconds = time.perf_counter() - began
                progress.step += 1
                progress.wait_seconds += waited
                progress.epoch_seconds += seconds
                self._stop_unless_finite()
                self.log.step_ended(bar, self.losses, count, seconds)
                if progress.step % self.epoch_steps == 0 or progress.step % every == 0 or stopping:
                    return stopping

    def _end_epoch(self) -> None:
        """Validate, add a row to the history, and save a checkpoint."""
        progress = self.progress
        row = {
            "epoch": progress.step // self.epoch_steps,
            **self.losses,
            **self._validation_losses(),
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": progress.epoch_seconds,
            "images_per_second": len(self.train_images) / progress.epoch_seconds,
            "data_wait_share": progress.wait_seconds / progress.epoch_seconds,
        }
        best = progress.is_best(row)
        self.progress = progress.with_epoch(row)
        finished = self._is_finished()
        if self.on_epoch_end:
            with self.model.averaged_weights():
                self.on_epoch_end(self._model_of_this_process(), row, finished)
        self._save(finished, best)
        self.log.epoch_ended(row, best, early=finished and self.progress.step < self.all_steps)

    def _save(self, finished: bool = False, best: bool = False) -> None:
        if self.checkpoints:
            self.checkpoints.save(self.model, self.progress, finished, best)
        self.kept_step = self.progress.step

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

    def _model_of_this_process(self) -> Autoencoder:
        """Give the model, or of replicas, which no process can use alone, a copy."""
        if self.devices.count == 1:
            return self.model
        self._copy.set_weights(self.model.get_weights())
        return self._copy

    @cached_property
    def _copy(self) -> Autoencoder:
        return build_autoencoder(self.recipe, self.image_shape, self.precision)

    def _is_finished(self) -> bool:
        progress, patience = self.progress, self.variant.early_stopping_patience
        at_epoch_end = progress.step == len(progress.history) * self.epoch_steps
        stops_early = patience is not None and at_epoch_end and progress.epochs_since_best() >= patience
        return progress.step == self.all_steps or stops_early

    def _stop_unless_finite(self) -> None:
        values = {name: self.losses.get(name, 0.0) for name in _ADVICE}
        # an infinite one is the cause where the other is NaN
        bad = sorted(
            (name for name in values if not math.isfinite(values[name])), key=lambda name: math.isnan(values[name])
        )
        if not bad:
            return
        kept = self.kept_step
        raise SettingError(
            f"Training {self.variant.name} stopped at step {self.progress.step}:"
            f" {' and '.join(f'{name} is {values[name]}' for name in bad)}."
            f" {f'The checkpoint after step {kept} is kept.' if kept else 'There is no checkpoint yet.'}"
            f" What may help: {'; '.join(f'for {name} {_ADVICE[name]}' for name in bad)}"
            f" (learning_rate is {self.variant.learning_rate:g}; parameters_training.yml). With such a setting changed"
            f" the training starts anew: add --params {fresh_parameter(self.variant.name)}."
        )


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a request, which the function that is given tells of; a second one stops at once."""
    requests: list[int] = []
    with ExitStack() as handlers_before:

        def request(number: int, frame: FrameType | None) -> None:
            requests.append(number)
            handlers_before.close()

        # another thread gets no signals: they are the main one's, whose process ends it
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                handlers_before.callback(signal.signal, number, signal.signal(number, request))
        yield lambda: bool(requests)

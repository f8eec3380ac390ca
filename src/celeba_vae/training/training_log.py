"""What a training says before its first step and as it goes: lines in the log, and a bar where someone watches."""

import logging
import math
import time
from collections.abc import Mapping

import numpy as np
from tqdm import tqdm

from celeba_vae.config import VariantConfig
from celeba_vae.config.wording import duration, fresh_parameter
from celeba_vae.models.autoencoders import Autoencoder
from celeba_vae.training.checkpoints import VALIDATION_LOSS, Progress
from celeba_vae.training.recipe import Recipe

logger = logging.getLogger(__name__)

STEPS_BEFORE_ESTIMATE = 10
# times a loss's usual KL weight; all images come out alike long before
LARGE_KL_WEIGHT = 20


def describe_training(recipe: Recipe, model: Autoencoder, image_count: int) -> None:
    """Log the model's size, the memory that training will take and, of a VAE, what its KL weight means.

    A batch is never larger than ``image_count``, the images that are trained on.
    """
    variant = recipe.variant
    batch_size = min(variant.batch_size, image_count)
    memory = memory_estimate(model, batch_size)
    logger.info(
        "%s: encoder %s parameters, decoder %s; memory, beside TensorFlow's own, about %.0f MB: weights %.0f, optimizer"
        " and gradients %.0f, activations %.0f at batch size %d",
        variant.name,
        f"{model.encoder.count_params():,}",
        f"{model.decoder.count_params():,}",
        sum(memory.values()),
        *memory.values(),
        batch_size,
    )
    if variant.model == "vae":
        _describe_kl_weight(recipe, channels=model.decoder.output_shape[-1])


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


def _describe_kl_weight(recipe: Recipe, channels: int) -> None:
    variant, loss = recipe.variant, recipe.reconstruction_loss
    averages = getattr(loss, "averages_channels", False)
    logger.info(
        "%s: kl_weight %g is an effective beta of %g against a likelihood summed over all values%s",
        variant.name,
        variant.kl_weight,
        variant.kl_weight * (channels if averages else 1),
        f" (the loss is a mean over {channels} channels)" if averages else "",
    )
    usual = getattr(loss, "usual_kl_weight", math.inf)
    if variant.kl_weight > LARGE_KL_WEIGHT * usual:
        logger.warning(
            "%s: kl_weight %g is large for the loss %s, which works with about %g: all images may come out alike.",
            variant.name,
            variant.kl_weight,
            variant.reconstruction_loss.name,
            usual,
        )


class TrainingLog:
    """The words of one training, whose epochs are ``epoch_steps`` steps of ``image_count`` images together."""

    def __init__(self, variant: VariantConfig, image_count: int, epoch_steps: int) -> None:
        self.variant = variant
        self.image_count = image_count
        self.epoch_steps = epoch_steps

    def finished_before(self, progress: Progress) -> None:
        """Say that there is nothing left to do."""
        name = self.variant.name
        early = progress.step < self.variant.epochs * self.epoch_steps
        logger.info(
            "%s: nothing has changed since its training of %d epochs%s; the finished models are handed on"
            " (anew: --params %s%s)",
            name,
            len(progress.history),
            f", which {self._why_early()}" if early else "",
            fresh_parameter(name),
            " once a run has come to its end" if self.variant.fresh else "",
        )

    def lacks_validation(self) -> None:
        """Say what there is not without validation images, and which settings have no effect."""
        name, patience = self.variant.name, self.variant.early_stopping_patience
        logger.warning(
            "%s: there are no validation images, so losses on images that it has not seen are not known", name
        )
        if patience is not None:
            logger.warning(
                "%s: early_stopping_patience is %d, but without validation images all %d epochs are trained",
                name,
                patience,
                self.variant.epochs,
            )
        if self.variant.use_weights == "best":
            logger.warning("%s: use_weights is best, but without validation images the last weights are used", name)

    def begins(self, progress: Progress) -> None:
        """Say where a training goes on; begin to measure how long it takes."""
        self._began = time.perf_counter()
        self._seconds: list[float] = []
        self._steps_left = self.variant.epochs * self.epoch_steps - progress.step
        if progress.step:
            done = progress.step / self.epoch_steps
            logger.info("%s: training goes on after epoch %.4g of %d", self.variant.name, done, self.variant.epochs)

    def bar(self, progress: Progress) -> tqdm:
        """Give a bar of the epoch under way, in images."""
        epoch, step = divmod(progress.step, self.epoch_steps)
        return tqdm(
            total=self.image_count,
            initial=step * self.variant.batch_size,
            desc=f"{self.variant.name} {epoch + 1}/{self.variant.epochs}",
            unit=" images",
            unit_scale=True,
            disable=None,
            leave=False,
        )

    def step_ended(self, bar: tqdm, losses: Mapping[str, float], images: int, seconds: float) -> None:
        """Move the bar; after a few steps, say how long all epochs take."""
        self._seconds.append(seconds)
        self._steps_left -= 1
        if len(self._seconds) == STEPS_BEFORE_ESTIMATE:
            # the first steps, which also build the graph, are no measure
            estimate = float(np.median(self._seconds)) * self._steps_left
            logger.info("%s: about %s for all epochs", self.variant.name, duration(estimate))
        bar.set_postfix_str(_losses_text(losses), refresh=False)
        bar.update(images)

    def epoch_ended(self, row: Mapping[str, float], best: bool, early: bool) -> None:
        """Say what the history's new row has, and whether the training ends here before its last epoch."""
        # of all that this process has done, validation and checkpoints included
        seconds_a_step = (time.perf_counter() - self._began) / len(self._seconds)
        logger.info(
            "%s epoch %d/%d: %s%s, %.0f images/s, %s left",
            self.variant.name,
            row["epoch"],
            self.variant.epochs,
            _losses_text(row),
            " (the best so far)" if best else "",
            row["images_per_second"],
            duration(seconds_a_step * self._steps_left),
        )
        if early:
            logger.info("%s %s", self.variant.name, self._why_early())

    def stopped(self, step: int) -> None:
        """Say that a training was asked to stop, and did."""
        logger.info(
            "%s stopped after step %d, in epoch %d of %d; all of it is saved, and the same command goes on there",
            self.variant.name,
            step,
            min(step // self.epoch_steps + 1, self.variant.epochs),
            self.variant.epochs,
        )

    def _why_early(self) -> str:
        patience = self.variant.early_stopping_patience
        return f"stopped early: {patience} epochs without a lower {VALIDATION_LOSS} (early_stopping_patience)"


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

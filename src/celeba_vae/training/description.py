"""What is said of a training before its first step: how large the model is, and what its settings mean."""

import logging
import math

import numpy as np

from celeba_vae.models.autoencoders import Autoencoder
from celeba_vae.training.recipe import Recipe

logger = logging.getLogger(__name__)

# times a loss's usual KL weight; all images come out alike long before
LARGE_KL_WEIGHT = 20


def describe_training(recipe: Recipe, model: Autoencoder) -> None:
    """Log the model's size, the memory that training will take and, of a VAE, what its KL weight means."""
    _describe_memory(recipe, model)
    if recipe.variant.model == "vae":
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


def _describe_memory(recipe: Recipe, model: Autoencoder) -> None:
    batch_size = recipe.variant.batch_size
    memory = memory_estimate(model, batch_size)
    logger.info(
        "%s: encoder %s parameters, decoder %s; memory, beside TensorFlow's own, about %.0f MB: weights %.0f, optimizer"
        " and gradients %.0f, activations %.0f at batch size %d",
        recipe.name,
        f"{model.encoder.count_params():,}",
        f"{model.decoder.count_params():,}",
        sum(memory.values()),
        memory["weights"],
        memory["optimizer"],
        memory["activations"],
        batch_size,
    )


def _describe_kl_weight(recipe: Recipe, channels: int) -> None:
    variant, loss = recipe.variant, recipe.reconstruction_loss
    averages = getattr(loss, "averages_channels", False)
    logger.info(
        "%s: kl_weight %g is an effective beta of %g against a likelihood summed over all values%s",
        recipe.name,
        variant.kl_weight,
        variant.kl_weight * (channels if averages else 1),
        f" (the loss is a mean over {channels} channels)" if averages else "",
    )
    usual = getattr(loss, "usual_kl_weight", math.inf)
    if variant.kl_weight > LARGE_KL_WEIGHT * usual:
        logger.warning(
            "%s: kl_weight %g is large for the loss %s, which works with about %g: all images may come out alike.",
            recipe.name,
            variant.kl_weight,
            variant.reconstruction_loss.name,
            usual,
        )

"""Nodes of the training pipeline. TensorFlow is imported when a model is really trained or loaded."""

import hashlib
import importlib.metadata
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.errors import DataError
from celeba_vae.hardware import effective_precision, use_xla
from celeba_vae.plugins import create_component
from celeba_vae.stages import Stage

logger = logging.getLogger(__name__)

# Raise it when checkpoints written by older code can't be taken up any more.
CHECKPOINT_FORMAT = 1
# above this the KL term of the reference network outweighs the squared error
MSE_KL_WEIGHT = 0.5


def train_variant(
    train_images: np.ndarray,
    validation_images: np.ndarray,
    checkpoints: Path,
    variant: VariantConfig,
    hardware: HardwareConfig,
) -> tuple[Any, Any, pd.DataFrame]:
    """Train a variant, go on with its unfinished training, or hand on its finished one.

    Args:
        train_images: (n, h, w, c) uint8.
        validation_images: (m, h, w, c) uint8.
        checkpoints: Folder of the variant's checkpoints.
        variant: What to train.
        hardware: Precision and XLA.

    Returns:
        Encoder and decoder, float32, and the history, a row an epoch.

    Raises:
        DataError: there are no training images, or the checkpoint to go on from is damaged.
        SettingError: a component can't be made, or a loss is not finite.
    """
    from celeba_vae.models import training
    from celeba_vae.models.checkpoints import Checkpoints

    if not len(train_images):
        raise DataError("There are no training images: train_images is empty. Look at split and at image_index.")
    train_images = train_images[: variant.image_count]
    image_shape = train_images.shape[1:]
    precision = effective_precision(hardware)
    components = {
        "encoder": create_component("encoders", variant.encoder),
        "decoder": create_component("decoders", variant.decoder),
        "reconstruction_loss": create_component("reconstruction_losses", variant.reconstruction_loss),
    }
    without_effect = {"epochs", "fresh", "image_count"} | ({"kl_weight"} if variant.model == "ae" else set())
    identity = {
        "format": CHECKPOINT_FORMAT,
        "train_images": _content(train_images),
        "validation_images": _content(validation_images),
        "precision": precision,
        "variant": {
            **variant.model_dump(mode="json", exclude=without_effect),
            # with the options that the parameters leave to the component's defaults
            **{
                name: {"name": getattr(variant, name).name, **component.model_dump(mode="json")}
                for name, component in components.items()
            },
        },
    }
    with Stage(checkpoints, identity, variant.fresh) as stage:
        saved = Checkpoints(stage.path)
        model = training.build_autoencoder(variant, **components, image_shape=image_shape, precision=precision)
        training.compile_autoencoder(model, variant.learning_rate, precision, use_xla(hardware))
        done = saved.newest(variant.epochs)
        _say_what_is_done(variant, done, stage)
        if done < variant.epochs:
            _describe(variant, model, components["reconstruction_loss"], training)
        history = training.train(model, variant, train_images, validation_images, saved)
        stage.finish({"variant": variant.model_dump(mode="json"), **_versions()})
        plain = training.build_autoencoder(variant, **components, image_shape=image_shape, precision="float32")
        return *training.inference_models(model, plain), history


def draw_loss_curves(history: pd.DataFrame, variant: VariantConfig) -> Figure:
    """Draw each loss over the epochs, training and validation images in one panel."""
    losses = [name for name in ("total_loss", "reconstruction_loss", "kl_loss") if name in history]
    figure = Figure(figsize=(4.6 * len(losses), 3.8), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(losses), squeeze=False)[0], losses, strict=True):
        for column, label in ((name, "training"), (f"validation_{name}", "validation")):
            if column in history:
                axes.plot(history["epoch"], history[column], marker="o", markersize=3, label=label)
        axes.set(title=name, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle(f"{variant.name}: losses per image, by epoch")
    return figure


def _say_what_is_done(variant: VariantConfig, epochs_done: int, stage: Stage) -> None:
    if epochs_done == variant.epochs:
        logger.info(
            "%s: nothing has changed since its training of %d epochs; the finished models are handed on"
            " (anew: --params variants.%s.fresh=true)",
            variant.name,
            epochs_done,
            variant.name,
        )
    elif epochs_done:
        logger.info("%s: training goes on after epoch %d of %d", variant.name, epochs_done, variant.epochs)
    elif changes := stage.changes_since_last():
        logger.info("%s: training starts anew, since this has changed: %s", variant.name, "; ".join(changes))


def _describe(variant: VariantConfig, model: Any, loss: Any, training: Any) -> None:
    """Say before the first step how large the model is, what its KL weight means, and what memory it will take."""
    memory = training.memory_estimate(model, variant.batch_size)
    logger.info(
        "%s: encoder %s parameters, decoder %s; memory, beside TensorFlow's own, about %.0f MB: weights %.0f, optimizer"
        " and gradients %.0f, activations %.0f at batch size %d",
        variant.name,
        f"{model.encoder.count_params():,}",
        f"{model.decoder.count_params():,}",
        sum(memory.values()),
        memory["weights"],
        memory["optimizer"],
        memory["activations"],
        variant.batch_size,
    )
    if variant.model == "vae":
        averages = getattr(loss, "averages_channels", False)
        channels = model.decoder.output_shape[-1] if averages else 1
        logger.info(
            "%s: kl_weight %g is an effective beta of %g against a likelihood summed over all values%s",
            variant.name,
            variant.kl_weight,
            variant.kl_weight * channels,
            f" (the loss is a mean over {channels} channels)" if averages else "",
        )
        if variant.reconstruction_loss.name == "mse" and variant.kl_weight > MSE_KL_WEIGHT:
            logger.warning(
                "%s: kl_weight %g is large for the loss mse, which works with about 0.01 to 0.05: all images may come"
                " out alike.",
                variant.name,
                variant.kl_weight,
            )


def _content(images: np.ndarray) -> str:
    """Hash an array's shape and content, block by block."""
    digest = hashlib.sha256(repr(images.shape).encode())
    for first in range(0, len(images), 1024):
        digest.update(np.ascontiguousarray(images[first : first + 1024]))
    return f"{len(images)} images, content {digest.hexdigest()[:16]}"


def _versions() -> dict[str, str]:
    return {package: importlib.metadata.version(package) for package in ("celeba-vae", "tensorflow", "keras")}

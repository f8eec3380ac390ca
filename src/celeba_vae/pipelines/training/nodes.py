"""Nodes of the training pipeline. TensorFlow is imported when a model is really trained."""

import importlib.metadata
import logging
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.metrics.collapse import training_note
from celeba_vae.reporting.charts import loss_chart
from celeba_vae.reporting.training_grids import forming_grid, reconstructions_grid, samples_grid
from celeba_vae.storage.stages import Stage
from celeba_vae.training.checkpoints import Checkpoints, refuse_changed_training
from celeba_vae.training.recipe import create_recipe

if TYPE_CHECKING:
    from celeba_vae.training.monitoring import Monitor
    from celeba_vae.training.trainer import Trainer

logger = logging.getLogger(__name__)

# images that are decoded and reconstructed after each epoch
PREVIEWS = 8


def train_variant(
    train_images: np.ndarray,
    validation_images: np.ndarray,
    checkpoints: Path | None,
    monitoring: Path | None,
    variant: VariantConfig,
    hardware: HardwareConfig,
) -> tuple[Any, Any, pd.DataFrame, dict[str, Any]]:
    """Train a variant, go on with its unfinished training, or hand on its finished one.

    Images are (n, h, w, c) uint8. Without folders for checkpoints and for what is to be seen while it runs, another
    process that trains with this one keeps the training.

    Returns:
        Encoder and decoder, float32, the history, a row an epoch, and the configuration: all settings, the data, the
        sizes of the models, the epochs trained and the versions of the libraries. Where another process keeps the
        training, encoder and decoder are as trained, and the configuration is what determines the weights.

    Raises:
        DataError: there are no training images, or the checkpoint to go on from is damaged.
        SettingError: a component can't be made, the devices can't train the variant, a loss is not finite, or the
            variant has been trained with something else before.
        HardwareError: the devices are not there.
        CelebaVaeError: a process that trains with this one is lost.
    """
    from celeba_vae.training.trainer import Trainer

    trainer = Trainer(create_recipe(variant), train_images, validation_images, hardware)
    if checkpoints is None or monitoring is None:
        history = trainer.train(None)
        return trainer.model.encoder, trainer.model.decoder, history, trainer.identity
    if not variant.fresh:
        refuse_changed_training(checkpoints, trainer.identity, variant.name)
    with Stage(checkpoints, trainer.identity, variant.fresh) as stage:
        saved = Checkpoints(stage.path, variant.keep_checkpoints)
        with closing(_monitor(trainer, monitoring / stage.path.name)) as monitor:
            history = trainer.train(saved, monitor.epoch_ended)
        configuration = _configuration(trainer, history, hardware, stage.path.name)
        stage.finish(configuration)
        encoder, decoder = trainer.inference_models(saved)
        if note := training_note(encoder, trainer.train_images, variant.model_dump()):
            logger.warning(note)
        return encoder, decoder, history, configuration


def draw_faces_forming(configuration: dict[str, Any], monitoring: Path) -> Image.Image:
    """Draw what the same latents became after one epoch of a training and another.

    An AE has no faces at points of N(0, I), so reconstructions of the same images are shown instead.
    """
    return forming_grid(
        monitoring / configuration["training"],
        configuration["name"],
        configuration["epochs_trained"],
        "samples" if configuration["model"] == "vae" else "reconstructions",
    )


def draw_loss_curves(history: pd.DataFrame, variant: VariantConfig) -> Any:
    """Draw each loss over the epochs, training and validation images in one panel."""
    return loss_chart(history, variant.name)


def _monitor(trainer: "Trainer", folder: Path) -> "Monitor":
    """Make what shows, after each epoch, what has become of a model."""
    from celeba_vae.training.monitoring import Monitor

    variant = trainer.variant
    images = trainer.validation_images if len(trainer.validation_images) else trainer.train_images
    images = np.asarray(images[:PREVIEWS])
    return Monitor(
        folder,
        latents=np.random.default_rng(variant.seed).standard_normal((PREVIEWS, variant.latent_dim), np.float32),
        images=images,
        every=variant.preview_epochs,
        draw={
            "samples": partial(samples_grid, variant.name),
            "reconstructions": partial(reconstructions_grid, variant.name, images),
        },
    )


def _configuration(
    trainer: "Trainer", history: pd.DataFrame, hardware: HardwareConfig, training: str
) -> dict[str, Any]:
    losses = history.get("validation_total_loss")
    return {
        **trainer.recipe.settings(),
        **{name: value for name, value in trainer.identity.items() if name not in ("variant", "format")},
        "parameters": {name: getattr(trainer.model, name).count_params() for name in ("encoder", "decoder")},
        "epochs_trained": len(history),
        "best_epoch": None if losses is None else int(history["epoch"][losses.argmin()]),
        "hardware": hardware.model_dump(mode="json"),
        "versions": {package: importlib.metadata.version(package) for package in ("celeba-vae", "tensorflow", "keras")},
        "training": training,
    }

"""Nodes of the training pipeline. TensorFlow is imported when a model is really trained or loaded."""

import importlib.metadata
import logging
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.errors import DataError
from celeba_vae.hardware import effective_precision, use_xla
from celeba_vae.imaging.forming import forming_grid
from celeba_vae.models.batches import steps_per_epoch
from celeba_vae.models.checkpoints import Checkpoints, NoCheckpoints, refuse_changed_training
from celeba_vae.models.recipe import Recipe
from celeba_vae.stages import Stage, images_content
from celeba_vae.variants import create_recipe

logger = logging.getLogger(__name__)

# images that are decoded and reconstructed after each epoch
PREVIEWS = 8
# in how many parts each batch is normalised, where this is not as on one device
PARTS = "batches_normalized_in_parts"


def train_variant(
    train_images: np.ndarray,
    validation_images: np.ndarray,
    checkpoints: Path | None,
    monitoring: Path | None,
    variant: VariantConfig,
    hardware: HardwareConfig,
) -> tuple[Any, Any, pd.DataFrame, dict[str, Any]]:
    """Train a variant, go on with its unfinished training, or hand on its finished one.

    Args:
        train_images: (n, h, w, c) uint8.
        validation_images: (m, h, w, c) uint8.
        checkpoints: Folder of the variant's checkpoints; None: another process that trains with this one keeps them.
        monitoring: Folder for what is to be seen while it runs, TensorBoard's files and grids; None: likewise.
        variant: What to train.
        hardware: Devices, precision and XLA.

    Returns:
        Encoder and decoder, float32, the history, a row an epoch, and the configuration: all settings, the data, the
        sizes of the models, the epochs trained and the versions of the libraries. Where another process keeps the
        training, encoder and decoder are as trained, and the configuration is what determines the weights.

    Raises:
        DataError: there are no training images, or the checkpoint to go on from is damaged.
        SettingError: a component can't be made, a loss is not finite, or the variant has been trained with something
            else before.
        HardwareError: the devices are not there.
        CelebaVaeError: a process that trains with this one is lost.
    """
    from celeba_vae.models import training
    from celeba_vae.models.monitoring import Monitor
    from celeba_vae.models.replicas import training_devices

    if not len(train_images):
        raise DataError("There are no training images: train_images is empty. Look at split and at image_index.")
    train_images = train_images[: variant.image_count]
    image_shape = train_images.shape[1:]
    epoch_steps = steps_per_epoch(len(train_images), variant.batch_size)
    precision = effective_precision(hardware)
    recipe = create_recipe(variant)
    devices = training_devices(hardware)
    devices.check(variant)
    parts = {PARTS: devices.count} if variant.layers.batch_normalization is True and devices.count > 1 else {}
    identity = {
        **recipe.identity(),
        "train_images": images_content(train_images),
        "validation_images": images_content(validation_images),
        "precision": precision,
        **parts,
    }

    def build() -> Any:
        with devices.scope():
            model = training.build_autoencoder(recipe, image_shape, precision, epoch_steps)
            training.compile_autoencoder(model, recipe, precision, epoch_steps)
        return model

    train = partial(
        training.train,
        recipe=recipe,
        train_images=train_images,
        validation_images=validation_images,
        xla=use_xla(hardware),
        devices=devices,
    )
    if checkpoints is None:
        devices.check_same(identity)
        model = build()
        history = train(model, checkpoints=NoCheckpoints())
        return model.encoder, model.decoder, history, identity
    if not variant.fresh:
        refuse_changed_training(checkpoints, {PARTS: None, **identity}, variant.name)
    with Stage(checkpoints, identity, variant.fresh) as stage:
        devices.check_same(identity)
        saved = Checkpoints(stage.path, variant.keep_checkpoints)
        model = build()
        # as replicas, it can't be used by one process alone
        seen = model if devices.count == 1 else training.build_autoencoder(recipe, image_shape, precision)
        monitor = Monitor(
            monitoring / stage.path.name,
            variant.name,
            seen.encoder,
            seen.decoder,
            latents=np.random.default_rng(variant.seed).standard_normal((PREVIEWS, variant.latent_dim), np.float32),
            images=(validation_images if len(validation_images) else train_images)[:PREVIEWS],
            every=variant.preview_epochs,
        )

        def watch(epoch: int, row: Mapping[str, float], last: bool) -> None:
            if seen is not model:
                seen.set_weights(model.get_weights())
            monitor.epoch_ended(epoch, row, last)

        with closing(monitor):
            history = train(model, checkpoints=saved, on_epoch_end=watch)
        configuration = {**_configuration(recipe, identity, model, history, hardware), "training": stage.path.name}
        stage.finish(configuration)
        float32_model = training.build_autoencoder(recipe, image_shape, precision="float32")
        encoder, decoder = training.inference_models(_chosen_weights(variant, model, saved), float32_model)
        return encoder, decoder, history, configuration


def draw_faces_forming(configuration: dict[str, Any], monitoring: Path) -> Image.Image:
    """Draw what the same latents, or of an AE the same images, became after one epoch of a training and another.

    An AE has no faces at points of N(0, I), so its reconstructions are shown instead.

    Args:
        configuration: The training's, as ``train_variant`` gives it.
        monitoring: Where the trainings of the variant left their samples.
    """
    folder = monitoring / configuration["training"]
    kind = "samples" if configuration["model"] == "vae" else "reconstructions"
    return forming_grid(folder, configuration["name"], configuration["epochs_trained"], kind)


def draw_loss_curves(history: pd.DataFrame, variant: VariantConfig) -> Any:
    """Draw each loss over the epochs, training and validation images in one panel."""
    from celeba_vae.metrics.charts import loss_chart

    return loss_chart(history, variant.name)


def _chosen_weights(variant: VariantConfig, model: Any, checkpoints: Checkpoints) -> list[np.ndarray]:
    best = checkpoints.best_weights() if variant.use_weights == "best" else None
    if variant.use_weights == "best" and best is None:
        logger.warning(
            "%s: use_weights is best, but without validation images the last weights are used.", variant.name
        )
    return model.kept_weights() if best is None else best


def _configuration(
    recipe: Recipe, identity: Mapping[str, Any], model: Any, history: pd.DataFrame, hardware: HardwareConfig
) -> dict[str, Any]:
    return {
        **recipe.settings(),
        **{name: value for name, value in identity.items() if name not in ("variant", "format")},
        "parameters": {"encoder": model.encoder.count_params(), "decoder": model.decoder.count_params()},
        "epochs_trained": len(history),
        "best_epoch": _best_epoch(history),
        "hardware": hardware.model_dump(mode="json"),
        "versions": {package: importlib.metadata.version(package) for package in ("celeba-vae", "tensorflow", "keras")},
    }


def _best_epoch(history: pd.DataFrame) -> int | None:
    losses = history.get("validation_total_loss")
    return None if losses is None else int(history["epoch"][losses.argmin()])

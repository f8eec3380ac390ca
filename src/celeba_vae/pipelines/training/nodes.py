"""Nodes of the training pipeline. TensorFlow is imported when a model is really trained or loaded."""

import importlib.metadata
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.errors import DataError
from celeba_vae.reporting.forming import forming_grid
from celeba_vae.storage.stages import Stage, images_content
from celeba_vae.training.batches import steps_per_epoch
from celeba_vae.training.checkpoints import Checkpoints, NoCheckpoints, refuse_changed_training
from celeba_vae.training.devices import effective_precision, use_xla
from celeba_vae.training.recipe import Recipe, create_recipe

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
    from celeba_vae.training.distributed.strategies import training_devices
    from celeba_vae.training.trainer import build_autoencoder, inference_models

    if not len(train_images):
        raise DataError("There are no training images: train_images is empty. Look at split and at image_index.")
    train_images = train_images[: variant.image_count]
    devices = training_devices(hardware)
    devices.check(variant)
    recipe, precision = create_recipe(variant), effective_precision(hardware)
    task = _Task(recipe, train_images, validation_images, devices, precision, use_xla(hardware))
    identity = task.identity()
    if checkpoints is None:
        devices.check_same(identity)
        model = task.build()
        history = task.train(model, NoCheckpoints())
        return model.encoder, model.decoder, history, identity
    if not variant.fresh:
        refuse_changed_training(checkpoints, {PARTS: None, **identity}, variant.name)
    with Stage(checkpoints, identity, variant.fresh) as stage:
        devices.check_same(identity)
        saved = Checkpoints(stage.path, variant.keep_checkpoints)
        model = task.build()
        with _watched(task, model, monitoring / stage.path.name) as watch:
            history = task.train(model, saved, on_epoch_end=watch)
        configuration = {**_configuration(recipe, identity, model, history, hardware), "training": stage.path.name}
        stage.finish(configuration)
        float32_model = build_autoencoder(recipe, task.image_shape, precision="float32")
        encoder, decoder = inference_models(_chosen_weights(variant, model, saved), float32_model)
        return encoder, decoder, history, configuration


@dataclass(frozen=True)
class _Task:
    """A training, whichever process keeps it."""

    recipe: Recipe
    train_images: np.ndarray
    validation_images: np.ndarray
    devices: Any
    precision: str
    xla: bool

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.train_images.shape[1:]

    def identity(self) -> dict[str, Any]:
        """Give what the weights depend on."""
        variant = self.recipe.variant
        in_parts = variant.layers.batch_normalization is True and self.devices.count > 1
        return {
            **self.recipe.identity(),
            "train_images": images_content(self.train_images),
            "validation_images": images_content(self.validation_images),
            "precision": self.precision,
            **({PARTS: self.devices.count} if in_parts else {}),
        }

    def build(self) -> Any:
        """Build and compile the model on the devices."""
        from celeba_vae.training.trainer import build_autoencoder, compile_autoencoder

        epoch_steps = steps_per_epoch(len(self.train_images), self.recipe.variant.batch_size)
        with self.devices.scope():
            model = build_autoencoder(self.recipe, self.image_shape, self.precision, epoch_steps)
            compile_autoencoder(model, self.recipe, self.precision, epoch_steps)
        return model

    def train(self, model: Any, checkpoints: Checkpoints | NoCheckpoints, on_epoch_end: Any = None) -> pd.DataFrame:
        """Train a model that was built; gives the history."""
        from celeba_vae.training.trainer import train

        return train(
            model,
            self.recipe,
            self.train_images,
            self.validation_images,
            checkpoints,
            xla=self.xla,
            on_epoch_end=on_epoch_end,
            devices=self.devices,
        )


@contextmanager
def _watched(task: _Task, model: Any, folder: Path) -> Iterator[Callable[[int, Mapping[str, float], bool], None]]:
    """Give what shows, after each epoch, what has become of a model."""
    from celeba_vae.training.monitoring import Monitor
    from celeba_vae.training.trainer import build_autoencoder

    variant = task.recipe.variant
    # as replicas, it can't be used by one process alone
    seen = model if task.devices.count == 1 else build_autoencoder(task.recipe, task.image_shape, task.precision)
    images = task.validation_images if len(task.validation_images) else task.train_images
    monitor = Monitor(
        folder,
        variant.name,
        seen.encoder,
        seen.decoder,
        latents=np.random.default_rng(variant.seed).standard_normal((PREVIEWS, variant.latent_dim), np.float32),
        images=images[:PREVIEWS],
        every=variant.preview_epochs,
    )

    def watch(epoch: int, row: Mapping[str, float], last: bool) -> None:
        if seen is not model:
            seen.set_weights(model.get_weights())
        monitor.epoch_ended(epoch, row, last)

    with closing(monitor):
        yield watch


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
    from celeba_vae.reporting.charts import loss_chart

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

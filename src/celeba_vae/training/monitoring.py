"""A training as it runs: curves and pictures for TensorBoard, and the pictures as files."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow.compat.v1 import Event, SessionLog, Summary

from celeba_vae.models.autoencoders import Autoencoder
from celeba_vae.models.inference import decode, reconstruct, to_uint8
from celeba_vae.storage.atomic import written_atomically
from celeba_vae.training.epoch_images import Kind, epoch_file, save_epoch_images

_VALIDATION = "validation_"

Drawing = Callable[[int, np.ndarray], Image.Image]


@dataclass(frozen=True)
class Previews:
    """What is shown of a model in training, always from the same latents and images.

    Args:
        latents: (n, latent_dim) float32, what is decoded each time.
        images: (m, h, w, 3) uint8, what is reconstructed each time.
        every: Epochs from pictures to pictures; None: after the first epoch and the last only.
        draw: From each kind to what draws it, from the epochs done and the images that the model made.
    """

    latents: np.ndarray
    images: np.ndarray
    every: int | None
    draw: Mapping[Kind, Drawing]

    def are_due(self, epoch: int, last: bool) -> bool:
        """Say whether there are pictures after an epoch, counted from 1."""
        return epoch == 1 or last or (self.every is not None and epoch % self.every == 0)

    def made_by(self, model: Autoencoder) -> dict[Kind, np.ndarray]:
        """Give what the model makes of latents and images, uint8."""
        return {
            "samples": to_uint8(decode(model.decoder, self.latents)),
            "reconstructions": to_uint8(reconstruct(model.encoder, model.decoder, self.images)),
        }


class Monitor:
    """Writes each epoch's measures, and previews, into a training's folder.

    The folder is one for ``tensorboard --logdir``: ``train/`` and ``validation/`` are two runs, so that the two curves
    of a measure come in one chart. Beside them lie the pictures, ``samples_epoch_0003.png`` and
    ``reconstructions_epoch_0003.png``, and what they show as arrays, see ``epoch_images``.

    Args:
        folder: Where to write; made when it is missing.
        previews: What is shown.
    """

    def __init__(self, folder: Path, previews: Previews) -> None:
        self.folder = Path(folder)
        self.previews = previews
        self._train = _Events(self.folder / "train")
        self._validation = _Events(self.folder / "validation")

    def epoch_ended(self, model: Autoencoder, row: Mapping[str, float], last: bool) -> None:
        """Write what there is to see of an epoch; it is on disk when this returns.

        Call it before the epoch's checkpoint is saved. A training that is killed in between repeats the epoch, which
        then takes the place of what was written of it and of any later one.

        Args:
            model: The model in training.
            row: The history's row; ``validation_total_loss`` shares a chart with ``total_loss``, and so on.
            last: Whether the training ends with this epoch.
        """
        epoch = int(row["epoch"])
        measures = {name: value for name, value in row.items() if name != "epoch" and math.isfinite(value)}
        train = [_scalar(name, value) for name, value in measures.items() if not name.startswith(_VALIDATION)]
        validation = [
            _scalar(name.removeprefix(_VALIDATION), value)
            for name, value in measures.items()
            if name.startswith(_VALIDATION)
        ]
        if self.previews.are_due(epoch, last):
            train += [self._save(kind, epoch, images) for kind, images in self.previews.made_by(model).items()]
        self._train.write(epoch, train)
        self._validation.write(epoch, validation)

    def close(self) -> None:
        """Close the event files; nothing more can be written."""
        self._train.close()
        self._validation.close()

    def _save(self, kind: Kind, epoch: int, images: np.ndarray) -> Summary.Value:
        save_epoch_images(self.folder, kind, epoch, images)
        picture = self.previews.draw[kind](epoch, images)
        path = epoch_file(self.folder, kind, epoch, "png")
        with written_atomically(path) as temporary:
            picture.save(temporary)
        image = Summary.Image(
            width=picture.width,
            height=picture.height,
            colorspace=len(picture.getbands()),
            encoded_image_string=path.read_bytes(),
        )
        return Summary.Value(tag=kind, image=image)


class _Events:
    """An event file of one run, begun when there is something to write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: tf.io.TFRecordWriter | None = None

    def write(self, epoch: int, values: list[Summary.Value]) -> None:
        if not values:
            return
        if self._file is None:
            self._file = self._begun(epoch)
        _add(self._file, step=epoch, summary=Summary(value=values))
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _begun(self, epoch: int) -> tf.io.TFRecordWriter:
        self.folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads a run's files in the order of their names
        file = tf.io.TFRecordWriter(str(self.folder / f"events.out.tfevents.{time.time_ns()}"))
        _add(file, file_version="brain.Event:2")
        # makes TensorBoard forget what earlier files hold of this epoch and later ones
        _add(file, step=epoch, session_log=SessionLog(status=SessionLog.START))
        return file


def _add(file: tf.io.TFRecordWriter, **content: Any) -> None:
    file.write(Event(wall_time=time.time(), **content).SerializeToString())


def _scalar(name: str, value: float) -> Summary.Value:
    return Summary.Value(tag=name, simple_value=value)

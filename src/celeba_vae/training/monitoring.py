"""A training as it runs: curves and pictures for TensorBoard, and the pictures as files."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow.compat.v1 import Event, SessionLog, Summary

from celeba_vae.models.autoencoders import Autoencoder
from celeba_vae.models.inference import decode, reconstruct, to_uint8
from celeba_vae.storage.atomic import written_atomically
from celeba_vae.training.earlier_epochs import Kind, epoch_file

_VALIDATION = "validation_"

Drawing = Callable[[int, np.ndarray], Image.Image]


@dataclass
class Monitor:
    """Writes each epoch's measures, and pictures of the model, into a training's folder.

    The folder is one for ``tensorboard --logdir``: ``train/`` and ``validation/`` are two runs, so that the two curves
    of a measure come in one chart. Beside them lie the pictures, ``samples_epoch_0003.png`` and
    ``reconstructions_epoch_0003.png``, and what they show as arrays.

    Args:
        folder: Where to write; made when it is missing.
        latents: (n, latent_dim) float32, what is decoded each time.
        images: (m, h, w, 3) uint8, what is reconstructed each time.
        every: Epochs from pictures to pictures; None: after the first epoch and the last only.
        draw: From each kind to what draws it, from the epochs done and the images that the model made.
    """

    folder: Path
    latents: np.ndarray
    images: np.ndarray
    every: int | None
    draw: Mapping[Kind, Drawing]
    _files: dict[str, tf.io.TFRecordWriter] = field(default_factory=dict, init=False)

    def epoch_ended(self, model: Autoencoder, row: Mapping[str, float], last: bool) -> None:
        """Write what there is to see of an epoch, its history's row and, when they are due, pictures.

        It is on disk when this returns. Call it before the epoch's checkpoint is saved: a training that is killed in
        between repeats the epoch, which then takes the place of what was written of it and of any later one.
        """
        epoch = int(row["epoch"])
        values: dict[str, list[Summary.Value]] = {"train": [], "validation": []}
        for name, value in row.items():
            if name != "epoch" and math.isfinite(value):
                run = "validation" if name.startswith(_VALIDATION) else "train"
                values[run].append(Summary.Value(tag=name.removeprefix(_VALIDATION), simple_value=value))
        if epoch == 1 or last or (self.every is not None and epoch % self.every == 0):
            samples = decode(model.decoder, self.latents)
            reconstructions = reconstruct(model.encoder, model.decoder, self.images)
            values["train"] += [
                self._save("samples", epoch, to_uint8(samples)),
                self._save("reconstructions", epoch, to_uint8(reconstructions)),
            ]
        for run in values:
            self._write(run, epoch, values[run])

    def close(self) -> None:
        """Close the event files; nothing more can be written."""
        for file in self._files.values():
            file.close()

    def _save(self, kind: Kind, epoch: int, images: np.ndarray) -> Summary.Value:
        with written_atomically(epoch_file(self.folder, kind, epoch, "npy")) as temporary:
            np.save(temporary, images)
        picture = self.draw[kind](epoch, images)
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

    def _write(self, run: str, epoch: int, values: list[Summary.Value]) -> None:
        """Add to a run's event file, which is begun when there is something to write."""
        if not values:
            return
        if run not in self._files:
            folder = self.folder / run
            folder.mkdir(parents=True, exist_ok=True)
            # TensorBoard reads a run's files in the order of their names
            self._files[run] = tf.io.TFRecordWriter(str(folder / f"events.out.tfevents.{time.time_ns()}"))
            _add(self._files[run], file_version="brain.Event:2")
            # makes TensorBoard forget what earlier files hold of this epoch and later ones
            _add(self._files[run], step=epoch, session_log=SessionLog(status=SessionLog.START))
        _add(self._files[run], step=epoch, summary=Summary(value=values))
        self._files[run].flush()


def _add(file: tf.io.TFRecordWriter, **content: Any) -> None:
    file.write(Event(wall_time=time.time(), **content).SerializeToString())

"""A training as it runs: curves and pictures for TensorBoard, and the pictures as files."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow.compat.v1 import Event, SessionLog, Summary

from celeba_vae.models.inference import decode, reconstruct, to_uint8
from celeba_vae.reporting.forming import save_images
from celeba_vae.reporting.grids import comparison_grid, image_grid
from celeba_vae.storage.atomic import written_atomically

COLUMNS = 8
_VALIDATION = "validation_"


class Monitor:
    """Writes each epoch's measures, and pictures from always the same latents and images, into a training's folder.

    The folder is one for ``tensorboard --logdir``: ``train/`` and ``validation/`` are two runs, so that the two curves
    of a measure come in one chart. Beside them lie the pictures, ``samples_epoch_0003.png`` and
    ``reconstructions_epoch_0003.png``, and what they show as arrays, for ``reporting.forming``.

    Args:
        folder: Where to write; made when it is missing.
        name: The variant's name, for the pictures' titles.
        encoder: The encoder in training.
        decoder: The decoder in training.
        latents: (n, latent_dim) float32, what is decoded each time.
        images: (m, h, w, 3) uint8, what is reconstructed each time.
        every: Epochs from pictures to pictures; None: after the first epoch and the last only.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        encoder: Any,
        decoder: Any,
        latents: np.ndarray,
        images: np.ndarray,
        every: int | None,
    ) -> None:
        self.folder = Path(folder)
        self.name = name
        self.encoder = encoder
        self.decoder = decoder
        self.latents = latents
        self.images = np.asarray(images)
        self.every = every
        self._train = _Events(self.folder / "train")
        self._validation = _Events(self.folder / "validation")

    def epoch_ended(self, epoch: int, row: Mapping[str, float], last: bool) -> None:
        """Write what there is to see of an epoch; it is on disk when this returns.

        Call it before the epoch's checkpoint is saved. A training that is killed in between repeats the epoch, which
        then takes the place of what was written of it and of any later one.

        Args:
            epoch: Epochs trained, from 1.
            row: The history's row; ``validation_total_loss`` shares a chart with ``total_loss``, and so on.
            last: Whether the training ends with this epoch.
        """
        measures = {name: value for name, value in row.items() if name != "epoch" and math.isfinite(value)}
        train = [_scalar(name, value) for name, value in measures.items() if not name.startswith(_VALIDATION)]
        validation = [
            _scalar(name.removeprefix(_VALIDATION), value)
            for name, value in measures.items()
            if name.startswith(_VALIDATION)
        ]
        if epoch == 1 or last or (self.every and epoch % self.every == 0):
            train += self._draw(epoch)
        self._train.write(epoch, train)
        self._validation.write(epoch, validation)

    def close(self) -> None:
        """Close the event files; nothing more can be written."""
        self._train.close()
        self._validation.close()

    def _draw(self, epoch: int) -> list[Summary.Value]:
        samples = to_uint8(decode(self.decoder, self.latents))
        reconstructions = to_uint8(reconstruct(self.encoder, self.decoder, self.images))
        save_images(self.folder, "samples", epoch, samples)
        save_images(self.folder, "reconstructions", epoch, reconstructions)
        pictures = {
            "samples": image_grid(
                samples,
                COLUMNS,
                title=f"{self.name}, epoch {epoch}: decoded from the same points of the latent space as ever",
            ),
            "reconstructions": comparison_grid(
                {"image": self.images, f"epoch {epoch}": reconstructions},
                COLUMNS,
                title=f"{self.name}, epoch {epoch}: images and their reconstructions",
            ),
        }
        return [self._save(kind, epoch, picture) for kind, picture in pictures.items()]

    def _save(self, kind: str, epoch: int, picture: Image.Image) -> Summary.Value:
        path = self.folder / f"{kind}_epoch_{epoch:04d}.png"
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
            self._begin(epoch)
        self._add(step=epoch, summary=Summary(value=values))
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _begin(self, epoch: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads a run's files in the order of their names
        self._file = tf.io.TFRecordWriter(str(self.folder / f"events.out.tfevents.{time.time_ns()}"))
        self._add(file_version="brain.Event:2")
        # makes TensorBoard forget what earlier files hold of this epoch and later ones
        self._add(step=epoch, session_log=SessionLog(status=SessionLog.START))

    def _add(self, **content: Any) -> None:
        self._file.write(Event(wall_time=time.time(), **content).SerializeToString())


def _scalar(name: str, value: float) -> Summary.Value:
    return Summary.Value(tag=name, simple_value=value)

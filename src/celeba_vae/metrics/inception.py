"""Features of images from Inception v3, where its weights are at hand."""

import os
import socket
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from PIL import Image
from pydantic import Field, PositiveInt

from celeba_vae.config import NoneFromText, Options
from celeba_vae.models.inference import to_uint8

if TYPE_CHECKING:
    import keras

SIZE = 299
WEIGHTS_NAME = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
# a download that stands still for so long is given up
PATIENCE_IN_SECONDS = 10


class InceptionFeatures(Options):
    """Inception v3 of Keras without its last layer, averaged over the image: 2,048 features.

    Images are resized to 299x299 pixels with Pillow's BICUBIC, which is antialiased, as 8-bit RGB (Parmar, Zhang and
    Zhu, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation", 2022), and scaled to [-1, 1]. The weights
    are Keras' for ImageNet, not those of the network that published FIDs are computed with: measures can be compared
    with one another, not with the literature's. Two processor cores do 15 images a second.
    """

    weights: Annotated[Path | None, NoneFromText] = Field(
        None, description=f"File with the weights, Keras' {WEIGHTS_NAME}; none: the one in Keras' own cache"
    )
    download: bool = Field(False, description="Let Keras download the weights (88 MB) where there are none")
    batch_size: PositiveInt = Field(32, description="Images that pass through Inception at once")

    def unavailable(self) -> str | None:
        """Say in a line why there are no features here; None where there are. Only ``download`` needs a network."""
        if self.weights and not self._file.exists():
            return f"Inception's weights are not where evaluation.distribution_metrics says: {self.weights}"
        if not self._file.exists() and not self.download:
            return (
                f"Inception's weights are not there ({self._file}): in evaluation.distribution_metrics, write"
                " {name: inception, weights: FILE}, or {name: inception, download: true} (88 MB)"
            )
        try:
            self._model  # noqa: B018
        except Exception as error:  # what Keras raises over a damaged file or a broken connection is not documented
            where = self._file if self._file.exists() else "the network"
            return f"Inception's weights can't be had from {where}: {' '.join(str(error).split())[:200]}"
        return None

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Give the features (n, 2048) float32 of RGB images (n, h, w, 3), uint8 or floats in [0, 1]."""
        blocks = [images[first : first + self.batch_size] for first in range(0, len(images), self.batch_size)]
        features = [np.asarray(self._model.predict_on_batch(inception_input(block))) for block in blocks]
        return np.concatenate([np.zeros((0, 2048), np.float32), *features])

    @property
    def _file(self) -> Path:
        cache = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
        return self.weights or cache / "models" / WEIGHTS_NAME

    @cached_property
    def _model(self) -> "keras.Model":
        import keras

        weights = str(self._file) if self._file.exists() else "imagenet"
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(PATIENCE_IN_SECONDS)
        try:
            return keras.applications.InceptionV3(
                include_top=False, weights=weights, input_shape=(SIZE, SIZE, 3), pooling="avg"
            )
        finally:
            socket.setdefaulttimeout(before)


def inception_input(images: np.ndarray) -> np.ndarray:
    """Resize RGB images (n, h, w, 3), uint8 or floats in [0, 1], for Inception: (n, 299, 299, 3) float32 in [-1, 1]."""
    pictures = images if images.dtype == np.uint8 else to_uint8(images)
    resized = [Image.fromarray(picture).resize((SIZE, SIZE), Image.Resampling.BICUBIC) for picture in pictures]
    return np.stack([np.asarray(picture, np.float32) for picture in resized]) / np.float32(127.5) - 1

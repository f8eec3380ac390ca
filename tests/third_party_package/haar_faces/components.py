"""The components that pyproject.toml registers.

Keras and the layers are imported inside functions, so that parameters can be checked before TensorFlow is loaded.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from PIL import Image, ImageOps
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from celeba_vae.config import LayersConfig
from celeba_vae.errors import SettingError
from celeba_vae.metrics.measures import ImageMetric, Measure
from celeba_vae.models.blocks import LayerFactory


class HaarNetwork(BaseModel):
    """What encoder and decoder share: the number of levels of the transform."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    levels: PositiveInt = Field(2, description="Levels of the Haar transform; each halves the images' sides")

    def check(self, image_shape: tuple[int, int, int], latent_dim: int) -> None:
        """Make sure that the images can be halved so often.

        Raises:
            SettingError: they can't.
        """
        if any(length % 2**self.levels for length in image_shape[:2]):
            raise SettingError(
                f"{self.levels} levels of the Haar transform do not fit images of {image_shape[:2]} pixels."
            )


class HaarEncoder(HaarNetwork):
    """The Haar transform and a Dense layer for each output."""

    def build(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int,
        outputs: tuple[str, ...],
        layers: LayersConfig,
        precision: str,
        seed: int,
    ) -> Any:
        """Build the Keras model: images (n, h, w, c) in [0, 1] to each of ``outputs`` as (n, latent_dim) float32."""
        import keras

        from haar_faces.layers import HaarAnalysis

        make = LayerFactory(layers, precision, seed)
        inputs = x = keras.Input(image_shape, name="images")
        for i in range(self.levels):
            x = HaarAnalysis(dtype=precision, name=f"haar_{i + 1}")(x)
        x = keras.layers.Flatten(dtype=precision, name="flatten")(x)
        latents = [make.dense(x, name, latent_dim, precision="float32") for name in outputs]
        return keras.Model(inputs, latents if len(latents) > 1 else latents[0], name="encoder")


class HaarDecoder(HaarNetwork):
    """A Dense layer to the bands of the last level, and the inverse transform, whose images are the logits."""

    def build(
        self, image_shape: tuple[int, int, int], latent_dim: int, layers: LayersConfig, precision: str, seed: int
    ) -> Any:
        """Build the Keras model: latents (n, latent_dim) to images (n, h, w, c) in [0, 1], with a layer ``logits``."""
        import keras

        from haar_faces.layers import HaarSynthesis

        make = LayerFactory(layers, precision, seed)
        height, width, channels = image_shape
        bands = height // 2**self.levels, width // 2**self.levels, channels * 4**self.levels
        inputs = keras.Input((latent_dim,), name="latents")
        x = make.dense(inputs, "dense", math.prod(bands))
        x = keras.layers.Reshape(bands, dtype=precision, name="bands")(x)
        for i in range(self.levels, 1, -1):
            x = HaarSynthesis(dtype=precision, name=f"haar_{i}")(x)
        x = HaarSynthesis(dtype=precision, name="logits")(x)
        images = keras.layers.Activation("sigmoid", dtype="float32", name="images")(x)
        return keras.Model(inputs, images, name="decoder")


class Charbonnier(BaseModel):
    """Absolute difference of each value from sigmoid(logit), rounded off near 0 (Charbonnier et al. 1994)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epsilon: PositiveFloat = Field(1e-3, description="Differences much below this count as their square")

    def __call__(self, images: Any, logits: Any) -> Any:
        """Give (n,) losses of images in [0, 1] and logits, both (n, h, w, c) float32."""
        import tensorflow as tf

        errors = tf.math.squared_difference(images, tf.sigmoid(logits))
        return tf.reduce_sum(tf.sqrt(errors + self.epsilon**2), axis=(1, 2, 3))


class Shell(BaseModel):
    """All points equally far from the mean of the training images' latents, in random directions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    radius: PositiveFloat = Field(1.0, description="Their distance")

    def fit(self, encoded: Any) -> dict[str, np.ndarray]:
        """Give ``center`` (latent_dim,)."""
        return {"center": encoded.train_latents.mean(axis=0)}

    def point(
        self, i: int, random: np.random.Generator, latent_dim: int, fitted: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        """Draw a point (latent_dim,)."""
        direction = random.standard_normal(latent_dim)
        return fitted["center"] + self.radius * direction / np.linalg.norm(direction)


class Posterize(BaseModel):
    """Fewer colours: the first bits of each value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bits: int = Field(3, ge=1, le=8, description="Bits kept")

    def enhance(self, image: Image.Image) -> Image.Image:
        """Give the image with fewer colours."""
        return ImageOps.posterize(image, self.bits)


class AbsoluteError(ImageMetric):
    """Mean absolute error over all values of an image, which are in [0, 1]."""

    measure: ClassVar[Measure] = Measure("absolute_error", "Mean absolute error", better="lower", number="{:.4f}")

    def values(self, images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
        """Give it for each image, (n,)."""
        return np.abs(images - reconstructions).mean(axis=(1, 2, 3))


class Brightness(BaseModel):
    """Mean of all values of a set of images, above that of the real ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measures: ClassVar[tuple[Measure, ...]] = (Measure("brightness", "Brightness above the originals'"),)

    def unavailable(self) -> str | None:
        """Nothing can be missing."""
        return None

    def start(self) -> "_MeanValue":
        """Begin to go through a set of images."""
        return _MeanValue()

    def compare(self, real: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Give the difference of the means."""
        return {"brightness": float(others["mean"] - real["mean"])}


class _MeanValue:
    def __init__(self) -> None:
        self.count, self.sum = 0, 0.0

    def update(self, images: np.ndarray) -> None:
        self.count += images.size
        self.sum += float(images.sum(dtype=np.float64))

    def result(self) -> dict[str, np.ndarray]:
        return {"mean": np.asarray(self.sum / self.count)}

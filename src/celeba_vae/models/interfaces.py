"""What the components of a model must do, whoever brings them.

Each is a Pydantic model whose fields are its options in the parameters. Making and checking one loads no TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from celeba_vae.config import LayersConfig

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

# height, width, channels
ImageShape = tuple[int, int, int]


class _Network(Protocol):
    def check(self, image_shape: ImageShape, latent_dim: int) -> None:
        """Make sure that the options fit the images; raise a SettingError otherwise."""


class EncoderComponent(_Network, Protocol):
    """Makes an encoder: from images (n, h, w, c) in [0, 1] to each of ``outputs``, (n, latent_dim) float32.

    The outputs are ("mu", "logvar") or ("z",).
    """

    def build(
        self,
        image_shape: ImageShape,
        latent_dim: int,
        outputs: tuple[str, ...],
        layers: LayersConfig,
        precision: str,
        seed: int,
    ) -> keras.Model:
        """Build it, its weights drawn from ``seed``, its layers of the Keras dtype policy ``precision``."""


class DecoderComponent(_Network, Protocol):
    """Makes a decoder: from (n, latent_dim) to float32 images in [0, 1], with a layer ``logits`` before the sigmoid.

    Losses are computed from the logits.
    """

    def build(
        self, image_shape: ImageShape, latent_dim: int, layers: LayersConfig, precision: str, seed: int
    ) -> keras.Model:
        """Build it, its weights drawn from ``seed``."""


class ReconstructionLoss(Protocol):
    """Gives a loss an image.

    It may say by ``averages_channels`` whether it is a mean over the channels, and by ``usual_kl_weight`` which weight
    of the KL term works beside it.
    """

    def __call__(self, images: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Give (n,) losses of images in [0, 1] and logits, both (n, h, w, c) float32."""


class Schedule(Protocol):
    """A factor over the course of a training."""

    def __call__(self, epoch: tf.Tensor) -> tf.Tensor:
        """Give the factor, a float32 scalar, after ``epoch`` epochs, which may be fractional and are 0 at first."""

"""Reconstruction losses, each a value an image.

Decoders are trained on logits: the sigmoid is part of the loss, which is more exact and faster than a sigmoid in the
model. With ``averages_channels`` the loss of an image is the sum over height and width of the mean over channels, as in
the articles; without, it is the sum over all values. ``usual_kl_weight`` is what works beside a loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from celeba_vae.config import Options

if TYPE_CHECKING:
    import tensorflow as tf

MIN_LOG_SIGMA = -6.0


class BinaryCrossEntropy(Options):
    """Cross-entropy of each value in [0, 1] against the probability sigmoid(logit)."""

    averages_channels: ClassVar[bool] = True
    usual_kl_weight: ClassVar[float] = 5.0

    def __call__(self, images: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Give (n,) losses of images in [0, 1] and logits, both (n, h, w, c) float32."""
        import tensorflow as tf

        @tf.custom_gradient
        def losses_of(logits: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
            def gradient(upstream: tf.Tensor) -> tf.Tensor:
                # what TensorFlow derives is the same in twice the time
                return (tf.sigmoid(logits) - images) * (upstream / images.shape[3])[:, None, None, None]

            losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits)
            return _sum_over_image(losses), gradient

        return losses_of(logits)


class SquaredError(Options):
    """Squared difference of each value in [0, 1] from sigmoid(logit)."""

    averages_channels: ClassVar[bool] = True
    usual_kl_weight: ClassVar[float] = 0.03

    def __call__(self, images: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Give (n,) losses of images in [0, 1] and logits, both (n, h, w, c) float32."""
        import tensorflow as tf

        return _sum_over_image(tf.math.squared_difference(images, tf.sigmoid(logits)))


class GaussianLikelihood(Options):
    """Negative log-likelihood in nats of each value in [0, 1] under N(sigmoid(logit), sigma^2), the sigma-VAE's loss.

    sigma^2 is the mean squared error over the batch and all values, under which the batch is the most likely: no factor
    has to be tuned against the KL term (Rybkin et al. 2021, Simple and effective VAE training with calibrated decoders,
    section 3.2). As in their code, log sigma is at least -6, 0.6 of a grey level, so that the loss stays finite. Being
    that of a density, the loss is negative where sigma is below 0.24.
    """

    averages_channels: ClassVar[bool] = False
    usual_kl_weight: ClassVar[float] = 1.0

    def __call__(self, images: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Give (n,) losses of images in [0, 1] and logits, both (n, h, w, c) float32."""
        import tensorflow as tf

        from celeba_vae.models.batch import current_batch

        errors = tf.math.squared_difference(images, tf.sigmoid(logits))
        variance = tf.maximum(current_batch().mean(errors), math.exp(2 * MIN_LOG_SIGMA))
        # at the optimum the gradient by the variance is 0
        variance = tf.stop_gradient(variance)
        return 0.5 * tf.reduce_sum(errors / variance + tf.math.log(2 * math.pi * variance), axis=(1, 2, 3))


def _sum_over_image(values: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    return tf.reduce_sum(tf.reduce_mean(values, axis=3), axis=(1, 2))

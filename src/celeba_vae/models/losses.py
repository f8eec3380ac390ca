"""Reconstruction losses and the KL divergence, each a value an image.

Decoders are trained on logits: the sigmoid is part of the loss, which is more exact and faster than a sigmoid in the
model. The loss of an image is the sum over height and width of the mean over channels, as in the articles.
"""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class BinaryCrossEntropy(BaseModel):
    """Cross-entropy of each value in [0, 1] against the probability sigmoid(logit)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    averages_channels: ClassVar[bool] = True
    usual_kl_weight: ClassVar[float] = 5.0

    def __call__(self, images: Any, logits: Any) -> Any:
        """Give (n,) losses of images in [0, 1] and logits, both (n, h, w, c) float32."""
        import tensorflow as tf

        return _sum_over_image(tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits))


class SquaredError(BaseModel):
    """Squared difference of each value in [0, 1] from sigmoid(logit)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    averages_channels: ClassVar[bool] = True
    usual_kl_weight: ClassVar[float] = 0.03

    def __call__(self, images: Any, logits: Any) -> Any:
        """Give (n,) losses of images in [0, 1] and logits, both (n, h, w, c) float32."""
        import tensorflow as tf

        return _sum_over_image(tf.math.squared_difference(images, tf.sigmoid(logits)))


def kl_divergence(mu: Any, logvar: Any) -> Any:
    """Give the divergences of N(mu, exp(logvar)) from N(0, 1) in nats, dimension by dimension.

    -1/2 * (1 + logvar - mu^2 - exp(logvar)); summed over the dimensions it is Kingma and Welling 2014, appendix B.

    Args:
        mu: (n, latent_dim) float32.
        logvar: (n, latent_dim) float32, the logarithm of the variance.

    Returns:
        (n, latent_dim) float32.
    """
    import tensorflow as tf

    return -0.5 * (1 + logvar - tf.square(mu) - tf.exp(logvar))


def _sum_over_image(values: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_sum(tf.reduce_mean(values, axis=3), axis=(1, 2))

"""Layers that Keras does not bring. Importing this module registers them with Keras."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("celeba_vae")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras' ``BatchNormalization`` over the channels of NHWC images, computed by TensorFlow's fused kernel.

    The mathematics, the weights and their order are those of the parent class with its default axis, scale and offset.
    Scale, offset and moments stay float32 in mixed precision; only the images are of lower precision. In training, a
    batch of one value a channel gives zeros, as with the parent class.

    Example:
        >>> layer = FusedBatchNormalization(momentum=0.9)
        >>> layer(keras.ops.ones((2, 4, 4, 3)), training=True).shape
        TensorShape([2, 4, 4, 3])
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the four weights, each float32 and never cast to the compute type."""
        shape = (input_shape[-1],)
        one_weight = {"shape": shape, "dtype": "float32", "autocast": False}
        self.gamma = self.add_weight(name="gamma", initializer="ones", **one_weight)
        self.beta = self.add_weight(name="beta", initializer="zeros", **one_weight)
        self.moving_mean = self.add_weight(name="moving_mean", initializer="zeros", trainable=False, **one_weight)
        self.moving_variance = self.add_weight(
            name="moving_variance", initializer="ones", trainable=False, **one_weight
        )
        self.built = True

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Normalise (n, h, w, c) by the batch's moments in training, by the moving ones otherwise."""
        in_training = bool(training) and self.trainable
        moments = (tf.zeros(0), tf.zeros(0)) if in_training else (self.moving_mean, self.moving_variance)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=tf.convert_to_tensor(moments[0]),
            variance=tf.convert_to_tensor(moments[1]),
            epsilon=self.epsilon,
            data_format="NHWC",
            is_training=in_training,
        )
        if in_training:
            # The kernel gives the variance with Bessel's correction; Keras' moving variance is without.
            values = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance * (values - 1) / values)
        return outputs

    def _move(self, moving: Any, batch: tf.Tensor) -> None:
        moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))


@keras.saving.register_keras_serializable("celeba_vae")
class Reparameterization(keras.layers.Layer):
    """Draw z = mu + exp(logvar / 2) * epsilon, epsilon from N(0, I) (Kingma and Welling 2014, section 2.4).

    The noise is a function of the seed and the step alone, so that a training can be taken up again at any step.

    Args:
        seed: Seed of the noise, 0 or larger.

    Example:
        >>> mu = logvar = keras.ops.zeros((2, 3))
        >>> Reparameterization(seed=1)(mu, logvar, step=0).shape
        TensorShape([2, 3])
    """

    def __init__(self, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed

    def call(self, mu: tf.Tensor, logvar: tf.Tensor, step: tf.Tensor | int) -> tf.Tensor:
        """Give z of the shape of ``mu`` and ``logvar``, (n, latent_dim)."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), tf.cast(step, tf.int64)])
        epsilon = tf.random.stateless_normal(tf.shape(mu), seed=seed, dtype=mu.dtype)
        return mu + tf.exp(0.5 * logvar) * epsilon

    def get_config(self) -> dict[str, Any]:
        """Give the constructor's arguments."""
        return {**super().get_config(), "seed": self.seed}

"""Layers that Keras does not bring. Importing this module registers them with Keras."""

from typing import Any

import keras
import tensorflow as tf

from celeba_vae.models.batch import current_batch


@keras.saving.register_keras_serializable("celeba_vae")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras' ``BatchNormalization`` over the channels of NHWC images, computed by TensorFlow's fused kernel.

    The mathematics, the weights and their order are those of the parent class with its default axis, scale and offset.
    Scale, offset and moments stay float32 in mixed precision; only the images are of lower precision. In training, a
    batch of one value a channel gives zeros, as with the parent class. Of a batch in parts, each is normalised by
    itself, and the moving statistics are of the means of their moments; where ``synchronized``, the parent class
    normalises it as a whole, which is slower: the fused kernel can't stop between moments and normalisation.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Normalise (n, h, w, c) by the batch's moments in training, by the moving ones otherwise."""
        in_training = bool(training) and self.trainable
        if in_training and self.synchronized and current_batch().in_parts:
            return super().call(inputs, training)
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
            mean, variance = current_batch().combined([mean, variance * (values - 1) / values])
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance)
        return outputs

    def _move(self, moving: keras.Variable, batch: tf.Tensor) -> None:
        moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))


@keras.saving.register_keras_serializable("celeba_vae")
class PlacedDropout(keras.layers.Dropout):
    """Keras' ``Dropout`` that drops, of an image, what its place in the whole batch says."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Drop values of (n, …) in training and scale up the others; give ``inputs`` otherwise."""
        if not training:
            return inputs

        def draw(shape: tf.Tensor) -> tf.Tensor:
            return keras.random.dropout(tf.ones(shape, inputs.dtype), self.rate, seed=self.seed_generator)

        return inputs * current_batch().rows(draw, tf.shape(inputs))


@keras.saving.register_keras_serializable("celeba_vae")
class UpsamplingConvolution(keras.layers.Conv2DTranspose):
    """Nearest-neighbour upsampling by ``strides``, then a convolution with padding ``same``, computed in one.

    Upsampling by s and a convolution with a kernel of k pixels a side are together a transposed convolution of stride s
    whose kernel, k + s - 1 pixels a side, is the sum of s x s shifted ones. So an input pixel takes (k + s - 1)^2
    products instead of (k s)^2, and the enlarged image never exists: on a CPU, a training step of the upsampling
    decoder's convolutions takes 0.4 of the time in float32, 0.3 in bfloat16.

    The weights are those of ``Conv2DTranspose(filters, kernel_size)`` after ``UpSampling2D(strides)``: the convolution
    that follows the upsampling has this kernel mirrored.
    """

    def __init__(
        self, filters: int, kernel_size: int | tuple[int, int], strides: int | tuple[int, int], **kwargs: Any
    ) -> None:
        super().__init__(filters, kernel_size, strides, **{**kwargs, "padding": "same"})

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Give (n, h * stride, w * stride, filters) of (n, h, w, c)."""
        kernel = tf.convert_to_tensor(self.kernel)
        for axis, stride in enumerate(self.strides):
            kernel = tf.add_n([_shifted(kernel, axis, shift, stride - 1 - shift) for shift in range(stride)])
        outputs = keras.ops.conv_transpose(inputs, kernel, strides=self.strides, padding="same")
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)


def _shifted(kernel: tf.Tensor, axis: int, before: int, after: int) -> tf.Tensor:
    paddings = [[0, 0]] * 4
    paddings[axis] = [before, after]
    return tf.pad(kernel, paddings)


@keras.saving.register_keras_serializable("celeba_vae")
class Bias(keras.layers.Layer):
    """Add a trained value to each channel."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weight, zero at first."""
        self.bias = self.add_weight(name="bias", shape=(input_shape[-1],), initializer="zeros")
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Give inputs + bias, both with the channels last."""
        return tf.nn.bias_add(inputs, self.bias)


@keras.saving.register_keras_serializable("celeba_vae")
class Reparameterization(keras.layers.Layer):
    """Draw z = mu + exp(logvar / 2) * epsilon, epsilon from N(0, I) (Kingma and Welling 2014, section 2.4).

    The noise is a function of the seed, 0 or larger, the step and an image's place in the batch alone, so that a
    training can be taken up again at any step.
    """

    def __init__(self, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed

    def call(self, mu: tf.Tensor, logvar: tf.Tensor, step: tf.Tensor | int) -> tf.Tensor:
        """Give z of the shape of ``mu`` and ``logvar``, (n, latent_dim)."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), tf.cast(step, tf.int64)])
        epsilon = current_batch().rows(
            lambda shape: tf.random.stateless_normal(shape, seed=seed, dtype=mu.dtype), tf.shape(mu)
        )
        return mu + tf.exp(0.5 * logvar) * epsilon


@keras.saving.register_keras_serializable("celeba_vae")
class KLDivergence(keras.layers.Layer):
    """The KL term of a batch: its weighted divergence from N(0, I), with free bits where they are asked for.

    With free bits, each latent dimension counts at least so many nats, as a mean over the batch: the sum over
    dimensions of max(free_bits, mean KL), Kingma et al. 2016 (Improving variational inference with inverse
    autoregressive flow), equation 15. With ``adds_loss`` the weighted term is added to the layer's losses, too.
    """

    def __init__(self, free_bits: float = 0.0, adds_loss: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.free_bits = free_bits
        self.adds_loss = adds_loss

    def call(self, mu: tf.Tensor, logvar: tf.Tensor, weight: tf.Tensor | float) -> tuple[tf.Tensor, tf.Tensor]:
        """Give the weighted term and the plain divergence in nats, both scalars, of (n, latent_dim) each."""
        of_dimensions = current_batch().mean(kl_divergence(mu, logvar), axis=0)
        kl = tf.reduce_sum(of_dimensions)
        kl_loss = weight * (tf.reduce_sum(tf.maximum(of_dimensions, self.free_bits)) if self.free_bits else kl)
        if self.adds_loss:
            self.add_loss(kl_loss)
        return kl_loss, kl


def kl_divergence(mu: tf.Tensor, logvar: tf.Tensor) -> tf.Tensor:
    """Give the divergences of N(mu, exp(logvar)) from N(0, 1) in nats, dimension by dimension, (n, latent_dim) float32.

    -1/2 * (1 + logvar - mu^2 - exp(logvar)); summed over the dimensions it is Kingma and Welling 2014, appendix B.
    """
    return -0.5 * (1 + logvar - tf.square(mu) - tf.exp(logvar))

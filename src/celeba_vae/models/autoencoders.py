"""The autoencoder and the variational autoencoder as Keras models with a training step of their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from celeba_vae.models.batch import current_batch
from celeba_vae.models.interfaces import ReconstructionLoss
from celeba_vae.models.layers import KLDivergence, Reparameterization

Losses = dict[str, tf.Tensor]


class Autoencoder(keras.Model):
    """A plain autoencoder (AE), trained by gradient descent on the reconstruction loss.

    Args:
        encoder: From images (n, h, w, c) in [0, 1] to z (n, latent_dim).
        decoder: From z to images, with a layer ``logits`` before the sigmoid.
        reconstruction_loss: From images and logits to (n,) losses.

    Images come as uint8, those of the ``current_batch`` that are computed here. ``step`` counts training steps and is
    what noise depends on.
    """

    metric_names: tuple[str, ...] = ("total_loss", "reconstruction_loss")

    def __init__(self, encoder: keras.Model, decoder: keras.Model, reconstruction_loss: ReconstructionLoss) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.logits = keras.Model(decoder.inputs, decoder.get_layer("logits").output, name="logits_of_decoder")
        self.reconstruction_loss = reconstruction_loss
        self.step = self.add_weight(shape=(), dtype="int64", initializer="zeros", trainable=False, name="step")
        self._means = {name: _Mean(name) for name in self.metric_names}
        self.built = True

    def compute_losses(self, images: tf.Tensor, training: bool) -> Losses:
        """Give each of ``metric_names`` as a mean over the batch of images (n, h, w, c), float32 in [0, 1]."""
        loss = self._reconstruction_loss_of(images, self.encoder(images, training=training), training)
        return {"total_loss": loss, "reconstruction_loss": loss}

    def train_step(self, images: tf.Tensor) -> Losses:
        """Take one step of gradient descent on uint8 images (n, h, w, c)."""
        images = _to_float(images)
        with tf.GradientTape() as tape:
            losses = self.compute_losses(images, training=True)
            # in mixed_float16 gradients of the unscaled loss would vanish
            scaled_loss = self.optimizer.scale_loss(losses["total_loss"])
        weights = self.trainable_weights
        self.optimizer.apply(current_batch().combined(tape.gradient(scaled_loss, weights)), weights)
        self.step.assign_add(1)
        return self._update_means(losses, images)

    def test_step(self, images: tf.Tensor) -> Losses:
        """Compute the losses of uint8 images in inference mode: moving statistics, z = mu."""
        images = _to_float(images)
        return self._update_means(self.compute_losses(images, training=False), images)

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Have the moving average of the weights in place of the weights, where the optimizer keeps one."""
        optimizer: keras.Optimizer = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        if not optimizer.use_ema:
            yield
            return
        weights = [weight.numpy() for weight in self.trainable_weights]
        optimizer.finalize_variable_values(self.trainable_weights)
        try:
            yield
        finally:
            for weight, value in zip(self.trainable_weights, weights, strict=True):
                weight.assign(value)

    def kept_weights(self) -> list[np.ndarray]:
        """Give the weights that are worth keeping: their moving average where there is one."""
        with self.averaged_weights():
            return self.get_weights()

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The means over the epoch, which Keras resets at its start."""
        return list(self._means.values())

    def _reconstruction_loss_of(self, images: tf.Tensor, z: tf.Tensor, training: bool) -> tf.Tensor:
        logits = tf.cast(self.logits(z, training=training), tf.float32)
        return current_batch().mean(self.reconstruction_loss(images, logits))

    def _update_means(self, losses: Losses, images: tf.Tensor) -> Losses:
        count = current_batch().count(images)
        for name, mean in self._means.items():
            mean.update_state(losses[name], sample_weight=count)
        return {name: mean.result() for name, mean in self._means.items()}


class VAE(Autoencoder):
    """A variational autoencoder (VAE): total_loss = reconstruction_loss + kl_weight * KL, each a mean over the batch.

    ``decoder`` and ``reconstruction_loss`` are those of ``Autoencoder``. Of its losses, ``kl_loss`` is the weighted KL,
    ``kl`` the KL in nats, without weight and free bits.

    Args:
        encoder: From images (n, h, w, c) in [0, 1] to [mu, logvar], each (n, latent_dim).
        kl_weight: Weight of the KL divergence (the articles' fact), 0 or larger.
        seed: Seed of the noise in training.
        kl_factor: From the step to a factor of ``kl_weight`` in training; validation always has the whole weight, so
            that its losses can be compared between epochs.
        kl_divergence: Gives the KL term, or adds it to the loss itself; None: the plain divergence.
    """

    metric_names = ("total_loss", "reconstruction_loss", "kl_loss", "kl")

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        reconstruction_loss: ReconstructionLoss,
        kl_weight: float,
        seed: int,
        kl_factor: Callable[[tf.Tensor], tf.Tensor] = tf.ones_like,
        kl_divergence: KLDivergence | None = None,
    ) -> None:
        super().__init__(encoder, decoder, reconstruction_loss)
        self.kl_weight = kl_weight
        self.kl_factor = kl_factor
        self.reparameterization = Reparameterization(seed, dtype="float32")
        self.kl_divergence = kl_divergence or KLDivergence(dtype="float32")

    def compute_losses(self, images: tf.Tensor, training: bool) -> Losses:
        """Give each of ``metric_names``; z is drawn from the posterior in training and is mu otherwise."""
        mu, logvar = self.encoder(images, training=training)
        z = self.reparameterization(mu, logvar, self.step) if training else mu
        reconstruction_loss = self._reconstruction_loss_of(images, z, training)
        weight = self.kl_weight * (tf.cast(self.kl_factor(self.step), tf.float32) if training else 1.0)
        kl_loss, kl = self.kl_divergence(mu, logvar, weight=weight)
        return {
            "total_loss": reconstruction_loss + (sum(self.losses) if self.kl_divergence.adds_loss else kl_loss),
            "reconstruction_loss": reconstruction_loss,
            "kl_loss": kl_loss,
            "kl": kl,
        }


class _Mean(keras.metrics.Mean):
    """Keras' ``Mean`` of what is the same wherever a part of the batch is computed, and is not to be summed."""

    def add_variable(self, *args: Any, **kwargs: Any) -> keras.Variable:
        return super().add_variable(*args, **{**kwargs, "aggregation": "only_first_replica"})


def _to_float(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32) / 255.0

"""Peer: the reference network as a Keras user would write it: Keras' own layers, a sigmoid, ``Model.fit``.

Prints the images per second of each epoch as a JSON list.

    python training_keras.py IMAGES.npy --epochs 5 --epoch-steps 10 --batch-size 128
"""

import argparse
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers

LATENT_DIM = 256
KL_WEIGHT = 5.0


class PlainVAE(keras.Model):
    """Encoder, decoder, and the GradientTape step that Keras' own examples have."""

    def __init__(self, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        x = inputs = keras.Input(image_shape)
        for filters in (32, 64, 128, 256):
            x = layers.Conv2D(filters, 3, strides=2, padding="same")(x)
            x = layers.LeakyReLU()(layers.BatchNormalization()(x))
        small = x.shape[1:]
        x = layers.Flatten()(x)
        self.encoder = keras.Model(inputs, [layers.Dense(LATENT_DIM)(x), layers.Dense(LATENT_DIM)(x)])
        x = latents = keras.Input((LATENT_DIM,))
        x = layers.Reshape(small)(layers.Dense(small[0] * small[1] * small[2])(x))
        for filters in (128, 64, 32):
            x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same")(x)
            x = layers.LeakyReLU()(layers.BatchNormalization()(x))
        images = layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="sigmoid")(x)
        self.decoder = keras.Model(latents, images)

    def train_step(self, data: tf.Tensor) -> dict[str, tf.Tensor]:
        """Take one step of gradient descent on float32 images."""
        with tf.GradientTape() as tape:
            mu, logvar = self.encoder(data, training=True)
            z = mu + tf.exp(0.5 * logvar) * tf.random.normal(tf.shape(mu))
            errors = keras.losses.binary_crossentropy(data, self.decoder(z, training=True))
            kl = -0.5 * tf.reduce_sum(1 + logvar - mu**2 - tf.exp(logvar), axis=1)
            loss = tf.reduce_mean(tf.reduce_sum(errors, axis=(1, 2))) + KL_WEIGHT * tf.reduce_mean(kl)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        return {"loss": loss}


class EpochSeconds(keras.callbacks.Callback):
    """Measures the epochs from the first step's begin to the last step's end."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Note the time."""
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Note the seconds since the begin."""
        self.seconds.append(time.perf_counter() - self.began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--epoch-steps", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    options = parser.parse_args()
    images = np.load(options.images).astype(np.float32) / 255
    batches = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).repeat().batch(options.batch_size)
    model = PlainVAE(images.shape[1:])
    model.compile(optimizer=keras.optimizers.Adam(5e-4))
    measured = EpochSeconds()
    model.fit(
        batches.prefetch(2),
        epochs=options.epochs,
        steps_per_epoch=options.epoch_steps,
        callbacks=[measured],
        verbose=0,
    )
    print(json.dumps([options.epoch_steps * options.batch_size / seconds for seconds in measured.seconds]))


if __name__ == "__main__":
    main()

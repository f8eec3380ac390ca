"""Speed of a training step beside plain Keras: the reference network at batch size 128, every run a process of its own.

    python benchmarks/training.py [--steps 20] [--rounds 3]

Runs alternate; the table and the JSON object on the last line give medians. ``bfloat16_img_per_s`` is null where the
processor lacks the instructions. ``peak_mb`` is the larger peak of RssAnon + RssShmem of this project's runs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.hardware import effective_precision

BATCH_SIZE = 128
IMAGE_SHAPE = (96, 96, 3)


def this_project(images, precision):
    """Train with the project's own network and batches; give the seconds of each step."""
    from keras.callbacks import Callback

    from celeba_vae.models import training
    from celeba_vae.models.batches import training_batches
    from celeba_vae.models.decoders import ConvTransposeDecoder
    from celeba_vae.models.encoders import ConvEncoder
    from celeba_vae.models.losses import BinaryCrossEntropy

    variant = VariantConfig(name="vae", batch_size=BATCH_SIZE)
    model = training.build_autoencoder(
        variant,
        encoder=ConvEncoder(),
        decoder=ConvTransposeDecoder(),
        reconstruction_loss=BinaryCrossEntropy(),
        image_shape=IMAGE_SHAPE,
        precision=precision,
    )
    training.compile_autoencoder(model, variant.learning_rate, precision, xla=False)
    ends = step_ends(Callback)
    batches = training_batches(images, BATCH_SIZE, variant.seed, first_epoch=0)
    model.fit(batches, steps_per_epoch=len(images) // BATCH_SIZE, shuffle=False, callbacks=[ends], verbose=0)
    return np.diff(ends.times)


def plain_keras(images):
    """Train the same network as a Keras user would write it: Keras' own layers, a sigmoid, arrays in memory."""
    import keras
    import tensorflow as tf
    from keras import layers

    x = inputs = keras.Input(IMAGE_SHAPE)
    for filters in (32, 64, 128, 256):
        x = layers.Conv2D(filters, 3, strides=2, padding="same")(x)
        x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.Flatten()(x)
    encoder = keras.Model(inputs, [layers.Dense(256)(x), layers.Dense(256)(x)])
    x = latents = keras.Input((256,))
    x = layers.Reshape((6, 6, 256))(layers.Dense(6 * 6 * 256)(x))
    for filters in (128, 64, 32):
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same")(x)
        x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    decoder = keras.Model(latents, layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="sigmoid")(x))

    class PlainVAE(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = encoder, decoder

        def train_step(self, data):
            with tf.GradientTape() as tape:
                mu, logvar = self.encoder(data, training=True)
                z = mu + tf.exp(0.5 * logvar) * tf.random.normal(tf.shape(mu))
                errors = keras.losses.binary_crossentropy(data, self.decoder(z, training=True))
                kl = -0.5 * tf.reduce_sum(1 + logvar - mu**2 - tf.exp(logvar), axis=1)
                loss = tf.reduce_mean(tf.reduce_sum(errors, axis=(1, 2))) + 5.0 * tf.reduce_mean(kl)
            gradients = tape.gradient(loss, self.trainable_weights)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
            return {"loss": loss}

    model = PlainVAE()
    model.compile(optimizer=keras.optimizers.Adam(5e-4))
    ends = step_ends(keras.callbacks.Callback)
    batches = tf.data.Dataset.from_tensor_slices(images.astype(np.float32) / 255).shuffle(1024).batch(BATCH_SIZE)
    model.fit(batches.prefetch(2), shuffle=False, callbacks=[ends], verbose=0)
    return np.diff(ends.times)


def step_ends(callback):
    """Make a Keras callback that notes when each step ends."""

    class StepEnds(callback):
        def __init__(self):
            super().__init__()
            self.times = []

        def on_train_batch_end(self, batch, logs=None):
            self.times.append(time.perf_counter())

    return StepEnds()


RUNS = {
    "plain_keras": plain_keras,
    "float32": lambda images: this_project(images, "float32"),
    "bfloat16": lambda images: this_project(images, "mixed_bfloat16"),
}


def run_one(name, steps):
    """Measure one run in this process and print it as JSON."""
    peak = [0]

    def watch():
        while True:
            status = Path("/proc/self/status").read_text().splitlines()
            kilobytes = sum(int(line.split()[1]) for line in status if line.startswith(("RssAnon", "RssShmem")))
            peak[0] = max(peak[0], kilobytes)
            time.sleep(0.05)

    threading.Thread(target=watch, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "images.npy"
        np.save(file, np.random.default_rng(0).integers(0, 256, (steps * BATCH_SIZE, *IMAGE_SHAPE), dtype=np.uint8))
        seconds = RUNS[name](np.load(file, mmap_mode="r"))
    print(json.dumps({"img_per_s": BATCH_SIZE / float(np.median(seconds[2:])), "peak_mb": peak[0] / 1024}))


def main():
    """Run all in turn and print the table and the JSON object."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--steps", type=int, default=20)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--run", choices=RUNS, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.run:
        run_one(options.run, options.steps)
        return

    has_bfloat16 = effective_precision(HardwareConfig(device="cpu")) == "mixed_bfloat16"
    names = [name for name in RUNS if name != "bfloat16" or has_bfloat16]
    results = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            command = [sys.executable, __file__, "--run", name, "--steps", str(options.steps)]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            results[name].append(json.loads(output.splitlines()[-1]))

    speed = {name: statistics.median(run["img_per_s"] for run in runs) for name, runs in results.items()}
    peak = {name: statistics.median(run["peak_mb"] for run in runs) for name, runs in results.items()}
    print(f"{'':<14}{'images/s':>10}{'ratio':>8}{'peak MB':>10}")
    for name in names:
        print(f"{name:<14}{speed[name]:>10.1f}{speed[name] / speed['plain_keras']:>8.2f}{peak[name]:>10.0f}")
    rounded = {f"{name}_img_per_s": round(speed[name], 1) if name in speed else None for name in RUNS}
    print(json.dumps({**rounded, "peak_mb": round(max(peak[name] for name in names if name != "plain_keras"))}))


if __name__ == "__main__":
    main()

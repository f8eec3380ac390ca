"""Models so small that what comes out of them can be computed by hand, saved as training saves its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

OLD, NEW = "2024-01-01T00.00.00.000Z", "2024-01-02T00.00.00.000Z"


class SmallModel(NamedTuple):
    """One Dense layer each way; ``logvar`` is None for an autoencoder. Each a pair of weights and biases."""

    mu: tuple[np.ndarray, np.ndarray]
    logvar: tuple[np.ndarray, np.ndarray] | None
    decoder: tuple[np.ndarray, np.ndarray]

    def encode(self, images: np.ndarray) -> list[np.ndarray]:
        """[mu, logvar] or [z] of uint8 images."""
        flat = images.reshape(len(images), -1) / 255
        return [flat @ weights + bias for weights, bias in filter(None, (self.mu, self.logvar))]

    def decode(self, latents: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
        """Images in [0, 1]."""
        weights, bias = self.decoder
        return (1 / (1 + np.exp(-(latents.astype(np.float64) @ weights + bias)))).reshape(-1, *shape)


def save_small_model(
    project: Path,
    variant: str,
    *,
    seed: int = 0,
    shape: tuple[int, int, int] = (16, 16, 3),
    latent_dim: int = 5,
    version: str = OLD,
) -> SmallModel:
    """Save encoder and decoder of a variant (variational unless it is called ``ae``) with random weights."""
    import keras

    random = np.random.default_rng(seed)
    size = int(np.prod(shape))

    def dense(inputs: int, outputs: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
        weights, bias = random.normal(0, scale, (inputs, outputs)), random.normal(0, 0.1, outputs)
        return weights.astype(np.float32), bias.astype(np.float32)

    model = SmallModel(
        mu=dense(size, latent_dim, 0.1),
        logvar=dense(size, latent_dim, 0.02) if variant != "ae" else None,
        decoder=dense(latent_dim, size, 0.7),
    )
    images, latents = keras.Input(shape), keras.Input((latent_dim,))
    outputs = list(filter(None, (model.mu, model.logvar)))
    layers = [keras.layers.Dense(latent_dim) for _ in outputs]
    flat = keras.layers.Flatten()(images)
    encoded = [layer(flat) for layer in layers]
    encoder = keras.Model(images, encoded if len(encoded) > 1 else encoded[0])
    last = keras.layers.Dense(size, activation="sigmoid")
    decoder = keras.Model(latents, keras.layers.Reshape(shape)(last(latents)))
    for layer, weights in zip([*layers, last], [*outputs, model.decoder], strict=True):
        layer.set_weights(weights)
    for name, saved in (("encoder.keras", encoder), ("decoder.keras", decoder)):
        folder = project / "data/06_models" / variant / name / version
        folder.mkdir(parents=True)
        saved.save(folder / name)
    return model


def save_random_inception(path: Path) -> None:
    """Save Inception v3 without its last layer, with random weights that keep the size of what passes through."""
    import keras

    keras.utils.set_random_seed(3)
    model = keras.applications.InceptionV3(include_top=False, weights=None, input_shape=(299, 299, 3), pooling="avg")
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            # as He et al. scale weights before a ReLU; Keras' default would leave next to nothing after 90 layers
            layer.set_weights([np.sqrt(2) * layer.get_weights()[0]])
    model.save_weights(path)


def save_test_images(project: Path, count: int = 20, shape: tuple[int, int, int] = (16, 16, 3)) -> np.ndarray:
    """Save random test images."""
    images = np.random.default_rng(7).integers(0, 256, (count, *shape), np.uint8)
    np.save(project / "data/05_model_input/test_images.npy", images)
    return images


def save_train_images(
    project: Path, attributes: Sequence[str] = (), count: int = 40, shape: tuple[int, int, int] = (16, 16, 3)
) -> tuple[np.ndarray, np.ndarray]:
    """Save random training images and their attributes, of which the first is something that models can see.

    Gives the images and the attributes' values, 1, -1 or 0 (not known), int8 (count, attributes).
    """
    random = np.random.default_rng(8)
    images = random.integers(0, 256, (count, *shape), np.uint8)
    values = random.choice(np.int8([1, -1, 0]), (count, len(attributes)))
    if attributes:
        images[values[:, 0] == 1, : shape[0] // 2] //= 2
    np.save(project / "data/05_model_input/train_images.npy", images)
    save_train_attributes(project, attributes, values)
    return images, values


def save_train_attributes(project: Path, attributes: Sequence[str], values: np.ndarray) -> None:
    """Save a table of attributes as preparation does: without any, it has no rows."""
    table = pd.DataFrame(values, columns=list(attributes))
    table.insert(0, "image_id", [f"{row:06d}.jpg" for row in range(len(values))])
    table[: len(values) if attributes else 0].to_csv(project / "data/05_model_input/train_attributes.csv", index=False)

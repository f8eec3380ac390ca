"""Keras layers of the components. Importing this module registers them with Keras."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("haar_faces")
class HaarAnalysis(keras.layers.Layer):
    """One level of the orthonormal Haar transform, each of its four bands times a learned gain a channel.

    (n, h, w, c) becomes (n, h / 2, w / 2, 4 c).
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the gains, 1 at first."""
        self.gain = self.add_weight(shape=(4 * input_shape[-1],), initializer="ones", name="gain")

    def call(self, inputs: Any) -> Any:
        """Transform (n, h, w, c)."""
        a, b = inputs[:, ::2, ::2], inputs[:, ::2, 1::2]
        c, d = inputs[:, 1::2, ::2], inputs[:, 1::2, 1::2]
        return ops.concatenate([a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d], axis=-1) * self.gain / 2


@keras.saving.register_keras_serializable("haar_faces")
class HaarSynthesis(keras.layers.Layer):
    """The inverse of ``HaarAnalysis`` with gains of 1: (n, h, w, 4 c) becomes (n, 2 h, 2 w, c)."""

    def call(self, inputs: Any) -> Any:
        """Transform (n, h, w, 4 c)."""
        _, height, width, channels = inputs.shape
        mean, across, down, diagonal = ops.split(inputs, 4, axis=-1)
        upper = ops.stack([mean + across + down + diagonal, mean - across + down - diagonal], axis=3)
        lower = ops.stack([mean + across - down - diagonal, mean - across - down + diagonal], axis=3)
        return ops.reshape(ops.stack([upper, lower], axis=2), (-1, 2 * height, 2 * width, channels // 4)) / 2

"""What encoders and decoders have in common: options of stacked convolutions, and the layers after each of them."""

import itertools
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from celeba_vae.config import LayersConfig
from celeba_vae.errors import SettingError


class ConvolutionStack(BaseModel):
    """Options of a stack of convolutions: one entry a layer in each list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    filters: tuple[PositiveInt, ...] = Field(min_length=1, description="Filters of each layer")
    kernel_sizes: tuple[PositiveInt, ...] = Field((3, 3, 3, 3), description="Kernel size of each layer in pixels")
    strides: tuple[PositiveInt, ...] = Field((2, 2, 2, 2), description="Stride of each layer in pixels")
    padding: Literal["same", "valid"] = Field("same", description="Padding of all layers")

    @model_validator(mode="after")
    def _one_entry_a_layer(self) -> "ConvolutionStack":
        lengths = {name: len(getattr(self, name)) for name in ("filters", "kernel_sizes", "strides")}
        if len(set(lengths.values())) > 1:
            values = ", ".join(f"{name} has {n}: {list(getattr(self, name))}" for name, n in lengths.items())
            raise ValueError(f"filters, kernel_sizes and strides need one entry a layer each, but {values}")
        return self

    def _misfit(self, length: int, why: str) -> SettingError:
        return SettingError(
            f"{type(self).__name__} with kernel_sizes {list(self.kernel_sizes)}, strides {list(self.strides)} and"
            f" padding '{self.padding}' does not fit images of {length} pixels a side: {why}. Change image_size"
            " (parameters_data_engineering.yml) or the layers (parameters_training.yml)."
        )


class LayerFactory:
    """Makes layers of one precision whose weights depend on the seed and the layer's position alone."""

    def __init__(self, style: LayersConfig, precision: str, seed: int) -> None:
        self.style = style
        self.precision = precision
        self._seeds = itertools.count(seed * 1_000)

    def initializer(self) -> Any:
        """Give Glorot's uniform initialiser with a seed of its own."""
        import keras

        return keras.initializers.GlorotUniform(seed=next(self._seeds))

    def finish(self, x: Any, name: str, batch_normalization: bool = True) -> Any:
        """Put batch normalisation, activation and dropout, as chosen, after the layer ``name``."""
        import keras

        from celeba_vae.models.layers import FusedBatchNormalization

        if batch_normalization and self.style.batch_normalization:
            x = FusedBatchNormalization(
                momentum=self.style.batch_normalization_momentum, dtype=self.precision, name=f"{name}_normalization"
            )(x)
        activation = {
            "leaky_relu": keras.layers.LeakyReLU,  # slope 0.3, Keras' default and the articles'
            "relu": keras.layers.ReLU,
            "elu": keras.layers.ELU,
            "selu": lambda **kwargs: keras.layers.Activation("selu", **kwargs),
        }[self.style.activation]
        x = activation(dtype=self.precision, name=f"{name}_activation")(x)
        if self.style.dropout:
            x = keras.layers.Dropout(
                self.style.dropout, seed=next(self._seeds), dtype=self.precision, name=f"{name}_dropout"
            )(x)
        return x


def output_lengths(length: int, kernel_sizes: Sequence[int], strides: Sequence[int], padding: str) -> list[int]:
    """Follow one side of an image through strided convolutions: its length after each layer, in pixels."""
    lengths = []
    for kernel, stride in zip(kernel_sizes, strides, strict=True):
        length = -(-length // stride) if padding == "same" else max(0, (length - kernel) // stride + 1)
        lengths.append(length)
    return lengths

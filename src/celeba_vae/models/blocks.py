"""What encoders and decoders have in common: options of stacked convolutions, and how their layers are made."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pydantic import Field, PositiveInt, model_validator

from celeba_vae.config import LayersConfig, Options
from celeba_vae.errors import SettingError

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor

Padding = Literal["same", "valid"]
# of a convolution; upsampling is to the nearest neighbour, then comes a plain one
Kind = Literal["plain", "transposed", "upsampling"]


class Convolution(NamedTuple):
    """One layer of a stack: its filters, the side of its kernel and its stride, both in pixels."""

    filters: int
    kernel_size: int
    stride: int = 1


class LayerFactory:
    """Makes layers of one precision whose weights depend on the seed and the layer's position alone."""

    def __init__(self, style: LayersConfig, precision: str, seed: int) -> None:
        self.style = style
        self.precision = precision
        self._seeds = itertools.count(seed * 1_000)

    def initializer(self) -> keras.Initializer:
        """Give Glorot's uniform initialiser with a seed of its own."""
        import keras

        return keras.initializers.GlorotUniform(seed=next(self._seeds))

    def dense(self, x: KerasTensor, name: str, units: int, precision: str | None = None) -> KerasTensor:
        """Put a Dense layer after ``x``, of another precision where one is given."""
        import keras

        dtype = precision or self.precision
        return keras.layers.Dense(units, kernel_initializer=self.initializer(), dtype=dtype, name=name)(x)

    def convolve(
        self,
        x: KerasTensor,
        name: str,
        convolution: Convolution,
        kind: Kind = "plain",
        padding: Padding = "same",
        use_bias: bool = True,
    ) -> KerasTensor:
        """Put a convolution after ``x``, and nothing else."""
        import keras

        from celeba_vae.models.layers import UpsamplingConvolution

        layer = {
            "plain": keras.layers.Conv2D,
            "transposed": keras.layers.Conv2DTranspose,
            "upsampling": UpsamplingConvolution,
        }[kind]
        return layer(
            convolution.filters,
            convolution.kernel_size,
            strides=convolution.stride,
            padding=padding,
            use_bias=use_bias,
            kernel_initializer=self.initializer(),
            dtype=self.precision,
            name=name,
        )(x)

    def normalize(self, x: KerasTensor, name: str) -> KerasTensor:
        """Put batch normalisation after the layer ``name``, if chosen."""
        from celeba_vae.models.layers import FusedBatchNormalization

        if not self.style.batch_normalization:
            return x
        bias = getattr(x._keras_history.operation, "bias", None)
        if bias is not None:
            # normalisation takes every constant away again: the gradient is 0, and computing it takes time
            bias.trainable = False
        return FusedBatchNormalization(
            momentum=self.style.batch_normalization_momentum,
            synchronized=self.style.batch_normalization == "synchronized",
            dtype=self.precision,
            name=f"{name}_normalization",
        )(x)

    def activate(self, x: KerasTensor, name: str) -> KerasTensor:
        """Put the activation and, if chosen, dropout after the layer ``name``."""
        import keras

        from celeba_vae.models.layers import PlacedDropout

        activation = {
            "leaky_relu": keras.layers.LeakyReLU,  # slope 0.3, Keras' default and the articles'
            "relu": keras.layers.ReLU,
            "elu": keras.layers.ELU,
            "selu": lambda **kwargs: keras.layers.Activation("selu", **kwargs),
        }[self.style.activation]
        x = activation(dtype=self.precision, name=f"{name}_activation")(x)
        rate = self.style.dropout
        if not rate:
            return x
        return PlacedDropout(rate, seed=next(self._seeds), dtype=self.precision, name=f"{name}_dropout")(x)

    def finish(self, x: KerasTensor, name: str) -> KerasTensor:
        """Put all that follows a hidden convolution after the layer ``name``."""
        return self.activate(self.normalize(x, name), name)


class ConvolutionStack(Options):
    """Options of a stack of convolutions, one entry a layer in each list, and the layers that they describe.

    A subclass says which kind of convolution it is made of, or by ``layer`` what else a layer is.
    """

    layer_name: ClassVar[str]
    kind: ClassVar[Kind] = "plain"

    filters: tuple[PositiveInt, ...] = Field(min_length=1, description="Filters of each layer")
    kernel_sizes: tuple[PositiveInt, ...] = Field((3, 3, 3, 3), description="Kernel size of each layer in pixels")
    strides: tuple[PositiveInt, ...] = Field((2, 2, 2, 2), description="Stride of each layer in pixels")

    @model_validator(mode="after")
    def _one_entry_a_layer(self) -> ConvolutionStack:
        lengths = {name: len(getattr(self, name)) for name in ("filters", "kernel_sizes", "strides")}
        if len(set(lengths.values())) > 1:
            values = ", ".join(f"{name} has {n}: {list(getattr(self, name))}" for name, n in lengths.items())
            raise ValueError(f"filters, kernel_sizes and strides need one entry a layer each, but {values}")
        return self

    @property
    def convolutions(self) -> list[Convolution]:
        """The layers, the first first."""
        return [Convolution(*layer) for layer in zip(self.filters, self.kernel_sizes, self.strides, strict=True)]

    def stack(self, make: LayerFactory, x: KerasTensor, convolutions: Iterable[Convolution]) -> KerasTensor:
        """Put a layer for each of ``convolutions`` after ``x``."""
        for i, convolution in enumerate(convolutions, 1):
            x = self.layer(make, x, f"{self.layer_name}_{i}", convolution)
        return x

    def layer(self, make: LayerFactory, x: KerasTensor, name: str, convolution: Convolution) -> KerasTensor:
        """Put one hidden layer after ``x``: by default a convolution with what follows it."""
        return make.finish(self.convolve(make, x, name, convolution), name)

    def convolve(
        self, make: LayerFactory, x: KerasTensor, name: str, convolution: Convolution, use_bias: bool = True
    ) -> KerasTensor:
        """Put a convolution of the stack's kind and padding after ``x``, and nothing else."""
        return make.convolve(x, name, convolution, self.kind, self.padding_of_all(), use_bias)

    def padding_of_all(self) -> Padding:
        """Give the padding of all layers; it is an option of some stacks."""
        return "same"

    def check_strides(self, image_shape: tuple[int, int, int]) -> None:
        """Make sure that the product of the strides divides the image's sides; raise a SettingError otherwise."""
        stride = math.prod(self.strides)
        for length in image_shape[:2]:
            if length % stride:
                raise self.misfit(length, f"{length} is not a multiple of {stride}, the product of the strides")

    def check_kernels(self) -> None:
        """Make sure that no layer leaves out pixels between its strides; raise a SettingError otherwise.

        Beside learning nothing from those, TensorFlow 2.21 can crash in such a layer's gradient on a CPU.
        """
        for i, (_, kernel, stride) in enumerate(self.convolutions, 1):
            if kernel < stride:
                raise SettingError(
                    f"{type(self).__name__}: the kernel of layer {i}, {kernel} pixels, is smaller than its stride,"
                    f" {stride}: pixels between are left out. Change kernel_sizes or strides (parameters_training.yml)."
                )

    def misfit(self, length: int, why: str) -> SettingError:
        """Give the error for images whose side of ``length`` pixels does not fit the layers."""
        options = self.model_dump(include={"kernel_sizes", "strides", "padding"}, mode="json")
        return SettingError(
            f"{type(self).__name__} with {', '.join(f'{name} {value!r}' for name, value in options.items())}"
            f" does not fit images of {length} pixels a side: {why}. Change image_size"
            " (parameters_data_engineering.yml) or the layers (parameters_training.yml)."
        )


def residual_block(
    make: LayerFactory, x: KerasTensor, shortcut: KerasTensor, name: str, convolution: Convolution, kind: Kind = "plain"
) -> KerasTensor:
    """Add two convolutions of ``x`` to a shortcut past them (He et al. 2016, Deep residual learning, figure 2).

    Both are normalised; the activation comes between them and after the sum. ``shortcut`` is ``x`` in the shape that
    the block gives. Stride and ``kind`` are those of the first convolution.
    """
    import keras

    first, second = f"{name}_conv_1", f"{name}_conv_2"
    x = make.finish(make.convolve(x, first, convolution, kind), first)
    x = make.normalize(make.convolve(x, second, convolution._replace(stride=1)), second)
    return make.activate(keras.layers.Add(dtype=make.precision, name=name)([shortcut, x]), name)

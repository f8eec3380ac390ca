"""Encoders: from images to the latent space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, PositiveInt

from celeba_vae.config import LayersConfig, NoneFromText
from celeba_vae.models.blocks import Convolution, ConvolutionStack, LayerFactory, Padding, residual_block

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor


class Encoder(ConvolutionStack):
    """What the encoders share: a stack of layers, flatten, an optional Dense layer, a Dense layer for each output."""

    filters: tuple[PositiveInt, ...] = Field((32, 64, 128, 256), min_length=1, description="Filters of each layer")
    dense_units: Annotated[PositiveInt | None, NoneFromText] = Field(
        None, description="Units of an extra Dense layer after flattening, which saves parameters; none: no such layer"
    )

    def check(self, image_shape: tuple[int, int, int], latent_dim: int) -> None:
        """Make sure that strides and kernels fit the images; raise a SettingError otherwise."""
        self.check_kernels()
        self.check_strides(image_shape)

    def build(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int,
        outputs: tuple[str, ...],
        layers: LayersConfig,
        precision: str,
        seed: int,
    ) -> keras.Model:
        """Build the Keras model, as ``EncoderComponent`` says."""
        import keras

        make = LayerFactory(layers, precision, seed)
        inputs = keras.Input(image_shape, name="images")
        x = self.stack(make, inputs, self.convolutions)
        x = keras.layers.Flatten(dtype=precision, name="flatten")(x)
        if self.dense_units:
            x = make.activate(make.dense(x, "dense", self.dense_units), "dense")
        latents = [make.dense(x, name, latent_dim, precision="float32") for name in outputs]
        return keras.Model(inputs, latents if len(latents) > 1 else latents[0], name="encoder")


class ConvEncoder(Encoder):
    """The reference encoder: strided convolutions.

    Each is followed by batch normalisation, activation and dropout as ``layers`` in the parameters says.
    """

    layer_name: ClassVar[str] = "conv"

    padding: Padding = Field("same", description="Padding of all layers")

    def padding_of_all(self) -> Padding:
        """Give the option."""
        return self.padding

    def check(self, image_shape: tuple[int, int, int], latent_dim: int) -> None:
        """Make sure that strides and kernels fit and no layer's output is empty; raise a SettingError otherwise."""
        if self.padding == "same":
            super().check(image_shape, latent_dim)
            return
        self.check_kernels()
        for length in image_shape[:2]:
            lengths = [length]
            for _, kernel, stride in self.convolutions:
                lengths.append(max(0, (lengths[-1] - kernel) // stride + 1))
            if lengths[-1] < 1:
                raise self.misfit(length, f"the layers' outputs would have {lengths[1:]} pixels a side")


class ResidualEncoder(Encoder):
    """A ResNet of low depth: a residual block for each entry of ``filters``, the stride in its first convolution.

    The shortcut averages over the stride and has a 1x1 convolution where the block changes the channels, so that it
    leaves out no pixel (He et al. 2019, Bag of tricks for image classification, ResNet-D).
    """

    layer_name: ClassVar[str] = "residual"

    def layer(self, make: LayerFactory, x: KerasTensor, name: str, convolution: Convolution) -> KerasTensor:
        """Put a residual block after ``x``."""
        import keras

        shortcut, stride = x, convolution.stride
        if stride > 1:
            pooling = keras.layers.AveragePooling2D(stride, dtype=make.precision, name=f"{name}_shortcut_pooling")
            shortcut = pooling(shortcut)
        if x.shape[-1] != convolution.filters:
            shortcut = make.convolve(shortcut, f"{name}_shortcut", Convolution(convolution.filters, 1))
        return residual_block(make, x, shortcut, name, convolution)

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
        """Make sure that the layers fit the images.

        Raises:
            SettingError: the strides don't divide the image, or a kernel is smaller than its stride.
        """
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
        """Build the Keras model.

        Args:
            image_shape: (height, width, channels) of the images, which have values in [0, 1].
            latent_dim: Dimensions of each output.
            outputs: Names of the outputs: ("mu", "logvar") or ("z",), each (n, latent_dim), float32.
            layers: Activation, normalisation and dropout.
            precision: Keras dtype policy of the layers.
            seed: Seed of the weights.
        """
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

    def check(self, image_shape: tuple[int, int, int], latent_dim: int) -> None:
        """Make sure that every layer has pixels to work on.

        Raises:
            SettingError: a layer's output would be empty, with padding ``same`` the strides don't divide the image, or
                a kernel is smaller than its stride.
        """
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

    def convolve(
        self, make: LayerFactory, x: KerasTensor, name: str, convolution: Convolution, use_bias: bool = True
    ) -> KerasTensor:
        """Put a convolution with the chosen padding after ``x``."""
        return make.convolve(x, name, convolution, padding=self.padding, use_bias=use_bias)


class ResidualEncoder(Encoder):
    """A ResNet of low depth: a residual block for each entry of ``filters``, the stride in its first convolution.

    The shortcut averages over the stride and has a 1x1 convolution where the block changes the channels, so that it
    leaves out no pixel (He et al. 2019, Bag of tricks for image classification, ResNet-D).
    """

    layer_name: ClassVar[str] = "residual"

    def layer(self, make: LayerFactory, x: KerasTensor, name: str, convolution: Convolution) -> KerasTensor:
        """Put a residual block after ``x``."""
        import keras

        shortcut = x
        if convolution.stride > 1:
            shortcut = keras.layers.AveragePooling2D(
                convolution.stride, dtype=make.precision, name=f"{name}_shortcut_pooling"
            )(shortcut)
        if x.shape[-1] != convolution.filters:
            shortcut = make.convolve(shortcut, f"{name}_shortcut", Convolution(convolution.filters, 1))
        return residual_block(make, x, shortcut, name, convolution, keras.layers.Conv2D)

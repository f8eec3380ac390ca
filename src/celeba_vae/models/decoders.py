"""Decoders: from the latent space to images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PositiveInt

from celeba_vae.config import LayersConfig
from celeba_vae.errors import SettingError
from celeba_vae.models.blocks import Convolution, ConvolutionStack, Kind, LayerFactory, Padding, residual_block

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor


class Decoder(ConvolutionStack):
    """What the decoders share: a Dense layer to a small feature map, a stack of layers that enlarge it, logits.

    A sigmoid turns the logits into an image.
    """

    filters: tuple[PositiveInt, ...] = Field(
        (128, 64, 32, 3), min_length=1, description="Filters of each layer; the last are the image's channels"
    )
    start_filters: PositiveInt = Field(256, description="Channels of the feature map that the Dense layer makes")

    def check(self, image_shape: tuple[int, int, int], latent_dim: int) -> None:
        """Make sure that the layers end at the image's shape.

        Raises:
            SettingError: no feature map leads to this image size, or the last layer has other channels than the image.
        """
        self.start_shape(image_shape)
        _, to_logits = self.split(image_shape)
        if to_logits.filters != image_shape[2]:
            raise SettingError(
                f"{type(self).__name__}: the last of filters {list(self.filters)} must be the image's {image_shape[2]}"
                " channels (parameters_training.yml)."
            )

    def build(
        self, image_shape: tuple[int, int, int], latent_dim: int, layers: LayersConfig, precision: str, seed: int
    ) -> keras.Model:
        """Build the Keras model, as ``DecoderComponent`` says."""
        import keras

        from celeba_vae.models.layers import Bias

        make = LayerFactory(layers, precision, seed)
        start = self.start_shape(image_shape)
        hidden, to_logits = self.split(image_shape)
        inputs = keras.Input((latent_dim,), name="latents")
        x = make.dense(inputs, "dense", math.prod(start))
        x = keras.layers.Reshape(start, dtype=precision, name="feature_map")(x)
        x = self.stack(make, x, hidden)
        x = self.convolve(make, x, "logits_convolution", to_logits, use_bias=False)
        # float32, since its gradient is a sum over all pixels of all images: bfloat16 would lose most of it
        logits = Bias(dtype="float32", name="logits")(x)
        images = keras.layers.Activation("sigmoid", dtype="float32", name="images")(logits)
        return keras.Model(inputs, images, name="decoder")

    def split(self, image_shape: tuple[int, int, int]) -> tuple[list[Convolution], Convolution]:
        """Give the hidden layers, and the one that makes the logits."""
        return self.convolutions[:-1], self.convolutions[-1]

    def start_shape(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Give the shape of the feature map that leads to the image; raise a SettingError if there is none."""
        self.check_strides(image_shape)
        height, width = (length // math.prod(self.strides) for length in image_shape[:2])
        return height, width, self.start_filters


class ConvTransposeDecoder(Decoder):
    """The reference decoder: strided transposed convolutions.

    Each but the last is followed by batch normalisation, activation and dropout as ``layers`` in the parameters says.
    """

    layer_name: ClassVar[str] = "conv_transpose"
    kind: ClassVar[Kind] = "transposed"

    padding: Padding = Field("same", description="Padding of all layers")

    def padding_of_all(self) -> Padding:
        """Give the option."""
        return self.padding

    def check(self, image_shape: tuple[int, int, int], latent_dim: int) -> None:
        """Make sure that the layers end at the image's shape and leave no pixel empty.

        Raises:
            SettingError: as for any decoder, and where a kernel is smaller than its stride.
        """
        self.check_kernels()
        super().check(image_shape, latent_dim)

    def start_shape(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Follow the layers backwards to the feature map; raise a SettingError if there is none."""
        if self.padding == "same":
            return super().start_shape(image_shape)
        sides = []
        for length in image_shape[:2]:
            side = length
            for _, kernel, stride in reversed(self.convolutions):
                # Keras makes n * stride + max(kernel - stride, 0) pixels of n
                enlarged = side - max(kernel - stride, 0)
                if enlarged < stride or enlarged % stride:
                    raise self.misfit(length, f"a layer of stride {stride} can't make {side} pixels")
                side = enlarged // stride
            sides.append(side)
        return sides[0], sides[1], self.start_filters


class UpsamplingDecoder(Decoder):
    """Nearest-neighbour upsampling by the stride and then a convolution in each layer.

    Every pixel is made of equally many products, so that there are no crossing lines as transposed convolutions leave
    them (Odena et al. 2016, Deconvolution and checkerboard artifacts). Each layer but the last is followed by batch
    normalisation, activation and dropout as ``layers`` in the parameters says.
    """

    layer_name: ClassVar[str] = "upsampling"
    kind: ClassVar[Kind] = "upsampling"

    kernel_sizes: tuple[PositiveInt, ...] = Field((3, 3, 3, 5), description="Kernel size of each layer in pixels")


class ResidualDecoder(Decoder):
    """Nearest-neighbour upsampling by the stride and then a residual block for each entry of ``filters``.

    The shortcut has a 1x1 convolution where the block changes the channels. A last convolution, with the last block's
    kernel size, makes the logits.
    """

    layer_name: ClassVar[str] = "residual"

    filters: tuple[PositiveInt, ...] = Field((128, 64, 32, 16), min_length=1, description="Filters of each block")

    def split(self, image_shape: tuple[int, int, int]) -> tuple[list[Convolution], Convolution]:
        """Give all blocks, and a layer of their own for the logits."""
        return self.convolutions, Convolution(image_shape[2], self.kernel_sizes[-1])

    def layer(self, make: LayerFactory, x: KerasTensor, name: str, convolution: Convolution) -> KerasTensor:
        """Put upsampling with a residual block after ``x``."""
        import keras

        shortcut, stride = x, convolution.stride
        # before the upsampling, since a 1x1 convolution gives the same there for less
        if x.shape[-1] != convolution.filters:
            shortcut = make.convolve(shortcut, f"{name}_shortcut", Convolution(convolution.filters, 1))
        if stride > 1:
            upsampling = keras.layers.UpSampling2D(stride, dtype=make.precision, name=f"{name}_shortcut_upsampling")
            shortcut = upsampling(shortcut)
        return residual_block(make, x, shortcut, name, convolution, "upsampling")

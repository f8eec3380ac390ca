"""Decoders: from the latent space to images."""

from typing import Any

from pydantic import Field, PositiveInt

from celeba_vae.config import LayersConfig
from celeba_vae.errors import SettingError
from celeba_vae.models.blocks import ConvolutionStack, LayerFactory


class ConvTransposeDecoder(ConvolutionStack):
    """The reference decoder: a Dense layer to a small feature map, then strided transposed convolutions.

    Each but the last is followed by batch normalisation, activation and dropout as ``layers`` in the parameters says;
    the last gives logits, which a sigmoid turns into an image.
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
        self._start_shape(image_shape)
        if self.filters[-1] != image_shape[2]:
            raise SettingError(
                f"{type(self).__name__}: the last of filters {list(self.filters)} must be the image's {image_shape[2]}"
                " channels (parameters_training.yml)."
            )

    def build(
        self, image_shape: tuple[int, int, int], latent_dim: int, layers: LayersConfig, precision: str, seed: int
    ) -> Any:
        """Build the Keras model: latents (n, latent_dim) to float32 images (n, height, width, channels) in [0, 1].

        The layer ``logits`` gives the values before the sigmoid: losses are computed from those.

        Args:
            image_shape: (height, width, channels) of the images.
            latent_dim: Dimensions of the latent space.
            layers: Activation, normalisation and dropout.
            precision: Keras dtype policy of the layers.
            seed: Seed of the weights.
        """
        import keras

        make = LayerFactory(layers, precision, seed)
        start = self._start_shape(image_shape)
        x = inputs = keras.Input((latent_dim,), name="latents")
        x = keras.layers.Dense(
            start[0] * start[1] * start[2], kernel_initializer=make.initializer(), dtype=precision, name="dense"
        )(x)
        x = keras.layers.Reshape(start, dtype=precision, name="feature_map")(x)
        last = len(self.filters)
        for i, (filters, kernel, stride) in enumerate(
            zip(self.filters, self.kernel_sizes, self.strides, strict=True), 1
        ):
            name = f"conv_transpose_{i}" if i < last else "logits"
            x = keras.layers.Conv2DTranspose(
                filters,
                kernel,
                strides=stride,
                padding=self.padding,
                kernel_initializer=make.initializer(),
                dtype=precision,
                name=name,
            )(x)
            if i < last:
                x = make.finish(x, name)
        images = keras.layers.Activation("sigmoid", dtype="float32", name="images")(x)
        return keras.Model(inputs, images, name="decoder")

    def _start_shape(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Follow the layers backwards from the image to the shape of the first feature map."""
        sides = []
        for length in image_shape[:2]:
            side = length
            for kernel, stride in zip(reversed(self.kernel_sizes), reversed(self.strides), strict=True):
                # Keras: n * stride pixels with padding `same`, n * stride + max(kernel - stride, 0) with `valid`
                enlarged = side if self.padding == "same" else side - max(kernel - stride, 0)
                if enlarged < stride or enlarged % stride:
                    raise self._misfit(length, f"a layer of stride {stride} can't make {side} pixels")
                side = enlarged // stride
            sides.append(side)
        return sides[0], sides[1], self.start_filters

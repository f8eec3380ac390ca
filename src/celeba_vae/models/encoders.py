"""Encoders: from images to the latent space."""

import math
from typing import Annotated, Any

from pydantic import Field, PositiveInt

from celeba_vae.config import LayersConfig, NoneFromText
from celeba_vae.models.blocks import ConvolutionStack, LayerFactory, output_lengths


class ConvEncoder(ConvolutionStack):
    """The reference encoder: strided convolutions, flatten, an optional Dense layer, and a Dense layer for each output.

    Each convolution is followed by batch normalisation, activation and dropout as ``layers`` in the parameters says.
    """

    filters: tuple[PositiveInt, ...] = Field((32, 64, 128, 256), min_length=1, description="Filters of each layer")
    dense_units: Annotated[PositiveInt | None, NoneFromText] = Field(
        None, description="Units of an extra Dense layer after flattening, which saves parameters; none: no such layer"
    )

    def check(self, image_shape: tuple[int, int, int], latent_dim: int) -> None:
        """Make sure that every layer has pixels to work on.

        Raises:
            SettingError: a layer's output would be empty, or with padding ``same`` the strides don't divide the image.
        """
        for length in image_shape[:2]:
            lengths = output_lengths(length, self.kernel_sizes, self.strides, self.padding)
            if min(lengths) < 1:
                raise self._misfit(length, f"the layers' outputs would have {lengths} pixels a side")
            stride = math.prod(self.strides)
            if self.padding == "same" and length % stride:
                raise self._misfit(length, f"{length} is not a multiple of {stride}, the product of the strides")

    def build(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int,
        outputs: tuple[str, ...],
        layers: LayersConfig,
        precision: str,
        seed: int,
    ) -> Any:
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
        x = inputs = keras.Input(image_shape, name="images")
        for i, (filters, kernel, stride) in enumerate(
            zip(self.filters, self.kernel_sizes, self.strides, strict=True), 1
        ):
            name = f"conv_{i}"
            x = keras.layers.Conv2D(
                filters,
                kernel,
                strides=stride,
                padding=self.padding,
                kernel_initializer=make.initializer(),
                dtype=precision,
                name=name,
            )(x)
            x = make.finish(x, name)
        x = keras.layers.Flatten(dtype=precision, name="flatten")(x)
        if self.dense_units:
            x = keras.layers.Dense(
                self.dense_units, kernel_initializer=make.initializer(), dtype=precision, name="dense"
            )(x)
            x = make.finish(x, "dense", batch_normalization=False)
        latents = [
            keras.layers.Dense(latent_dim, kernel_initializer=make.initializer(), dtype="float32", name=name)(x)
            for name in outputs
        ]
        return keras.Model(inputs, latents if len(latents) > 1 else latents[0], name="encoder")

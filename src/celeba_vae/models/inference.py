"""Images through trained models, batch by batch, so that memory does not grow with their number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from celeba_vae.errors import DataError

if TYPE_CHECKING:
    import keras

# Every block that is decoded has this many points, the last one filled up: the last bits of a result depend on the
# number of points that are computed together, and a picture that is made again must not differ in any.
DECODED_TOGETHER = 64


def encode(encoder: keras.Model, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
    """Give the latents of images, as ``encode_batches`` does, in one array: (n, latent_dim) float32."""
    return _concatenated(encode_batches(encoder, images, batch_size), row_shape=encoder.outputs[0].shape[1:])


def encode_batches(encoder: keras.Model, images: np.ndarray, batch_size: int = 128) -> Iterator[np.ndarray]:
    """Encode images (n, h, w, c), uint8 or float in [0, 1], batch by batch; they may be memory-mapped.

    Returns:
        Blocks of at most ``batch_size`` latents, float32, n together: mu of a variational encoder, z of a plain one.

    Raises:
        DataError: the encoder takes images of another shape.
    """
    expected = tuple(encoder.input_shape[1:])
    if images.shape[1:] != expected:
        raise DataError(
            f"The encoder takes images of {expected[1]}x{expected[0]} pixels, these have"
            f" {images.shape[2]}x{images.shape[1]}. Train it on images of this size, prepare images of its size"
            " (data_engineering.image_size), or choose another version of it with --load-versions."
        )
    for first in range(0, len(images), batch_size):
        mu, _ = encoder_outputs(encoder, images[first : first + batch_size])
        yield mu


def encoder_outputs(encoder: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Pass images (n, h, w, c), uint8 or float in [0, 1], through an encoder at once.

    Returns:
        mu and logvar of a variational encoder, z and None of a plain one; (n, latent_dim) float32 each.
    """
    images = np.asarray(images)
    scale = 255 if images.dtype == np.uint8 else 1
    outputs = encoder.predict_on_batch(images.astype(np.float32) / np.float32(scale))
    mu, logvar = outputs if isinstance(outputs, list | tuple) else (outputs, None)
    return np.asarray(mu, np.float32), None if logvar is None else np.asarray(logvar, np.float32)


def decode(decoder: keras.Model, latents: np.ndarray) -> np.ndarray:
    """Give the images of latents (n, latent_dim), as ``decode_batches`` does, in one array: (n, h, w, c) float32."""
    return _concatenated(decode_batches(decoder, latents), row_shape=decoder.output_shape[1:])


def decode_batches(decoder: keras.Model, latents: np.ndarray) -> Iterator[np.ndarray]:
    """Decode latents (n, latent_dim) block by block: for more images than fit into memory.

    An image depends on its latent and on its row's place in its block alone, not on what else is decoded: latent i
    stands at place i modulo ``DECODED_TOGETHER`` of a block of that size.

    Returns:
        Blocks of at most ``DECODED_TOGETHER`` images, float32 in [0, 1], n together.

    Raises:
        DataError: the decoder has another number of latent dimensions than the points.
    """
    latent_dim = decoder.input_shape[-1]
    if latents.shape[1:] != (latent_dim,):
        raise DataError(
            f"The decoder takes points of {latent_dim} dimensions (latent_dim), these have {latents.shape[-1]}. Choose"
            " versions of both from the same training with --load-versions, or make the points again."
        )
    return _decoded(decoder, latents)


def decode_row(decoder: keras.Model, latent: np.ndarray, row: int) -> np.ndarray:
    """Decode one point as ``decode_batches`` does if it stands in this row, to the bit: (h, w, c) float32."""
    latents = np.zeros((row % DECODED_TOGETHER + 1, len(latent)), np.float32)
    latents[-1] = latent
    return decode(decoder, latents)[-1]


def reconstruct(encoder: keras.Model, decoder: keras.Model, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
    """Pass images through encoder and decoder with z = mu (the articles' predict mode); as ``decode`` gives them."""
    return decode(decoder, encode(encoder, images, batch_size))


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Turn float images in [0, 1] into uint8 in 0..255: values outside are clipped, those between are rounded."""
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def weights_hash(model: keras.Model) -> str:
    """Hash a model's weights to 16 hexadecimal digits: another training of it has others."""
    digest = hashlib.sha256()
    for weight in model.weights:
        digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()[:16]


def _decoded(decoder: keras.Model, latents: np.ndarray) -> Iterator[np.ndarray]:
    for first in range(0, len(latents), DECODED_TOGETHER):
        points = latents[first : first + DECODED_TOGETHER]
        block = np.zeros((DECODED_TOGETHER, latents.shape[1]), np.float32)
        block[: len(points)] = points
        yield np.asarray(decoder.predict_on_batch(block)[: len(points)], np.float32)


def _concatenated(batches: Iterable[np.ndarray], row_shape: tuple[int, ...]) -> np.ndarray:
    # the empty block makes an array where there are no batches
    return np.concatenate([np.zeros((0, *row_shape), np.float32), *batches])

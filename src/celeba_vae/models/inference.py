"""Images through trained models, batch by batch, so that memory does not grow with their number."""

from collections.abc import Iterator
from typing import Any

import numpy as np


def decode(decoder: Any, latents: np.ndarray, batch_size: int = 128) -> np.ndarray:
    """Give the images of latents (n, latent_dim): (n, h, w, c) float32 in [0, 1]."""
    return _concatenated(decoder(batch, training=False) for batch in _batches(latents, batch_size))


def reconstruct(encoder: Any, decoder: Any, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
    """Pass images through encoder and decoder with z = mu (the articles' predict mode); as ``decode`` gives them."""
    return _concatenated(
        decoder(first_output(encoder(batch, training=False)), training=False) for batch in _batches(images, batch_size)
    )


def first_output(outputs: Any) -> Any:
    """Give mu of [mu, logvar], or the only output of a plain encoder."""
    return outputs[0] if isinstance(outputs, list | tuple) else outputs


def _batches(values: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    for first in range(0, len(values), batch_size):
        batch = np.asarray(values[first : first + batch_size])
        scale = 255 if batch.dtype == np.uint8 else 1
        yield batch.astype(np.float32) / np.float32(scale)


def _concatenated(batches: Iterator[Any]) -> np.ndarray:
    return np.concatenate([np.asarray(batch, dtype=np.float32) for batch in batches])

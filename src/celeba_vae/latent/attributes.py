"""Attribute arithmetic: which way in the latent space makes a face smile, or puts glasses on it."""

import difflib
from collections.abc import Sequence

import numpy as np

from celeba_vae.errors import SettingError

# rows that are taken into memory at once
_BLOCK = 8192


def attribute_directions(latents: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find each attribute's direction: mean(latents of images with it) - mean(latents of those without it).

    Larsen et al., "Autoencoding beyond pixels using a learned similarity metric" (2016). An image of which it is not
    known counts for neither.

    Args:
        latents: (n, latent_dim), mu or z of images; read block by block.
        values: (n, attributes), 1 with, -1 without, 0 not known.

    Returns:
        The directions (attributes, latent_dim) float32, NaN where one side has no images; and for each attribute the
        number of images with it and without it.
    """
    kinds = [1, -1]
    sums = np.zeros((len(kinds), values.shape[1], latents.shape[1]))
    for first in range(0, len(latents), _BLOCK):
        block = latents[first : first + _BLOCK].astype(np.float64)
        for sum_, kind in zip(sums, kinds, strict=True):
            sum_ += (values[first : first + _BLOCK] == kind).T.astype(np.float64) @ block
    counts = np.stack([(values == kind).sum(axis=0) for kind in kinds])
    means = sums / np.where(counts, counts, np.nan)[..., None]
    return (means[0] - means[1]).astype(np.float32), counts[0], counts[1]


def check_attribute(name: str, known: Sequence[str]) -> None:
    """Look for an attribute that faces are to be moved along among those of the training images.

    Raises:
        SettingError: it is not there; the message names the nearest and all that are.
    """
    setting = "generation.attributes.names"
    if not known:
        raise SettingError(
            f"{setting} names '{name}', but the training images come without attributes. Put a list of them"
            " (list_attr_celeba) beside the originals, then run all pipelines; or set names to auto to do without."
        )
    if name not in known:
        raise SettingError(f"{setting}: {unknown_attribute(name, known)}")


def unknown_attribute(name: str, known: Sequence[str]) -> str:
    """Say that there is no such attribute, which is nearest and which there are."""
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return f"unknown attribute '{name}'.{hint} Known: {', '.join(known)}."

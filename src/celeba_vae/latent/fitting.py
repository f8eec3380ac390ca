"""Encode training images and fit samplers to their latents, once for every pipeline that wants them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from celeba_vae.config import ComponentConfig
from celeba_vae.config.plugins import component_record, create_component
from celeba_vae.latent.points import one_point_note
from celeba_vae.latent.samplers import EncodedImages, check_rows
from celeba_vae.models.inference import encode_batches, encoder_outputs, weights_hash
from celeba_vae.storage import Arrays, load_arrays, save_arrays
from celeba_vae.storage.npy import write_blocks
from celeba_vae.storage.stages import Stage, content_of

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

# raise it when what older code encoded, or fitted, is no longer what this code would
LATENTS_FORMAT, FIT_FORMAT = 1, 1


def encode_images(encoder: keras.Model, images: np.ndarray, latent_stages: Path, fresh: bool = False) -> Path:
    """Encode training images (n, h, w, 3) uint8: mu of a variational encoder, z of a plain one.

    Latents that the same encoder made of the same images are handed on, but for ``fresh``; they are kept in
    ``latent_stages``. The file is of an array (n, latent_dim) float32, its rows in the order of the images.
    """
    identity = {"format": LATENTS_FORMAT, "encoder": weights_hash(encoder), "train_images": content_of(images)}
    with Stage(latent_stages / "train_latents", identity, fresh) as stage:
        file = stage.path / "train_latents.npy"
        if stage.result is None:
            logger.info("Encoding %s training images", f"{len(images):,}")
            shape = (len(images), encoder.outputs[0].shape[-1])
            write_blocks(file, shape, np.dtype(np.float32), encode_batches(encoder, images))
            stage.finish({"rows": shape[0], "latent_dim": shape[1]})
        return file


def fit_to_latents(
    encoder: keras.Model,
    train_latents: np.ndarray,
    test_images: np.ndarray,
    latent_stages: Path,
    config: ComponentConfig,
    fresh: bool = False,
) -> Arrays:
    """Give the arrays that the sampler keeps, none of one that is not fitted; kept and handed on as latents are.

    The encoder makes ``train_latents`` (n, latent_dim) of training images.

    Raises:
        SettingError: the sampler does not suit the encoder, or names a test image that is not there.
        DataError: it can't be fitted to these latents.
    """
    sampler = create_component("samplers", config)
    if not hasattr(sampler, "fit"):
        return {}

    def posterior(rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray | None]:
        check_rows(rows, len(test_images))
        return encoder_outputs(encoder, np.stack([test_images[row] for row in rows]))

    identity = {
        "format": FIT_FORMAT,
        "sampler": component_record("samplers", config),
        "encoder": weights_hash(encoder),
        "train_latents": content_of(train_latents),
        "test_images": content_of(test_images),
    }
    with Stage(latent_stages / "fitted_samplers", identity, fresh) as stage:
        file = stage.path / "arrays.npz"
        if stage.result is None:
            logger.info("Fitting the sampler %s to %s latents", config.name, f"{len(train_latents):,}")
            arrays = sampler.fit(EncodedImages(train_latents, posterior))
            save_arrays(file, arrays)
            stage.finish({name: list(array.shape) for name, array in arrays.items()})
        arrays = load_arrays(file)
    if note := one_point_note(config.name, sampler, train_latents.shape[1], arrays):
        logger.warning(note)
    return arrays

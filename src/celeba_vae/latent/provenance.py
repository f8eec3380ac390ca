"""Where each generated image comes from: a table with a row an image, from which it can be made again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from celeba_vae.config import ComponentConfig, GenerationConfig
from celeba_vae.config.plugins import component_record, create_component
from celeba_vae.errors import DataError
from celeba_vae.latent.points import distances, sample_points
from celeba_vae.models.inference import decode_row, to_uint8, weights_hash
from celeba_vae.photos.enhancers import enhance
from celeba_vae.storage import Arrays

if TYPE_CHECKING:
    import keras


def provenance(decoder: keras.Model, latents: np.ndarray, generation: GenerationConfig) -> pd.DataFrame:
    """Write down where the images of latents (n, latent_dim) come from, as they are decoded: a row an image.

    ``id`` (the row), ``variant``, ``decoder`` (a hash of its weights), ``sampler`` (JSON: name and all options),
    ``seed``, ``distance`` (L2 norm of the latents) and ``enhancer`` (JSON: a list of such).
    """
    return pd.DataFrame(
        {
            "id": range(len(latents)),
            "variant": generation.variant,
            "decoder": weights_hash(decoder),
            "sampler": json.dumps(component_record("samplers", generation.sampler)),
            "seed": generation.seed,
            "distance": distances(latents),
            "enhancer": enhancer_text([ComponentConfig(name="none")]),
        }
    )


def enhancer_text(chain: Sequence[ComponentConfig]) -> str:
    """Give what the column ``enhancer`` says of images that were passed through a chain of enhancers."""
    return json.dumps([component_record("enhancers", config) for config in chain])


def remake_image(row: Mapping[str, Any], decoder: keras.Model, fitted: Arrays | None = None) -> np.ndarray:
    """Make a generated image, decoded or enhanced, again from its row in ``index.csv``: (h, w, 3) uint8.

    On the same machine it is the same to the byte. ``fitted`` are the arrays of a sampler that is fitted.

    Raises:
        DataError: decoder or arrays are not those that made the image.

    Example:
        >>> remake_image(  # doctest: +SKIP
        ...     catalog.load("sharpened_images").index.loc[5],
        ...     catalog.load("vae.decoder"),
        ...     catalog.load("vae.fitted_sampler"),
        ... )
    """
    number = int(row["id"])
    if weights_hash(decoder) != row["decoder"]:
        raise DataError(
            f"Image {number} was made by another version of {row['variant']}.decoder, whose weights have the hash"
            f" {row['decoder']}. Load that one, mostly the newest from before the images:"
            f' catalog.load("{row["variant"]}.decoder", version="..."), where the version is one of'
            f' catalog["{row["variant"]}.decoder"].list_versions(full_path=False).'
        )
    sampler = create_component("samplers", ComponentConfig(**json.loads(row["sampler"])))
    points = sample_points(sampler, [number], decoder.input_shape[-1], int(row["seed"]), fitted)
    if not math.isclose(distances(points)[0], row["distance"], rel_tol=1e-9):
        raise DataError(
            f"Image {number} was made of another point: its sampler, {row['sampler']}, was fitted to something else."
            " Load its arrays in the version that the images have, which the run gave to both:"
            f' catalog.load("{row["variant"]}.fitted_sampler", version="...").'
        )
    enhancers = [create_component("enhancers", ComponentConfig(**each)) for each in json.loads(row["enhancer"])]
    return enhance(to_uint8(decode_row(decoder, points[0], number)), enhancers)

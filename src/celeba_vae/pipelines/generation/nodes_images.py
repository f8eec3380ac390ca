"""Decode points of the latent space, enhance the images, show them, and make single ones again."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.config import ComponentConfig, GenerationConfig
from celeba_vae.config.plugins import component_record, create_component
from celeba_vae.datasets import ImageFolder
from celeba_vae.errors import DataError
from celeba_vae.latent.samplers import distances, sample_points
from celeba_vae.models.inference import to_uint8
from celeba_vae.photos.enhancers import Sharpness, enhance, enhance_blocks
from celeba_vae.reporting.grids import GRID_SCALE, comparison_grid, image_grid

GRID_COUNT = 140


def decode_latents(decoder: Any, latents: np.ndarray, parameters: GenerationConfig) -> ImageFolder:
    """Turn latents into uint8 images, decoded as they are saved, with a table from which each can be made again.

    The table's columns: ``id`` (the row), ``variant``, ``decoder`` (a hash of its weights), ``sampler`` (JSON: its name
    and all its options), ``seed``, ``distance`` (L2 norm of the latents) and ``enhancer`` (JSON: a list of such).

    Raises:
        DataError: the decoder has another number of latent dimensions than the points.
    """
    from celeba_vae.models.inference import decode_batches, weights_hash

    index = pd.DataFrame(
        {
            "id": range(len(latents)),
            "variant": parameters.variant,
            "decoder": weights_hash(decoder),
            "sampler": json.dumps(component_record("samplers", parameters.sampler)),
            "seed": parameters.seed,
            "distance": distances(latents),
            "enhancer": _enhancer_text(ComponentConfig(name="none")),
        }
    )
    return ImageFolder((to_uint8(batch) for batch in decode_batches(decoder, latents)), index)


def enhance_images(generated: ImageFolder, parameters: GenerationConfig) -> ImageFolder:
    """Pass the images through the chain ``enhancer``, as they are saved."""
    enhancers = [create_component("enhancers", config) for config in parameters.enhancer]
    index = generated.index.assign(enhancer=_enhancer_text(*parameters.enhancer))
    return ImageFolder(enhance_blocks(generated.blocks(), enhancers), index)


def remake_image(row: Mapping[str, Any], decoder: Any, fitted: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
    """Make a generated image again from its row in ``index.csv``, on the same machine to the byte.

    Args:
        row: The row, of the images as decoded or as enhanced.
        decoder: The decoder that made it.
        fitted: The arrays that the sampler was fitted with, where it is one that is fitted.

    Returns:
        (h, w, 3) uint8.

    Raises:
        DataError: decoder or arrays are not those that made the image.

    Example:
        >>> remake_image(  # doctest: +SKIP
        ...     catalog.load("sharpened_images").index.loc[5],
        ...     catalog.load("vae.decoder"),
        ...     catalog.load("vae.fitted_sampler"),
        ... )
    """
    from celeba_vae.models.inference import decode_row, weights_hash

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


def draw_grid(images: ImageFolder, parameters: GenerationConfig) -> Image.Image:
    """Show the images, each with its file's number; of very many only the first."""
    shown = images.images[:GRID_COUNT]
    first = f"the first {len(shown)} of " if len(shown) < len(images.images) else ""
    made = images.index.iloc[0]
    enhancers = " then ".join(map(_in_words, json.loads(made["enhancer"])))
    return image_grid(
        shown,
        parameters.columns,
        title=f"{parameters.variant.upper()}: {first}{len(images.images)} faces. Sampler: "
        f"{_in_words(json.loads(made['sampler']))}, seed {parameters.seed}. Enhancer: {enhancers}",
        captions=[f"{row:06d}" for row in range(len(shown))],
        scale=GRID_SCALE,
    )


def draw_sharpening_series(generated: ImageFolder, parameters: GenerationConfig) -> Image.Image:
    """Show a row of the generated faces once for each of ``sharpening_factors``."""
    faces = generated.images[: parameters.columns]
    rows = {
        f"factor {factor:g}": np.stack([enhance(face, [Sharpness(factor=factor)]) for face in faces])
        for factor in parameters.sharpening_factors
    }
    return comparison_grid(
        rows,
        parameters.columns,
        title=f"{parameters.variant.upper()}: the same faces sharpened by different factors; 0 smooths them, 1 would"
        " leave them as decoded",
        captions=[f"{row:06d}" for row in range(len(faces))],
        scale=GRID_SCALE,
    )


def _enhancer_text(*chain: ComponentConfig) -> str:
    return json.dumps([component_record("enhancers", config) for config in chain])


def _in_words(record: dict[str, Any]) -> str:
    options = ", ".join(f"{option} {value}" for option, value in record.items() if option != "name")
    return f"{record['name']} ({options})" if options else record["name"]

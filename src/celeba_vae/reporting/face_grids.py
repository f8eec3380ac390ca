"""Pictures of the faces that a model makes of random points, and of what samplers and sharpening change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.config import GenerationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.latent.points import distances, sample_points
from celeba_vae.latent.samplers import Normal, Sampler, Uniform
from celeba_vae.models.inference import decode, to_uint8
from celeba_vae.photos.enhancers import Sharpness, enhance
from celeba_vae.reporting.grids import GRID_SCALE, comparison_grid, image_grid
from celeba_vae.storage import Arrays

if TYPE_CHECKING:
    import keras


class FaceRow(NamedTuple):
    """A row of faces in a picture.

    Args:
        label: What stands at its left.
        images: (h, w, 3) uint8 each, as many as in every other row.
        captions: One an image; none, where all rows have none.
    """

    label: str
    images: np.ndarray | Sequence[np.ndarray]
    captions: Sequence[str] = ()


def face_rows(rows: Sequence[FaceRow], title: str) -> Image.Image:
    """Draw rows of faces one below the other."""
    return image_grid(
        [image for row in rows for image in row.images],
        len(rows[0].images),
        title=title,
        captions=[caption for row in rows for caption in row.captions],
        row_labels=[row.label for row in rows],
        scale=GRID_SCALE,
    )


def decoded(decoder: keras.Model, latents: np.ndarray) -> np.ndarray:
    """Give the images of latents (n, latent_dim) as they are shown: (n, h, w, 3) uint8."""
    return to_uint8(decode(decoder, latents))


def generated_grid(first: np.ndarray, index: pd.DataFrame, columns: int) -> Image.Image:
    """Show the first of generated images, each with its file's number, and how they were made.

    Args:
        first: (n, h, w, 3) uint8.
        index: Where all of them come from, see ``provenance``.
        columns: Images in a row.
    """
    made = index.iloc[0]
    count = f"the first {len(first)} of {len(index)}" if len(first) < len(index) else f"{len(index)}"
    enhancers = " then ".join(map(_in_words, json.loads(made["enhancer"])))
    return image_grid(
        first,
        columns,
        title=f"{made['variant'].upper()}: {count} faces. Sampler: {_in_words(json.loads(made['sampler']))}, seed"
        f" {made['seed']}. Enhancer: {enhancers}",
        captions=_file_numbers(len(first)),
        scale=GRID_SCALE,
    )


def sharpening_series(faces: np.ndarray, factors: Sequence[float], variant: str) -> Image.Image:
    """Show a row of generated faces (n, h, w, 3) uint8 once for each factor of sharpness."""
    return comparison_grid(
        {
            f"factor {factor:g}": np.stack([enhance(face, [Sharpness(factor=factor)]) for face in faces])
            for factor in factors
        },
        len(faces),
        title=f"{variant.upper()}: the same faces sharpened by different factors; 0 smooths them, 1 would leave them as"
        " decoded",
        captions=_file_numbers(len(faces)),
        scale=GRID_SCALE,
    )


def distance_series(decoder: Any, generation: GenerationConfig) -> Image.Image:
    """Show the same points ever further from the origin: uniform within ±limit, a row for each of the limits."""
    rows = []
    for limit in generation.distance_limits:
        points = _first_points(Uniform(limit=limit), decoder, generation)
        rows.append(FaceRow(f"±{limit:g}, L2 {distances(points).mean():.1f}", decoded(decoder, points)))
    return face_rows(
        rows,
        title=f"{generation.variant.upper()}: each coordinate uniform within ±limit, seed {generation.seed}. L2: the"
        f" mean distance of a row's points from the origin, of N(0, I) about {decoder.input_shape[-1] ** 0.5:.1f}",
    )


def sampler_comparison(generation: GenerationConfig, *models: Any) -> Image.Image:
    """Show what each of the variants ``compared`` makes of N(0, I), and of a sampler fitted to its latents: a row each.

    ``models`` are the variants' decoders, then what ``compared_sampler`` was fitted to for each of them.
    """
    count, fitted_one = len(generation.compared), generation.compared_sampler
    decoders, fitted = models[:count], models[count:]
    samplers = [
        ("N(0, I)", Normal(), [{}] * count),
        (fitted_one.name, create_component("samplers", fitted_one), fitted),
    ]
    rows = []
    for label, sampler, fits in samplers:
        for variant, decoder, arrays in zip(generation.compared, decoders, fits, strict=True):
            points = _first_points(sampler, decoder, generation, arrays)
            rows.append(FaceRow(f"{variant.upper()}, {label}", decoded(decoder, points)))
    return face_rows(
        rows,
        title=f"The same points of N(0, I) through each decoder, and points of the sampler {fitted_one.name} fitted to"
        f" each encoder's latents, seed {generation.seed}. A VAE learns to put faces where N(0, I) is, an AE puts them"
        " anywhere",
    )


def _first_points(
    sampler: Sampler, decoder: keras.Model, generation: GenerationConfig, fitted: Arrays | None = None
) -> np.ndarray:
    return sample_points(sampler, range(generation.columns), decoder.input_shape[-1], generation.seed, fitted)


def _file_numbers(count: int) -> list[str]:
    return [f"{row:06d}" for row in range(count)]


def _in_words(record: dict[str, Any]) -> str:
    options = ", ".join(f"{option} {value}" for option, value in record.items() if option != "name")
    return f"{record['name']} ({options})" if options else record["name"]

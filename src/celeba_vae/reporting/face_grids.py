"""Pictures of the faces that a model makes: of random points, of points on the way through latent space, sharpened."""

import json
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.config import AttributesConfig, GenerationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.config.wording import printable
from celeba_vae.errors import DataError
from celeba_vae.latent.directions import COUNTS, USUAL_ATTRIBUTES, chosen_attributes, principal_components
from celeba_vae.latent.faces import Faces
from celeba_vae.latent.points import distances, linear_path, sample_points, spherical_path
from celeba_vae.latent.samplers import Normal, Sampler, Uniform
from celeba_vae.models.inference import decode, to_uint8
from celeba_vae.photos.enhancers import Sharpness, enhance
from celeba_vae.reporting.grids import GRID_SCALE, Row, comparison_grid, image_grid, row_grid, text_picture
from celeba_vae.storage import Arrays

logger = logging.getLogger(__name__)

PATHS = {"linear": linear_path, "spherical": spherical_path}
NO_TEST_IMAGES = (
    "generation.interpolation.between is test_images, and there are none. Give the test split some"
    " (data_engineering.split), or take generated_images."
)
# frames for which the animation rests at each end
REST = 8


def generated_grid(first: np.ndarray, index: pd.DataFrame, columns: int) -> Image.Image:
    """Show the first of generated images, (n, h, w, 3) uint8, each with its file's number, and how they were made.

    ``index`` says where all of them come from, see ``provenance``.
    """
    made = index.iloc[0]
    count = f"the first {len(first)} of {len(index)}" if len(first) < len(index) else f"{len(index)}"
    enhancers = " then ".join(map(_in_words, json.loads(made["enhancer"])))
    return image_grid(
        first,
        columns,
        title=f"{made['variant'].upper()}: {count} faces. Sampler: {_in_words(json.loads(made['sampler']))}, seed"
        f" {made['seed']}. Enhancer: {enhancers}",
        captions=[f"{row:06d}" for row in range(len(first))],
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
        captions=[f"{row:06d}" for row in range(len(faces))],
        scale=GRID_SCALE,
    )


def distance_series(decoder: Any, generation: GenerationConfig) -> Image.Image:
    """Show the same points ever further from the origin: uniform within ±limit, a row for each of the limits."""
    rows = []
    for limit in generation.distance_limits:
        points = _first_points(Uniform(limit=limit), decoder, generation)
        rows.append(Row(f"±{limit:g}, L2 {distances(points).mean():.1f}", _decoded(decoder, points)))
    return row_grid(
        rows,
        title=f"{generation.variant.upper()}: each coordinate uniform within ±limit, seed {generation.seed}. L2: the"
        f" mean distance of a row's points from the origin, of N(0, I) about {decoder.input_shape[-1] ** 0.5:.1f}",
    )


def sampler_comparison(generation: GenerationConfig, *models: Any) -> Image.Image:
    """Show what each of the variants ``compared`` makes of N(0, I), and of a sampler fitted to its latents: a row each.

    ``models`` are the variants' decoders, then what ``compared_sampler`` was fitted to for each of them; where that is
    nothing, there is no row.
    """
    count = len(generation.compared)
    fitted_one = generation.compared_sampler
    decoders, fitted = models[:count], models[count:]
    samplers = [
        ("N(0, I)", Normal(), [{}] * count),
        (fitted_one.name, create_component("samplers", fitted_one), fitted),
    ]
    rows = []
    for label, sampler, fits in samplers:
        for variant, decoder, arrays in zip(generation.compared, decoders, fits, strict=True):
            if hasattr(sampler, "fit") and not arrays:
                # it could not be fitted
                continue
            points = _first_points(sampler, decoder, generation, arrays)
            rows.append(Row(f"{variant.upper()}, {label}", _decoded(decoder, points)))
    of_fitted = f"points of the sampler {fitted_one.name} fitted to each encoder's latents, seed {generation.seed}"
    return row_grid(
        rows,
        title=f"The same points of N(0, I) through each decoder, and {of_fitted if len(rows) > count else 'no others'}."
        " A VAE learns to put faces where N(0, I) is, an AE puts them anywhere",
    )


def interpolation_strip(decoder: Any, faces: Faces, generation: GenerationConfig) -> Image.Image:
    """Show the way from one face to the other, a row each way, with each point's distance from the origin."""
    if not faces.names:
        return _no_way()
    start, end = map(printable, faces.names)
    positions = np.linspace(0, 1, generation.interpolation.steps)
    rows = []
    for name, path in PATHS.items():
        latents = path(faces.latents[0], faces.latents[1], positions)
        images = list(_decoded(decoder, latents))
        captions = [f"{at:.2f}: {distance:.1f}" for at, distance in zip(positions, distances(latents), strict=True)]
        if faces.images is not None:
            images = [faces.images[0], *images, faces.images[1]]
            captions = [start, *captions, end]
        rows.append(Row(name, images, captions))
    return row_grid(
        rows,
        title=f"{generation.variant.upper()}: from {start} to {end}, linear and spherical. Under"
        " each face its place on the way and its distance from the origin",
    )


def interpolation_frames(decoder: Any, faces: Faces, generation: GenerationConfig) -> list[Image.Image]:
    """Draw the frames of an animation: to the other face and back, both ways side by side, with a rest at each end."""
    if not faces.names:
        return [_no_way()]
    positions = np.linspace(0, 1, generation.interpolation.frames)
    ways = [_decoded(decoder, path(faces.latents[0], faces.latents[1], positions)) for path in PATHS.values()]
    frames = [
        image_grid(images, len(PATHS), captions=list(PATHS), scale=GRID_SCALE) for images in zip(*ways, strict=True)
    ]
    return [frames[0]] * REST + frames[1:-1] + [frames[-1]] * REST + frames[-2:0:-1]


def attribute_grid(decoder: Any, faces: Faces, directions: pd.DataFrame, generation: GenerationConfig) -> Image.Image:
    """Show faces moved along attributes: a block a face, in it a row an attribute; without any of them say so.

    Each row says how much a step of 1 changes a value of these faces' pixels, from 0 to 255, in the mean. Attributes
    that the parameters don't name stand in that order, the largest change first. Raises as ``chosen_attributes`` does.
    """
    wanted = generation.attributes
    directions = directions.set_index("attribute")
    names = chosen_attributes(directions, wanted.names)
    if missing := _what_is_missing(directions, names, faces, wanted):
        logger.warning("No face is moved along an attribute: %s", missing)
        return text_picture("No face was moved along an attribute", missing)
    vectors = directions.loc[names].drop(columns=COUNTS).to_numpy(np.float64)
    unmoved = _decoded(decoder, faces.latents).astype(np.float64)
    changes = [np.abs(_decoded(decoder, (faces.latents + way).astype(np.float32)) - unmoved).mean() for way in vectors]
    ways = list(zip(names, vectors, changes, strict=True))
    if wanted.names == "auto":
        ways.sort(key=lambda way: way[-1], reverse=True)
    rows = []
    for face, latents in enumerate(faces.latents):
        for name, vector, change in ways:
            moved = latents + np.outer(np.asarray(wanted.steps), vector)
            images = list(_decoded(decoder, moved.astype(np.float32)))
            captions = _signed(wanted.steps)
            if faces.images is not None:
                images = [faces.images[face], *images]
                captions = [faces.names[face], *captions]
            rows.append(Row(f"{name}, {change:.1f}", images, captions))
    return row_grid(
        rows,
        title=f"{generation.variant.upper()}: faces moved along attributes. A step of 1 is the way from the mean of all"
        " training images without it to the mean of those with it. After each name: how much that step changes a value"
        " of these faces' pixels, from 0 to 255, in the mean"
        f"{'; the clearest first' if wanted.names == 'auto' else ''}",
    )


def traversal_grid(decoder: Any, train_latents: np.ndarray, generation: GenerationConfig) -> Image.Image:
    """Show faces along the leading principal components of the training images' latents, a row a component.

    Without any, since all latents are alike, say so.
    """
    steps = generation.traversal.steps
    try:
        components = principal_components(train_latents, generation.traversal.components)
    except DataError as error:
        logger.warning("No traversals are drawn: %s", error)
        return text_picture("No faces along principal components", str(error))
    ways = [components.traversal(component, steps) for component in range(len(components.shares))]
    images = _decoded(decoder, np.concatenate(ways)).reshape(len(ways), len(steps), *decoder.output_shape[1:])
    return row_grid(
        [
            Row(f"{number}: {share:.1%}", row, _signed(steps))
            for number, (share, row) in enumerate(zip(components.shares, images, strict=True), start=1)
        ],
        title=f"{generation.variant.upper()}: along the {len(ways)} leading principal components of the training"
        " images' latents, in standard deviations from their mean, with each one's share of the variance (together"
        f" {components.shares.sum():.0%})",
    )


def _no_way() -> Image.Image:
    logger.warning("There is no way from face to face: %s", NO_TEST_IMAGES)
    return text_picture("No way from face to face", NO_TEST_IMAGES)


def _what_is_missing(directions: pd.DataFrame, names: list[str], faces: Faces, wanted: AttributesConfig) -> str | None:
    if directions.empty:
        return (
            "the training images come without a list of attributes. CelebA's is called list_attr_celeba: put it beside"
            " the images, then run all pipelines again."
        )
    if not names:
        asked = ", ".join(USUAL_ATTRIBUTES if wanted.names == "auto" else wanted.names)
        return f"none of {asked} tells the training images apart. Name others in generation.attributes.names."
    if not faces.names:
        return f"there are none in {wanted.faces}. Choose others in generation.attributes.faces, or put some there."
    return None


def _signed(steps: Sequence[float]) -> list[str]:
    return [f"{step:+g}" if step else "0" for step in steps]


def _decoded(decoder: Any, latents: np.ndarray) -> np.ndarray:
    return to_uint8(decode(decoder, latents))


def _first_points(
    sampler: Sampler, decoder: Any, generation: GenerationConfig, fitted: Arrays | None = None
) -> np.ndarray:
    return sample_points(sampler, range(generation.columns), decoder.input_shape[-1], generation.seed, fitted)


def _in_words(record: dict[str, Any]) -> str:
    options = ", ".join(f"{option} {value}" for option, value in record.items() if option != "name")
    return f"{record['name']} ({options})" if options else record["name"]

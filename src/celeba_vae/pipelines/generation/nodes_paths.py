"""Faces on the way through latent space: from one to another, along attributes, along principal components."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.config import DataEngineeringConfig, FaceSource, GenerationConfig
from celeba_vae.errors import DataError
from celeba_vae.latent.attributes import attribute_directions, check_attribute
from celeba_vae.latent.components import principal_components
from celeba_vae.latent.faces import find_face, names_of_generated_images, names_of_test_images
from celeba_vae.latent.paths import linear_path, spherical_path
from celeba_vae.models.inference import to_uint8
from celeba_vae.photos.own_photos import read_photos
from celeba_vae.reporting.grids import GRID_SCALE, image_grid, text_picture
from celeba_vae.storage import Place

logger = logging.getLogger(__name__)

PATHS = {"linear": linear_path, "spherical": spherical_path}
# frames for which the animation rests at each end
REST = 8
# what the parameters' auto stands for: easily seen in a face
USUAL_ATTRIBUTES = ("Smiling", "Eyeglasses", "Male", "Blond_Hair", "Young", "Bangs", "Mustache")
COUNTS = ["images_with", "images_without"]


@dataclass(frozen=True)
class Faces:
    """Faces as points of the latent space.

    Args:
        names: What to call each.
        latents: (n, latent_dim) float32; mu of a photo.
        originals: (n, h, w, 3) uint8, the photos; None for generated faces, which have none.
    """

    names: list[str]
    latents: np.ndarray
    originals: np.ndarray | None


def choose_faces(
    encoder: Any,
    generated_latents: np.ndarray,
    test_images: np.ndarray,
    own_photos: Place,
    generation: GenerationConfig,
    data_engineering: DataEngineeringConfig,
) -> tuple[Faces, Faces]:
    """Find the two faces between which to go, and those that are moved along attributes.

    Raises:
        SettingError: there is no such face.
    """

    def offer_of(source: FaceSource) -> _Offer:
        if source == "generated_images":
            names = names_of_generated_images(len(generated_latents))
            return _Offer(source, names, latents=generated_latents)
        if source == "test_images":
            return _Offer(source, names_of_test_images(len(test_images)), images=test_images)
        photos = read_photos(own_photos, encoder.input_shape[1:], data_engineering.crop)
        return _Offer(str(own_photos), photos.names, images=photos.images)

    way, moved = generation.interpolation, generation.attributes
    offer = offer_of(way.between)
    ends = [offer.row(way.start, "generation.interpolation.start"), offer.row(way.end, "generation.interpolation.end")]
    interpolated = offer.faces(ends, encoder)
    offer = offer_of(moved.faces)
    if isinstance(moved.shown, int):
        rows = list(range(min(moved.shown, len(offer.names))))
    else:
        rows = [offer.row(face, "generation.attributes.shown") for face in moved.shown]
    return interpolated, offer.faces(rows, encoder)


def draw_interpolation(decoder: Any, faces: Faces, generation: GenerationConfig) -> Image.Image:
    """Show the way from one face to the other, a row each way, with each point's distance from the origin."""
    positions = np.linspace(0, 1, generation.interpolation.steps)
    tiles, captions = [], []
    for path in PATHS.values():
        latents = path(*faces.latents, positions)
        distances = np.linalg.norm(latents.astype(np.float64), axis=1)
        row = list(_decoded(decoder, latents))
        texts = [f"{at:.2f}: {distance:.1f}" for at, distance in zip(positions, distances, strict=True)]
        if faces.originals is not None:
            row = [faces.originals[0], *row, faces.originals[1]]
            texts = [faces.names[0], *texts, faces.names[1]]
        tiles += row
        captions += texts
    return image_grid(
        tiles,
        len(tiles) // len(PATHS),
        title=f"{generation.variant.upper()}: from {faces.names[0]} to {faces.names[1]}, linear and spherical. Under"
        " each face its place on the way and its distance from the origin",
        captions=captions,
        row_labels=list(PATHS),
        scale=GRID_SCALE,
    )


def animate_interpolation(decoder: Any, faces: Faces, generation: GenerationConfig) -> list[Image.Image]:
    """Draw the frames of an animation: to the other face and back, both ways side by side, with a rest at each end."""
    positions = np.linspace(0, 1, generation.interpolation.frames)
    ways = [_decoded(decoder, path(*faces.latents, positions)) for path in PATHS.values()]
    frames = [
        image_grid(images, len(PATHS), captions=list(PATHS), scale=GRID_SCALE) for images in zip(*ways, strict=True)
    ]
    return [frames[0]] * REST + frames[1:-1] + [frames[-1]] * REST + frames[-2:0:-1]


def find_attribute_directions(train_latents: np.ndarray, train_attributes: pd.DataFrame) -> pd.DataFrame:
    """Find the direction of each attribute that the training images' list names.

    Returns:
        A row an attribute: ``attribute``, ``images_with``, ``images_without``, and the direction as ``z_0``, ``z_1``, …
        (not known where either count is 0).
    """
    attributes = train_attributes.drop(columns="image_id")
    # only the first images may have been encoded
    values = attributes.to_numpy(np.int8)[: len(train_latents)]
    directions, images_with, images_without = attribute_directions(train_latents[: len(values)], values)
    return pd.concat(
        [
            pd.DataFrame({"attribute": attributes.columns, COUNTS[0]: images_with, COUNTS[1]: images_without}),
            pd.DataFrame(directions, columns=[f"z_{i}" for i in range(directions.shape[1])]),
        ],
        axis=1,
    )


def draw_attribute_grid(
    decoder: Any, faces: Faces, directions: pd.DataFrame, generation: GenerationConfig
) -> Image.Image:
    """Show faces moved along attributes: a block a face, in it a row an attribute; without any of them say so.

    Each row says how much a step of 1 changes a value of these faces' pixels, from 0 to 255, in the mean. Attributes
    that the parameters don't name stand in that order, the largest change first.

    Raises:
        SettingError: an attribute that the parameters name is unknown.
        DataError: all training images have it, or none.
    """
    chosen = generation.attributes
    directions = directions.set_index("attribute")
    names = _chosen_attributes(directions, chosen.names)
    if missing := _what_is_missing(directions, names, faces, chosen.faces):
        logger.warning("No face is moved along an attribute: %s", missing)
        return text_picture("No face was moved along an attribute", missing)
    ways = directions.loc[names].drop(columns=COUNTS).astype(np.float64)
    changes = _mean_changes(decoder, faces.latents, ways)
    if chosen.names == "auto":
        changes = changes.sort_values(ascending=False, kind="stable")
    tiles, captions = [], []
    for face, latents in enumerate(faces.latents):
        for name in changes.index:
            moved = latents + np.outer(chosen.steps, ways.loc[name])
            row, texts = list(_decoded(decoder, moved.astype(np.float32))), _signed(chosen.steps)
            if faces.originals is not None:
                row, texts = [faces.originals[face], *row], [faces.names[face], *texts]
            tiles += row
            captions += texts
    return image_grid(
        tiles,
        len(row),
        title=f"{generation.variant.upper()}: faces moved along attributes. A step of 1 is the way from the mean of all"
        " training images without it to the mean of those with it. After each name: how much that step changes a value"
        " of these faces' pixels, from 0 to 255, in the mean"
        f"{'; the clearest first' if chosen.names == 'auto' else ''}",
        captions=captions,
        row_labels=[f"{name}, {change:.1f}" for name, change in changes.items()] * len(faces.names),
        scale=GRID_SCALE,
    )


def draw_traversals(decoder: Any, train_latents: np.ndarray, generation: GenerationConfig) -> Image.Image:
    """Show faces along the principal components of the training images' latents, a row a component."""
    steps = generation.traversal.steps
    components = principal_components(train_latents, generation.traversal.components)
    count = len(components.shares)
    latents = np.concatenate([components.traversal(component, steps) for component in range(count)])
    return image_grid(
        _decoded(decoder, latents),
        len(steps),
        title=f"{generation.variant.upper()}: along the {count} leading principal components of the training images'"
        f" latents, in standard deviations from their mean, with each one's share of the variance (together"
        f" {components.shares.sum():.0%})",
        captions=_signed(steps) * count,
        row_labels=[f"{number}: {share:.1%}" for number, share in enumerate(components.shares, start=1)],
        scale=GRID_SCALE,
    )


@dataclass(frozen=True)
class _Offer:
    """Faces to choose from: latents (n, latent_dim), or images (n, h, w, 3) uint8."""

    place: str
    names: Sequence[str]
    latents: np.ndarray | None = None
    images: np.ndarray | None = None

    def row(self, face: int | str, setting: str) -> int:
        """Find a face, see ``find_face``."""
        return find_face(face, self.names, self.place, setting)

    def faces(self, rows: list[int], encoder: Any) -> Faces:
        """Give the faces in these rows as points of the latent space."""
        from celeba_vae.models.inference import encode

        names = [self.names[row] for row in rows]
        if self.images is None:
            return Faces(names, self.latents[rows], None)
        images = self.images[rows]
        return Faces(names, encode(encoder, images), images)


def _chosen_attributes(directions: pd.DataFrame, wanted: Sequence[str]) -> list[str]:
    """Give the attributes that faces are moved along; those of ``auto`` are left out where a direction is not known."""
    known = directions[COUNTS].min(axis=1) > 0
    if wanted == "auto":
        return [name for name in USUAL_ATTRIBUTES if known.get(name, False)]
    for name in wanted:
        check_attribute(name, list(directions.index))
        if not known[name]:
            images_with, images_without = directions.loc[name, COUNTS].astype(int)
            raise DataError(
                f"generation.attributes.names: no direction can be found for '{name}': of the training images,"
                f" {images_with:,} have it and {images_without:,} do not, and both are needed."
            )
    return list(wanted)


def _mean_changes(decoder: Any, latents: np.ndarray, ways: pd.DataFrame) -> pd.Series:
    """Measure how much a step along each way, a row of the table, changes the faces: mean absolute difference."""
    unmoved = _decoded(decoder, latents).astype(np.float64)
    changes = [
        np.abs(_decoded(decoder, (latents + way).astype(np.float32)) - unmoved).mean() for way in ways.to_numpy()
    ]
    return pd.Series(changes, index=ways.index)


def _what_is_missing(directions: pd.DataFrame, names: list[str], faces: Faces, source: FaceSource) -> str | None:
    if directions.empty:
        return (
            "the training images come without a list of attributes. CelebA's is called list_attr_celeba: put it beside"
            " the images, then run all pipelines again."
        )
    if not names:
        usual = ", ".join(USUAL_ATTRIBUTES)
        return f"none of {usual} tells the training images apart. Name others in generation.attributes.names."
    if not faces.names:
        return f"there are none in {source}. Choose others in generation.attributes.faces, or put some there."
    return None


def _signed(steps: Sequence[float]) -> list[str]:
    return [f"{step:+g}" if step else "0" for step in steps]


def _decoded(decoder: Any, latents: np.ndarray) -> np.ndarray:
    from celeba_vae.models.inference import decode

    return to_uint8(decode(decoder, latents))

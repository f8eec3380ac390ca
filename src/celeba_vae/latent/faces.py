"""Which faces to take through latent space: by row or by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from celeba_vae.config import DataEngineeringConfig, FaceSource, GenerationConfig
from celeba_vae.config.wording import did_you_mean, printable
from celeba_vae.errors import SettingError
from celeba_vae.models.inference import encode
from celeba_vae.photos.own_photos import read_photos
from celeba_vae.storage import Place


@dataclass(frozen=True)
class Faces:
    """Faces as points of the latent space, (n, latent_dim) float32, mu of an image.

    The images are what was encoded, (n, h, w, 3) uint8; None for generated faces.
    """

    names: list[str]
    latents: np.ndarray
    images: np.ndarray | None


def choose_faces(
    encoder: Any,
    generated_latents: np.ndarray,
    test_images: np.ndarray,
    own_photos: Place,
    generation: GenerationConfig,
    data_engineering: DataEngineeringConfig,
) -> tuple[Faces, Faces]:
    """Find the two faces between which to go, and those that are moved along attributes.

    Generated latents are (n, latent_dim) float32, test images (n, h, w, 3) uint8; ``own_photos`` may be missing. Where
    there are no test images at all, none of them is chosen.

    Raises:
        SettingError: there is no such face.
    """

    def choose(source: FaceSource, wanted: int | Sequence[tuple[str, int | str]]) -> Faces:
        """Give faces of one source: so many from the first on, or each after the setting that names it."""
        place, images = str(source), test_images
        if source == "own_photos":
            photos = read_photos(own_photos, encoder.input_shape[1:], data_engineering.crop)
            place, names, images = str(own_photos), photos.names, photos.images
        else:
            names = names_of(source, len(generated_latents if source == "generated_images" else test_images))
        if source == "test_images" and not names:
            rows = []
        elif isinstance(wanted, int):
            rows = list(range(min(wanted, len(names))))
        else:
            rows = [row_of_face(face, names, place, f"generation.{setting}") for setting, face in wanted]
        chosen = [names[row] for row in rows]
        if source == "generated_images":
            return Faces(chosen, generated_latents[rows], None)
        return Faces(chosen, encode(encoder, images[rows]), images[rows])

    way, moved = generation.interpolation, generation.attributes
    ends = [("interpolation.start", way.start), ("interpolation.end", way.end)]
    shown = moved.shown if isinstance(moved.shown, int) else [("attributes.shown", face) for face in moved.shown]
    return choose(way.between, ends), choose(moved.faces, shown)


def names_of(source: FaceSource, count: int) -> list[str]:
    """Call generated images as their files, face 000000 and so on, and test images by their rows, test image 0."""
    return [f"face {row:06d}" if source == "generated_images" else f"test image {row}" for row in range(count)]


def row_of_face(face: int | str, names: Sequence[str], place: str, setting: str) -> int:
    """Find the row, 0 or larger, of a face by its row, from the end where it is negative, or by its name.

    Raises:
        SettingError: there is no such face in ``place``, as ``setting`` has it.
    """
    count = len(names)
    if isinstance(face, str) and face in names:
        return names.index(face)
    if isinstance(face, int) and -count <= face < count:
        return face % count
    if not count:
        raise SettingError(
            f"{setting} is {face!r}, but there are no faces in {place}. Put some there, or take others:"
            " generated_images, test_images or own_photos."
        )
    shown = [printable(name) for name in names]
    raise SettingError(
        f"{setting}: there is no {face!r} in {place}, which has the rows 0 to {count - 1}: {shown[0]} to"
        f" {shown[-1]}.{did_you_mean(str(face), shown)}"
    )

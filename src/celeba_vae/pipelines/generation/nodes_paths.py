"""Faces on the way through latent space: from one to another, along attributes, along principal components."""

from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.config import DataEngineeringConfig, GenerationConfig
from celeba_vae.latent.directions import attribute_directions
from celeba_vae.latent.faces import Faces, FaceSources
from celeba_vae.reporting.latent_walks import attribute_grid, interpolation_frames, interpolation_strip, traversal_grid
from celeba_vae.storage import Place


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
    sources = FaceSources(encoder, generated_latents, test_images, own_photos, data_engineering.crop)
    way, moved = generation.interpolation, generation.attributes
    ends = [("generation.interpolation.start", way.start), ("generation.interpolation.end", way.end)]
    shown = (
        moved.shown if isinstance(moved.shown, int) else [("generation.attributes.shown", face) for face in moved.shown]
    )
    return sources.choose(way.between, ends), sources.choose(moved.faces, shown)


def draw_interpolation(decoder: Any, faces: Faces, generation: GenerationConfig) -> Image.Image:
    """Show the way from one face to the other, see ``interpolation_strip``."""
    return interpolation_strip(decoder, faces, generation)


def animate_interpolation(decoder: Any, faces: Faces, generation: GenerationConfig) -> list[Image.Image]:
    """Draw the frames of the way there and back, see ``interpolation_frames``."""
    return interpolation_frames(decoder, faces, generation)


def find_attribute_directions(train_latents: np.ndarray, train_attributes: pd.DataFrame) -> pd.DataFrame:
    """Find the direction of each attribute that the training images' list names, see ``attribute_directions``."""
    return attribute_directions(train_latents, train_attributes.drop(columns="image_id"))


def draw_attribute_grid(
    decoder: Any, faces: Faces, directions: pd.DataFrame, generation: GenerationConfig
) -> Image.Image:
    """Show faces moved along attributes, see ``attribute_grid``."""
    return attribute_grid(decoder, faces, directions, generation)


def draw_traversals(decoder: Any, train_latents: np.ndarray, generation: GenerationConfig) -> Image.Image:
    """Show faces along the principal components of the training images' latents, see ``traversal_grid``."""
    return traversal_grid(decoder, train_latents, generation)

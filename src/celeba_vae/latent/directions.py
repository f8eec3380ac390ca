"""Directions in latent space: of attributes, such as a smile, and those in which latents vary most."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from celeba_vae.config.wording import did_you_mean
from celeba_vae.errors import DataError, SettingError
from celeba_vae.latent.statistics import all_alike, mean_and_covariance, principal_directions

logger = logging.getLogger(__name__)

# what the parameters' auto stands for: easily seen in a face
USUAL_ATTRIBUTES = ("Smiling", "Eyeglasses", "Male", "Blond_Hair", "Young", "Bangs", "Mustache")
COUNTS = ["images_with", "images_without"]
# rows that are taken into memory at once
_BLOCK = 8192


def attribute_directions(latents: np.ndarray, attributes: pd.DataFrame) -> pd.DataFrame:
    """Find each attribute's direction: mean(latents of images with it) - mean(latents of those without it).

    Larsen et al., "Autoencoding beyond pixels using a learned similarity metric" (2016). Latents (n, latent_dim) are mu
    or z of the first images, read block by block. Attributes have a row an image and a column an attribute: 1 with, -1
    without, 0 not known, which counts for neither.

    Returns:
        A row an attribute: ``attribute``, ``images_with``, ``images_without``, and the direction as ``z_0``, ``z_1``, …
        float32 (not known where either count is 0).
    """
    values = attributes.to_numpy(np.int8)[: len(latents)]
    kinds = [1, -1]
    sums = np.zeros((len(kinds), values.shape[1], latents.shape[1]))
    for first in range(0, len(values), _BLOCK):
        some = values[first : first + _BLOCK]
        block = latents[first : first + len(some)].astype(np.float64)
        for sum_, kind in zip(sums, kinds, strict=True):
            sum_ += (some == kind).T.astype(np.float64) @ block
    counts = np.stack([(values == kind).sum(axis=0) for kind in kinds])
    means = sums / np.where(counts, counts, np.nan)[..., None]
    directions = pd.DataFrame((means[0] - means[1]).astype(np.float32)).add_prefix("z_")
    return pd.DataFrame({"attribute": attributes.columns, **dict(zip(COUNTS, counts, strict=True))}).join(directions)


def chosen_attributes(directions: pd.DataFrame, wanted: Literal["auto"] | Sequence[str]) -> list[str]:
    """Give the attributes that faces are moved along, without those whose direction is not known.

    That is so where all training images have an attribute, or none; of one that the parameters name, the log says it.
    ``directions`` are those of ``attribute_directions`` with ``attribute`` as the index.

    Raises:
        SettingError: an attribute that the parameters name is unknown.
    """
    known = directions[COUNTS].min(axis=1) > 0
    if wanted == "auto":
        return [name for name in USUAL_ATTRIBUTES if known.get(name, False)]
    for name in wanted:
        check_attribute(name, list(directions.index))
        if not known[name]:
            images_with, images_without = directions.loc[name, COUNTS].astype(int)
            logger.warning(
                f"generation.attributes.names: no direction can be found for '{name}': of the training images,"
                f" {images_with:,} have it and {images_without:,} do not, and both are needed."
            )
    return [name for name in wanted if known[name]]


def check_attribute(name: str, known: Sequence[str]) -> None:
    """Raise a ``SettingError`` where faces are to be moved along an attribute that the training images don't have."""
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
    return f"unknown attribute '{name}'.{did_you_mean(name, known)} Known: {', '.join(known)}."


@dataclass(frozen=True)
class PrincipalComponents:
    """The leading principal components of latents, the one with the largest variance first; all float64.

    The mean is (latent_dim,), directions are (components, latent_dim), see ``principal_directions``. Deviations and
    shares, (components,), are the latents' standard deviation along each and what part of their variance that is.
    """

    mean: np.ndarray
    directions: np.ndarray
    deviations: np.ndarray
    shares: np.ndarray

    def traversal(self, component: int, steps: Sequence[float]) -> np.ndarray:
        """Give the points that lie ``steps`` (n,) standard deviations from the mean: (n, latent_dim) float32."""
        offsets = np.asarray(steps, np.float64) * self.deviations[component]
        return (self.mean + offsets[:, None] * self.directions[component]).astype(np.float32)


def principal_components(latents: np.ndarray, count: int) -> PrincipalComponents:
    """Find the leading principal components of latents (n, latent_dim), as eigenvectors of their covariance.

    Read block by block, twice: memory grows with latent_dim, not with n. There are no more components than dimensions.

    Raises:
        DataError: the latents don't vary: fewer than two, or all of them equal.
    """
    mean, covariance = mean_and_covariance(latents)
    if all_alike(mean, covariance):
        raise DataError(
            f"The latents of {len(latents)} images don't vary, so they have no principal components. Train the model"
            " on more images, or for longer."
        )
    directions, variances = principal_directions(covariance, count)
    return PrincipalComponents(mean, directions, np.sqrt(variances), variances / float(np.trace(covariance)))

"""What an evaluation finds out about a variant: claims are checked on it, reports are made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from celeba_vae.config import VariantConfig
from celeba_vae.config.wording import title_of
from celeba_vae.metrics.latent_space import LatentSpace
from celeba_vae.metrics.measures import Measured


@dataclass(frozen=True)
class EvaluatedVariant:
    """A variant as trained and what was found out about it, without its networks.

    Args:
        name: The name of its block, such as ``vae``.
        configuration: All settings of its training, its data and versions; those of the parameters where it is not
            there.
        history: A row an epoch, as training gives it; empty where there is none.
        problem: Why it can't be evaluated, with the command that helps; then nothing is measured.
        doubt: What makes its measures doubtful; empty where nothing does.
        measured: From a group to its measures, see ``measure_groups``: ``test`` and ``training`` (reconstructions of
            such images), ``gap`` (training minus test), ``latents``, ``model`` (such as ``encoder_parameters``),
            ``reconstructed`` (the set of reconstructions against the test images) and a group a sampler by its label,
            such as ``normal`` (created images against the test images).
        prior_group: The group of images of N(0, I); empty where there is none.
        fitted_groups: The groups of samplers that were fitted to the training images' latents.
        latent_space: Where its encoder puts the test images; None where that is not known.
        created: From a sampler's label to the first images of its points, (columns, h, w, 3) uint8.
        notes: What it could not create, and why.
        test_rows: From a label to what it makes of the test images that are shown, (n, h, w, 3) uint8.
        photo_rows: Likewise of own photos.
    """

    name: str
    configuration: Mapping[str, Any]
    history: pd.DataFrame
    problem: str = ""
    doubt: str = ""
    measured: Mapping[str, Measured] = field(default_factory=dict)
    prior_group: str = ""
    fitted_groups: tuple[str, ...] = ()
    latent_space: LatentSpace | None = None
    created: Mapping[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    test_rows: Mapping[str, np.ndarray] = field(default_factory=dict)
    photo_rows: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What pictures call it."""
        return title_of(self.name)

    @property
    def settings(self) -> dict[str, Any]:
        """Its block as it was trained."""
        return {name: value for name, value in self.configuration.items() if name in VariantConfig.model_fields}

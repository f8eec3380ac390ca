"""What an evaluation has found out about a variant: claims are checked on it, reports are made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from celeba_vae.metrics.measures import Measured

# groups of figures that are not named for a sampler
RESERVED_GROUPS = ("test", "training", "gap", "latents", "model", "reconstructed")


@dataclass(frozen=True)
class VariantEvidence:
    """A variant as trained, and what was measured of it.

    Args:
        name: The name of its block, such as ``vae``.
        settings: All its settings, as ``Recipe.settings`` gives them.
        measured: From a group to its measures: ``test`` and ``training`` (reconstructions of such images), ``gap``
            (training minus test), ``latents``, ``model`` (such as ``encoder_parameters``), ``reconstructed`` (the set
            of reconstructions against the test images) and a group a sampler by its label, such as ``normal``
            (generated images against the test images).
        history: A row an epoch, as training saves it; empty where there is none.
        problem: Why it could not be evaluated, with the command that helps; then there are no figures.
        prior_group: The group of images of N(0, I); empty where there is none.
        fitted_groups: The groups of samplers that were fitted to the training images' latents.
    """

    name: str
    settings: Mapping[str, Any]
    measured: Mapping[str, Measured]
    history: pd.DataFrame
    problem: str = ""
    prior_group: str = ""
    fitted_groups: tuple[str, ...] = ()

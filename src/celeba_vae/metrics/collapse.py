"""A posterior that has collapsed: the encoder puts all images at the same place, and latents say nothing of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from celeba_vae.config.wording import training_command
from celeba_vae.latent.statistics import RunningVariance
from celeba_vae.metrics.latent_space import ACTIVE_VARIANCE, active_units
from celeba_vae.models.inference import encode_batches

# at most as many tell a variance of 0.01 from none; fewer images than the other may be alike by chance
IMAGES, FEWEST_IMAGES = 512, 100


def training_note(encoder: Any, train_images: np.ndarray, settings: Mapping[str, Any]) -> str:
    """Say of a variant that its posterior has collapsed, by its training images, or why that can't be told.

    ``encoder`` is its Keras model; some of the images (n, h, w, 3) uint8, spread over all, are encoded; ``settings`` as
    in ``collapse_note``.
    """
    if note := likeness_note(train_images, "training"):
        return f"{settings['name']}: {note}"
    if settings.get("model") != "vae" or not len(train_images):
        return ""
    mu = RunningVariance()
    for batch in encode_batches(encoder, train_images[:: -(-len(train_images) // IMAGES)]):
        mu.update(batch)
    return collapse_note(settings, active_units(mu.variance()))


def collapse_note(settings: Mapping[str, Any], active: float | None) -> str:
    """Say, where no latent dimension is active, that the posterior has collapsed, and what to change; else nothing.

    ``settings`` are those of the variant, as its configuration has them. A plain autoencoder has no posterior.
    """
    if settings.get("model") != "vae" or active != 0:
        return ""
    name, weight = settings["name"], settings.get("kl_weight")
    return (
        f"{name}: the posterior has collapsed, 0 of {settings.get('latent_dim')} latent dimensions are active (their mu"
        f" has a variance above {ACTIVE_VARIANCE} over the images; Burda et al. 2016), so the latents say nothing of an"
        f" image. Set kl_weight lower{'' if weight is None else f' (it is {weight:g})'}, kl_schedule to linear_warm_up"
        " or free_bits above 0 (such as 0.1); after few steps train for more epochs. Then train it again:"
        f" {training_command(name, fresh=True)}"
    )


def likeness_note(images: np.ndarray, split: str) -> str:
    """Say what can't be measured on a split's only image, or on images that are equal to the bit; else nothing.

    Images (n, h, w, 3) may be memory-mapped.
    """
    if len(images) == 1:
        return f"There is only 1 {split} image: what needs two, as variances do, can't be measured."
    if len(images) and all(np.array_equal(image, images[0]) for image in images):
        return (
            f"The {len(images):,} {split} images are all alike: how images differ, and what is a share of that, can't"
            " be measured."
        )
    return ""

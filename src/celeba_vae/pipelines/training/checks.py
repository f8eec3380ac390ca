"""What is looked at before a variant is trained, and before what a training has made is read."""

import logging

from celeba_vae.config import TRIAL, ExperimentsConfig
from celeba_vae.config.overrides import without_effect
from celeba_vae.config.validation import of_setting
from celeba_vae.config.wording import training_command
from celeba_vae.errors import DataError
from celeba_vae.pipelines.data_engineering.checks import image_shape
from celeba_vae.pipelines.run_inputs import RunInputs
from celeba_vae.training.checkpoints import refuse_changed_training
from celeba_vae.training.distributed.peers import TRAINS
from celeba_vae.training.recipe import create_recipe

logger = logging.getLogger(__name__)

_DRAWN_FROM = {".loss_curves": ".history", ".faces_forming": ".configuration"}
_SAVED_TOGETHER = ("encoder", "decoder", "history", "configuration", "loss_curves")


def needed(run: RunInputs) -> dict[str, str]:
    """Name what the pictures of a training are drawn from."""
    return {
        name.removesuffix(picture) + source: ""
        for picture, source in _DRAWN_FROM.items()
        for name in run.made
        if name.endswith(picture)
    }


def check_versions(run: RunInputs) -> None:
    """Make sure that a variant's encoder and decoder are of one training: of the version that its run gave them.

    What one training's encoder makes of images is nothing that another's decoder has learnt to read. The DataError that
    is raised otherwise names the versions to choose instead.
    """
    for encoder in sorted(name for name in run.read if name.endswith(".encoder")):
        variant = encoder.removesuffix(".encoder")
        models = {name: run.versioned(name) for name in (encoder, f"{variant}.decoder") if name in run.read}
        versions = {name: str(dataset.resolve_load_version()) for name, dataset in models.items() if dataset}
        if len(set(versions.values())) > 1:
            chosen = ", ".join(f"{name} {version}" for name, version in versions.items())
            raise DataError(
                f"{chosen}: encoder and decoder of different trainings, whose latents mean different things."
                f" {_what_is_of_one_training(variant, set(versions.values()), run)}"
            )


def check_variants(run: RunInputs) -> None:
    """Create the components of each variant that is to be trained; hold them against the images' size and its past.

    A SettingError where one can't be made, layers don't fit, or the variant has been trained with other settings.
    """
    read = {name.removeprefix("params:variants.") for name in run.read if name.startswith("params:variants.")}
    for name in sorted(name for name in read if f"{name}.encoder" in run.made):
        variant = run.variant(name)
        with of_setting(f"variants.{name}"):
            recipe = create_recipe(variant)
            recipe.encoder.check(image_shape(run), variant.latent_dim)
            recipe.decoder.check(image_shape(run), variant.latent_dim)
            if not variant.fresh:
                refuse_changed_training(run.load(f"{name}.checkpoints"), recipe.identity(), name)


def check_overrides(run: RunInputs) -> None:
    """Warn of what ``--params`` gives a variant to be trained, or all, and it does not take or has no use for."""
    for node in run.pipeline.only_nodes_with_tags(TRAINS).nodes:
        block = str(node.namespace).removeprefix(TRIAL)
        if f"params:variants.{block}" not in run.catalog:
            block = run.parameters(ExperimentsConfig).like
        for line in without_effect(run.given, run.variant(str(node.namespace)), block):
            logger.warning(line)


def _what_is_of_one_training(variant: str, chosen: set[str], run: RunInputs) -> str:
    """Say what to pass so that all that a run reads of a training is of one: of those chosen, or the newest."""
    read = {name: run.versioned(name) for part in _SAVED_TOGETHER if (name := f"{variant}.{part}") in run.read}
    versions = {name: set(dataset.list_versions(full_path=False)) for name, dataset in read.items() if dataset}
    of_both = versions[f"{variant}.encoder"] & versions[f"{variant}.decoder"]
    if not of_both:
        return f"No version has both: {training_command(variant)} trains them."
    # where one of those chosen is of both, the older one, since the newest need not be asked for
    version = min(of_both & chosen, default=max(of_both))
    pinned = ",".join(f"{name}:{version}" for name, existing in versions.items() if version in existing)
    return f"Name one version of both: --load-versions {pinned}"


CHECKS = (check_overrides, check_versions, check_variants)

"""What is looked at before models are compared. Those that are not trained are left out, but for one."""

import logging

from celeba_vae.config import EvaluationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.config.validation import of_setting
from celeba_vae.latent.directions import unknown_attribute
from celeba_vae.pipelines.run_inputs import RunInputs

logger = logging.getLogger(__name__)


def needed(run: RunInputs) -> dict[str, str]:
    """Name the models where none is there."""
    models = {name for name in run.read if name.endswith(".encoder")}
    return dict.fromkeys(models, "") if models.issubset(run.missing) else {}


def check_components(run: RunInputs) -> None:
    """Create the metrics and samplers that the parameters name: a SettingError where one can't be made."""
    if "params:evaluation" in run.read:
        parameters = run.parameters(EvaluationConfig)
        for kind in ("metrics", "distribution_metrics", "samplers"):
            for config in getattr(parameters, kind):
                with of_setting(f"evaluation.{kind}"):
                    create_component(kind, config)


def check_attribute(run: RunInputs) -> None:
    """Warn of an attribute to colour the latents by that the images' list does not have, where it is known already."""
    if {"test_attributes", "params:evaluation"} <= run.read:
        name, attributes = run.parameters(EvaluationConfig).attribute, run.load("test_attributes")
        known = [] if attributes is None else list(attributes.columns.drop("image_id"))
        if known and name not in known:
            logger.warning("evaluation.attribute: %s", unknown_attribute(name, known))


CHECKS = (check_components, check_attribute)

"""What a training is made of: a variant's parameters and the components that they name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from celeba_vae.config import VariantConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.models.interfaces import DecoderComponent, EncoderComponent, ReconstructionLoss, Schedule

# Raise it when checkpoints written by older code can't be taken up any more.
CHECKPOINT_FORMAT = 4
_KINDS = {
    "encoder": "encoders",
    "decoder": "decoders",
    "reconstruction_loss": "reconstruction_losses",
    "kl_schedule": "schedules",
    "learning_rate_schedule": "schedules",
}


@dataclass(frozen=True)
class Recipe:
    """A variant and its components, each made and validated.

    The schedules give a factor at a number of epochs, which may be fractional; their own lengths are filled in.
    """

    variant: VariantConfig
    encoder: EncoderComponent
    decoder: DecoderComponent
    reconstruction_loss: ReconstructionLoss
    kl_schedule: Schedule
    learning_rate_schedule: Schedule

    def settings(self) -> dict[str, Any]:
        """Give all settings as JSON-able values, with the options that the parameters leave to the components."""
        components = {
            name: {"name": getattr(self.variant, name).name, **component.model_dump(mode="json")}
            for name, component in vars(self).items()
            if name != "variant"
        }
        return {**self.variant.model_dump(mode="json"), **components}

    def identity(self) -> dict[str, Any]:
        """Give the settings that the weights depend on, in the form that a ``Stage`` keeps."""
        changing = self.variant.weight_settings()
        settings = {name: value for name, value in self.settings().items() if name in changing}
        # synchronized is what one device does
        normalized = bool(settings["layers"]["batch_normalization"])
        settings["layers"] = {**settings["layers"], "batch_normalization": normalized}
        return {"format": CHECKPOINT_FORMAT, "variant": settings}


def create_recipe(variant: VariantConfig) -> Recipe:
    """Make the components that a variant names. A schedule without a length of its own takes the variant's epochs.

    Raises:
        SettingError: no such component, or a wrong option.
    """
    components = {name: create_component(kind, getattr(variant, name)) for name, kind in _KINDS.items()}
    for name, component in components.items():
        if getattr(component, "epochs", variant.epochs) is None:
            components[name] = component.model_copy(update={"epochs": float(variant.epochs)})
    return Recipe(variant, **components)


def recreate_recipe(settings: Mapping[str, Any]) -> Recipe:
    """Make the recipe again whose ``settings`` were kept with a training.

    Raises:
        SettingError: a component is not there any more, or has other options.
    """
    return create_recipe(
        VariantConfig(**{name: value for name, value in settings.items() if name in VariantConfig.model_fields})
    )

"""Parameters of a variant and of its training."""

from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from celeba_vae.config.base import ComponentConfig, NoneFromText, Parameters

# What a setting changes: the trained model; the same but for rounding; the extent of the training, but not the weights
# after a given step; or nothing. It is marked at its field, once, with the reason; without a mark it changes the model.
Change = Literal["model", "rounding", "extent", "nothing"]


def _changes(why: str, vae: Change, ae: Change) -> dict[str, Any]:
    return {"changes": {"vae": vae, "ae": ae}, "why": why}


def _extent(why: str) -> dict[str, Any]:
    return _changes(why, vae="extent", ae="extent")


def _nothing(why: str) -> dict[str, Any]:
    return _changes(why, vae="nothing", ae="nothing")


_NO_KL_TERM = "a plain autoencoder has no KL term"
_OF_A_VAE = _changes(_NO_KL_TERM, vae="model", ae="nothing")


class LayersConfig(Parameters, block="training.layers"):
    """What encoder and decoder share in each layer."""

    activation: Literal["leaky_relu", "relu", "elu", "selu"] = Field(description="Activation after each convolution")
    batch_normalization: Literal["synchronized"] | bool = Field(
        description="Batch normalisation after each convolution; synchronized: on several devices, too, each batch is"
        " normalised as a whole, not each device's part of it by itself"
    )
    batch_normalization_momentum: float = Field(
        ge=0, lt=1, description="Momentum of the moving statistics; 0.99 needs about 500 steps to settle, 0.9 fifty"
    )
    dropout: float = Field(ge=0, lt=1, description="Dropout rate after each activation; 0 switches it off")


class VariantConfig(Parameters, block="training"):
    """One model and how it is trained: a block under ``variants`` in ``parameters_training.yml``."""

    name: str = Field("", description="The block's name, filled in when the parameters are read")
    model: Literal["vae", "ae"] = Field(description="Variational autoencoder or plain autoencoder")
    latent_dim: PositiveInt = Field(description="Dimensions of the latent space (the articles' z_dim)")
    encoder: ComponentConfig = Field(description="Encoder and its options")
    decoder: ComponentConfig = Field(description="Decoder and its options")
    layers: LayersConfig = Field(description="What encoder and decoder share in each layer")
    reconstruction_loss: ComponentConfig = Field(description="bce, mse, gaussian or a plugin")
    kl_weight: NonNegativeFloat = Field(
        description="Weight of the KL term (the articles' fact): 3 to 6 with bce, 0.01 to 0.05 with mse, 1 with"
        " gaussian; a vae's only",
        json_schema_extra=_OF_A_VAE,
    )
    kl_schedule: ComponentConfig = Field(
        description="Factor of kl_weight over the epochs: constant, linear_warm_up, cyclical or a plugin",
        json_schema_extra=_OF_A_VAE,
    )
    free_bits: NonNegativeFloat = Field(
        description="KL in nats a latent dimension below which nothing is gained (Kingma et al. 2016); 0: off",
        json_schema_extra=_OF_A_VAE,
    )
    kl_term: Literal["gradient_tape", "add_loss"] = Field(
        description="Where the KL term enters the loss: in the training step, or by a layer's add_loss",
        json_schema_extra=_changes(_NO_KL_TERM, vae="rounding", ae="nothing"),
    )
    image_count: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="Training images used, the first rows of train_images; none: all",
        json_schema_extra=_extent("the images themselves are compared"),
    )
    horizontal_flips: bool = Field(description="Mirror each training image with a probability of one half")
    epochs: PositiveInt = Field(
        description="Passes over the training images", json_schema_extra=_extent("how long, not what")
    )
    batch_size: PositiveInt = Field(description="Images a step")
    learning_rate: PositiveFloat = Field(description="Adam's learning rate")
    learning_rate_schedule: ComponentConfig = Field(
        description="Factor of learning_rate over the epochs: constant, cosine, step, linear_warm_up or a plugin"
    )
    gradient_clip_norm: Annotated[PositiveFloat | None, NoneFromText] = Field(
        description="Largest norm of all gradients together; longer ones are scaled down to it; none: no limit"
    )
    ema_momentum: Annotated[float | None, NoneFromText] = Field(
        gt=0, lt=1, description="Momentum of the weights' moving average, which then is validated and kept; none: off"
    )
    early_stopping_patience: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="Stop after so many epochs without a lower validation total_loss; none: never",
        json_schema_extra=_extent("how long, not what"),
    )
    use_weights: Literal["last", "best"] = Field(
        description="The weights that become encoder and decoder: after the last epoch, or after the one of the lowest"
        " validation total_loss. Checkpoints hold both",
        json_schema_extra=_extent("checkpoints hold both"),
    )
    seed: int = Field(ge=0, description="Seed of the weights, the order of the images, the flips and the noise")
    checkpoint_steps: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="Steps between two checkpoints within an epoch; none: one after each epoch only",
        json_schema_extra=_nothing("how it is kept"),
    )
    keep_checkpoints: PositiveInt = Field(
        description="Newest checkpoints kept, beside those of finished trainings",
        json_schema_extra=_nothing("how it is kept"),
    )
    preview_epochs: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="Epochs between two grids of samples and reconstructions; none: after the first and the last only",
        json_schema_extra=_nothing("how it is watched"),
    )
    fresh: bool = Field(
        description="Train from the start although a finished or unfinished training is there; interrupted, it goes on",
        json_schema_extra=_nothing("how it begins"),
    )

    def weight_settings(self) -> set[str]:
        """Name the settings that the weights after a given step depend on, to the bit."""
        return self.settings_that_change(self.model, "model", "rounding")

    @classmethod
    def settings_that_change(cls, model: Literal["vae", "ae"], *changes: Change) -> set[str]:
        """Name the settings, the block's name among them, that change one of these of a ``vae`` or an ``ae``."""
        marks: dict[str, Any] = {name: field.json_schema_extra or {} for name, field in cls.model_fields.items()}
        return {name for name, mark in marks.items() if mark.get("changes", {}).get(model, "model") in changes}

    @classmethod
    def of_other_model(cls, model: Literal["vae", "ae"]) -> dict[str, str]:
        """Give the settings that only the other model has a use for, each with the reason."""
        other: Literal["vae", "ae"] = "ae" if model == "vae" else "vae"
        names = cls.settings_that_change(model, "nothing") - cls.settings_that_change(other, "nothing")
        marks: dict[str, Any] = {name: cls.model_fields[name].json_schema_extra for name in names}
        return {name: mark["why"] for name, mark in marks.items()}

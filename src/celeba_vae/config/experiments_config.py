"""Parameters of the pipeline ``experiments``."""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveInt

from celeba_vae.config.base import NoneFromText, Parameters, TupleFromText

# what the names of the experiments' variants begin with
TRIAL = "trial_"


class ExperimentsConfig(Parameters, block="experiments"):
    """Variants trained side by side on one budget, to check the articles' claims."""

    variants: Annotated[tuple[str, ...], TupleFromText] = Field(
        min_length=1, description="Blocks under variants that are trained anew on the budget"
    )
    like: str = Field(description="The block that kl_weights and latent_dims vary")
    kl_weights: tuple[NonNegativeFloat, ...] = Field(description="KL weights tried beside the block's own")
    latent_dims: tuple[PositiveInt, ...] = Field(description="Latent dimensions tried beside the block's own")
    image_count: Annotated[PositiveInt | None, NoneFromText] = Field(description="Training images of each; none: all")
    epochs: PositiveInt = Field(description="Epochs of each")

"""Parameters of the pipeline ``experiments``."""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveInt

from celeba_vae.config.base import NoneFromText, Parameters, TupleFromText

# what the names of the experiments' variants begin with
TRIAL = "trial_"


class ExperimentsConfig(Parameters):
    """Variants trained side by side on one budget, to check the articles' claims."""

    variants: Annotated[tuple[str, ...], TupleFromText] = Field(
        ("vae", "ae", "vae_dense", "vae_upsampling", "vae_tiny_kl"),
        min_length=1,
        description="Blocks under variants that are trained anew on the budget",
    )
    like: str = Field("vae", description="The block that kl_weights and latent_dims vary")
    kl_weights: tuple[NonNegativeFloat, ...] = Field((1.5, 3.0), description="KL weights tried beside the block's own")
    latent_dims: tuple[PositiveInt, ...] = Field(
        (512, 1600), description="Latent dimensions tried beside the block's own"
    )
    image_count: Annotated[PositiveInt | None, NoneFromText] = Field(
        20_000, description="Training images of each; none: all"
    )
    epochs: PositiveInt = Field(10, description="Epochs of each")

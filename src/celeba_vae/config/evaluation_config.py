"""Parameters of the pipeline ``evaluation``."""

from typing import Annotated

from pydantic import Field, PositiveInt

from celeba_vae.config.base import ComponentChain, NoneFromText, Parameters, TupleFromText


class EvaluationConfig(Parameters, block="evaluation"):
    """Models compared on the test images and on the user's own photos."""

    variants: Annotated[tuple[str, ...], TupleFromText] = Field(
        min_length=1, description="The variants that are compared"
    )
    metrics: ComponentChain = Field(min_length=1, description="What reconstructions are measured by")
    distribution_metrics: ComponentChain = Field(
        description="What generated images and reconstructions are compared with the test images by"
    )
    samplers: ComponentChain = Field(min_length=1, description="Where the generated images' points come from")
    generated_count: PositiveInt = Field(
        description="Images generated with each sampler; Inception's distances want 2,048 or more"
    )
    fit_images: PositiveInt = Field(
        description="Training images, the first of them, that samplers are fitted to the latents of"
    )
    sweep_count: PositiveInt = Field(description="Images at each step of the sweeps over distance and over sharpening")
    compared_versions: Annotated[tuple[str, str] | None, NoneFromText] = Field(
        description="Versions of metrics.json that the pipeline versions compares, [older, newer]; none: newest two"
    )
    attribute: str = Field(description="Attribute that colours the latents, where the images' list has it")
    count: PositiveInt = Field(description="Test images shown in the comparison grid")
    columns: PositiveInt = Field(description="Images in a row of the grid")
    seed: int = Field(ge=0, description="Seed of the test images shown and of generated images")
    batch_size: PositiveInt = Field(description="Images that pass through a model at once")

"""Parameters of the pipeline ``evaluation``."""

from typing import Annotated

from pydantic import Field, PositiveInt

from celeba_vae.config.base import ComponentChain, NoneFromText, Parameters, TupleFromText, chain


class EvaluationConfig(Parameters):
    """Models compared on the test images and on the user's own photos."""

    variants: Annotated[tuple[str, ...], TupleFromText] = Field(
        ("ae", "vae"), min_length=1, description="The variants that are compared"
    )
    metrics: ComponentChain = Field(
        chain("explained_variance", "psnr", "ssim", "ms_ssim", "mse", "bce", "sharpness"),
        min_length=1,
        description="What reconstructions are measured by",
    )
    distribution_metrics: ComponentChain = Field(
        chain("sliced_wasserstein", "inception", "crossing_lines", "variety", "sharpness"),
        description="What generated images and reconstructions are compared with the test images by",
    )
    samplers: ComponentChain = Field(
        chain("normal", "mixture"), min_length=1, description="Where the generated images' points come from"
    )
    generated_count: PositiveInt = Field(
        1024, description="Images generated with each sampler; Inception's distances want 2,048 or more"
    )
    fit_images: PositiveInt = Field(
        30_000, description="Training images, the first of them, that samplers are fitted to the latents of"
    )
    sweep_count: PositiveInt = Field(
        256, description="Images at each step of the sweeps over distance and over sharpening"
    )
    compared_versions: Annotated[tuple[str, str] | None, NoneFromText] = Field(
        None,
        description="Versions of metrics.json that the pipeline versions compares, [older, newer]; none: newest two",
    )
    attribute: str = Field("Male", description="Attribute that colours the latents, where the images' list has it")
    count: PositiveInt = Field(14, description="Test images shown in the comparison grid")
    columns: PositiveInt = Field(7, description="Images in a row of the grid")
    seed: int = Field(42, ge=0, description="Seed of the test images shown and of generated images")
    batch_size: PositiveInt = Field(128, description="Images that pass through a model at once")

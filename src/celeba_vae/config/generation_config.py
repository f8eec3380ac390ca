"""Parameters of the pipeline ``generation``."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt

from celeba_vae.config.base import ComponentChain, ComponentConfig, NoneFromText, Parameters, TupleFromText

FaceSource = Literal["generated_images", "test_images", "own_photos"]


class InterpolationConfig(Parameters, block="generation.interpolation"):
    """The way through latent space from one face to another."""

    between: FaceSource = Field(description="Where both faces come from")
    start: int | str = Field(description="The face's row, from 0 on (-1: the last), or an own photo's file name")
    end: int | str = Field(description="The other face's, likewise")
    steps: int = Field(ge=2, le=60, description="Faces in a row of the strip, both ends among them")
    frames: int = Field(ge=2, le=240, description="Faces in the animation on the way there; as many again come back")


class AttributesConfig(Parameters, block="generation.attributes"):
    """Faces moved along attributes, as the training images' attribute list names them."""

    names: Literal["auto"] | Annotated[tuple[str, ...], TupleFromText] = Field(
        union_mode="left_to_right",
        description="Their names; auto: Smiling, Eyeglasses, Male, Blond_Hair, Young, Bangs and Mustache, as far as the"
        " list has them, the one that changes the faces most first",
    )
    faces: FaceSource = Field(description="Where the faces come from")
    shown: Annotated[int, Field(ge=1, le=20)] | Annotated[tuple[int | str, ...], TupleFromText] = Field(
        description="How many faces, from the first on, at most 20; or their rows, or own photos' file names"
    )
    steps: tuple[float, ...] = Field(
        min_length=1,
        description="How far they are moved; 1 is the way from the mean of all faces without to the mean of those with",
    )


class TraversalConfig(Parameters, block="generation.traversal"):
    """Faces along the principal components of the training images' latents."""

    components: int = Field(ge=1, le=60, description="How many components, the one with the largest variance first")
    steps: tuple[float, ...] = Field(min_length=1, description="Standard deviations from the mean")


class GenerationConfig(Parameters, block="generation"):
    """Faces from random points of the latent space."""

    variant: str = Field(description="The variant whose decoder makes the images")
    count: PositiveInt = Field(description="Images to generate")
    columns: PositiveInt = Field(description="Images in a row of the grid")
    seed: int = Field(ge=0, description="Seed of the latent points")
    sampler: ComponentConfig = Field(
        description="Where points come from: normal, truncated_normal, uniform, gaussian, mixture, posterior, a plugin"
    )
    distance_limits: tuple[NonNegativeFloat, ...] = Field(
        min_length=1, description="Limits of the sampler uniform in the distance series, a row each"
    )
    compared: Annotated[tuple[str, ...], TupleFromText] = Field(
        min_length=1, description="The variants whose decoders get the same points"
    )
    compared_sampler: ComponentConfig = Field(
        description="What is compared with N(0, I), fitted to each variant's latents"
    )
    fit_images: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="Training images, the first of them, that are encoded for what is fitted to latents; none: all"
    )
    fresh: bool = Field(description="Encode and fit again although nothing has changed")
    enhancer: ComponentChain = Field(
        min_length=1,
        description="What is done to the images: none, sharpness, unsharp_mask, detail or a plugin; or a list of them",
    )
    sharpening_factors: tuple[NonNegativeFloat, ...] = Field(
        min_length=1, description="Factors of sharpness in the sharpening series, a row each"
    )
    interpolation: InterpolationConfig = Field(description="The way from one face to another")
    attributes: AttributesConfig = Field(description="Faces moved along attributes")
    traversal: TraversalConfig = Field(description="Faces along the latents' principal components")

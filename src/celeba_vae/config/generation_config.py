"""Parameters of the pipeline ``generation``."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt

from celeba_vae.config.base import ComponentChain, ComponentConfig, NoneFromText, Parameters, TupleFromText

FaceSource = Literal["generated_images", "test_images", "own_photos"]


class InterpolationConfig(Parameters):
    """The way through latent space from one face to another."""

    between: FaceSource = Field("generated_images", description="Where both faces come from")
    start: int | str = Field(0, description="The face's row, from 0 on (-1: the last), or an own photo's file name")
    end: int | str = Field(-1, description="The other face's, likewise")
    steps: int = Field(7, ge=2, le=60, description="Faces in a row of the strip, both ends among them")
    frames: int = Field(
        16, ge=2, le=240, description="Faces in the animation on the way there; as many again come back"
    )


class AttributesConfig(Parameters):
    """Faces moved along attributes, as the training images' attribute list names them."""

    names: Literal["auto"] | Annotated[tuple[str, ...], TupleFromText] = Field(
        "auto",
        union_mode="left_to_right",
        description="Their names; auto: Smiling, Eyeglasses, Male, Blond_Hair, Young, Bangs and Mustache, as far as the"
        " list has them, the one that changes the faces most first",
    )
    faces: FaceSource = Field("test_images", description="Where the faces come from")
    shown: Annotated[int, Field(ge=1, le=20)] | Annotated[tuple[int | str, ...], TupleFromText] = Field(
        2, description="How many faces, from the first on, at most 20; or their rows, or own photos' file names"
    )
    steps: tuple[float, ...] = Field(
        (-2.0, -1.0, 0.0, 1.0, 2.0),
        min_length=1,
        description="How far they are moved; 1 is the way from the mean of all faces without to the mean of those with",
    )


class TraversalConfig(Parameters):
    """Faces along the principal components of the training images' latents."""

    components: int = Field(8, ge=1, le=60, description="How many components, the one with the largest variance first")
    steps: tuple[float, ...] = Field(
        (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0), min_length=1, description="Standard deviations from the mean"
    )


class GenerationConfig(Parameters):
    """Faces from random points of the latent space."""

    variant: str = Field("vae", description="The variant whose decoder makes the images")
    count: PositiveInt = Field(28, description="Images to generate")
    columns: PositiveInt = Field(7, description="Images in a row of the grid")
    seed: int = Field(42, ge=0, description="Seed of the latent points")
    sampler: ComponentConfig = Field(
        ComponentConfig(name="normal"),
        description="Where points come from: normal, truncated_normal, uniform, gaussian, mixture, posterior, a plugin",
    )
    distance_limits: tuple[NonNegativeFloat, ...] = Field(
        (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 5.0, 8.0),
        min_length=1,
        description="Limits of the sampler uniform in the distance series, a row each",
    )
    compared: Annotated[tuple[str, ...], TupleFromText] = Field(
        ("vae", "ae"), min_length=1, description="The variants whose decoders get the same points"
    )
    compared_sampler: ComponentConfig = Field(
        ComponentConfig(name="mixture"), description="What is compared with N(0, I), fitted to each variant's latents"
    )
    fit_images: Annotated[PositiveInt | None, NoneFromText] = Field(
        30_000,
        description="Training images, the first of them, that are encoded for what is fitted to latents; none: all",
    )
    fresh: bool = Field(False, description="Encode and fit again although nothing has changed")
    enhancer: ComponentChain = Field(
        (ComponentConfig(name="sharpness"),),
        min_length=1,
        description="What is done to the images: none, sharpness, unsharp_mask, detail or a plugin; or a list of them",
    )
    sharpening_factors: tuple[NonNegativeFloat, ...] = Field(
        (0.0, 3.0, 6.0, 7.0), min_length=1, description="Factors of sharpness in the sharpening series, a row each"
    )
    interpolation: InterpolationConfig = Field(InterpolationConfig(), description="The way from one face to another")
    attributes: AttributesConfig = Field(AttributesConfig(), description="Faces moved along attributes")
    traversal: TraversalConfig = Field(TraversalConfig(), description="Faces along the latents' principal components")

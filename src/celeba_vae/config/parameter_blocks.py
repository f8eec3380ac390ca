"""The parameter blocks, but for a variant's own, and what their values may be."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator

from celeba_vae.config.base import ComponentChain, ComponentConfig, NoneFromText, Parameters, TupleFromText

# what the names of the experiments' variants begin with
TRIAL = "trial_"

FaceSource = Literal["generated_images", "test_images", "own_photos"]


def _scheduler(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"local|(tcp|tls)://\S+:\d+", value):
        raise ValueError("give none, local, or a scheduler's address such as tcp://host:8786")
    return value


class SplitConfig(Parameters, block="data_engineering.split"):
    """How images are divided into training, validation and test images."""

    by: Literal["auto", "partition", "counts"] = Field(
        description="CelebA's partition file (partition), seeded counts (counts), or the file where it exists"
    )
    train: PositiveInt = Field(description="Training images, when split by counts")
    validation: int = Field(ge=0, description="Validation images, when split by counts")
    test: int = Field(ge=0, description="Test images, when split by counts; fewer images: all scaled down")
    seed: int = Field(ge=0, description="Seed of the order in which counts are dealt out")


class ClusterConfig(Parameters, block="data_engineering.cluster"):
    """Where images are prepared: in this process, or by Dask's workers (the extra dask)."""

    scheduler: Annotated[str | None, AfterValidator(_scheduler), NoneFromText] = Field(
        description="none: this process; local: worker processes of their own on this machine; or the address of a Dask"
        " scheduler, such as tcp://host:8786"
    )
    processes: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="Worker processes that local starts; none: one per processor"
    )
    timeout: PositiveFloat = Field(description="Seconds to wait for a worker when there is none")


class DataEngineeringConfig(Parameters, block="data_engineering"):
    """From original images to arrays."""

    source: ComponentConfig = Field(description="Where the images come from: celeba, folder, synthetic or a plugin")
    crop: Annotated[PositiveInt | tuple[int, int, int, int] | None, NoneFromText] = Field(
        description="Side of a centre square, or a box [left, top, right, bottom] in pixels, or none"
    )
    image_size: PositiveInt | tuple[PositiveInt, PositiveInt] = Field(
        description="Side of the square result in pixels, or [height, width]"
    )
    split: SplitConfig = Field(description="How images become training, validation and test images")
    max_bad_share: float = Field(ge=0, le=1, description="The run stops when more than this share is damaged")
    workers: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="Threads; none: one per processor, 16 for images in a bucket. The result never depends on it"
    )
    cluster: ClusterConfig = Field(
        description="Worker processes, here or on other machines. The result never depends on it"
    )
    fresh: bool = Field(description="Prepare again although nothing has changed")
    preview_count: PositiveInt = Field(description="Images in the preview grid")
    preview_seed: int = Field(ge=0, description="Seed that chooses the images of the preview grid")

    @field_validator("crop")
    @classmethod
    def _box_is_not_empty(cls, crop: Any) -> Any:
        if isinstance(crop, tuple):
            left, top, right, bottom = crop
            if not (0 <= left < right and 0 <= top < bottom):
                raise ValueError(
                    f"a box is [left, top, right, bottom], 0 <= left < right and 0 <= top < bottom, not {list(crop)}"
                )
        return crop

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, 3) of a prepared image."""
        size = self.image_size
        height, width = (size, size) if isinstance(size, int) else size
        return height, width, 3


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


class HardwareConfig(Parameters, block="hardware"):
    """What the run may use of the machine: applied before TensorFlow starts, by the hardware hook."""

    device: Literal["auto", "cpu", "gpu"] = Field(description="auto: a GPU where there is one")
    gpu_memory_limit: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="GPU memory in MB that TensorFlow may take (the articles use 2048); none: no limit"
    )
    gpu_memory_growth: bool = Field(description="Take GPU memory as needed, not all at once; a limit replaces it")
    cpu_threads: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="CPU threads for TensorFlow; none: all processors"
    )
    strategy: Literal["auto", "one", "mirrored", "multi_worker"] = Field(
        description="Devices that a model is trained on: one; mirrored: all of this machine; multi_worker: those of all"
        " machines that TF_CONFIG names; auto: as many as there are"
    )
    virtual_devices: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="CPU devices that TensorFlow is to see, to try mirrored without GPUs; none: one"
    )
    xla: Literal["auto"] | bool = Field(
        description="XLA: true, false, or auto: on with one GPU that trains, off without and with several"
    )
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = Field(
        description="Arithmetic of the training; auto: mixed_bfloat16 where the hardware has it, else float32"
    )
    seed: int = Field(ge=0, description="Global seed of Python, NumPy and TensorFlow")
    deterministic: bool = Field(description="Bit-identical results on the same machine, at some cost in speed")

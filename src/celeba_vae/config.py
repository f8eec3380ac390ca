"""Every parameter block as a Pydantic model: Kedro validates the parameters against these before any node runs.

The nodes' type hints name these models; the defaults are the articles' settings and those of ``conf/base``.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
)


def _none_from_text(value: Any) -> Any:
    """Let ``--params x=none`` mean what ``x: null`` means in a file."""
    return None if isinstance(value, str) and value.lower() in {"none", "null"} else value


def _tuple_from_text(value: Any) -> Any:
    """Let ``--params x=vae`` mean what ``x: [vae]`` means in a file: Kedro splits ``--params`` at every comma."""
    return (value,) if isinstance(value, str) else value


def _scheduler(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"local|(tcp|tls)://\S+:\d+", value):
        raise ValueError("give none, local, or a scheduler's address such as tcp://host:8786")
    return value


NoneFromText = BeforeValidator(_none_from_text)
TupleFromText = BeforeValidator(_tuple_from_text)


class Parameters(BaseModel):
    """Base of all parameter blocks: unknown names are errors and values can't be changed after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ComponentConfig(BaseModel):
    """A component by name, with the component's own options beside it: ``{name: conv, filters: [32, 64]}``."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(description="A built-in's or plugin's name, or package.module:object")

    @property
    def options(self) -> dict[str, Any]:
        """The component's own options, all that stands beside ``name``."""
        return dict(self.model_extra or {})


def _chain_from_one(value: Any) -> Any:
    """Let a name stand for a component without options, and one component for a chain of one."""
    chain = value if isinstance(value, list | tuple) else [value]
    return [{"name": each} if isinstance(each, str) else each for each in chain]


ComponentChain = Annotated[tuple[ComponentConfig, ...], BeforeValidator(_chain_from_one)]


def _chain(*names: str) -> tuple[ComponentConfig, ...]:
    return tuple(ComponentConfig(name=name) for name in names)


# --------------------------------------------------------------------------------------------------- data engineering


class SplitConfig(Parameters):
    """How images are divided into training, validation and test images."""

    by: Literal["auto", "partition", "counts"] = Field(
        "auto", description="CelebA's partition file (partition), seeded counts (counts), or the file where it exists"
    )
    train: PositiveInt = Field(170_000, description="Training images, when split by counts")
    validation: NonNegativeInt = Field(20_000, description="Validation images, when split by counts")
    test: NonNegativeInt = Field(10_000, description="Test images, when split by counts; fewer images: all scaled down")
    seed: int = Field(42, ge=0, description="Seed of the order in which counts are dealt out")


class ClusterConfig(Parameters):
    """Where images are prepared: in this process, or by Dask's workers (the extra dask)."""

    scheduler: Annotated[str | None, AfterValidator(_scheduler), NoneFromText] = Field(
        None,
        description="none: this process; local: worker processes of their own on this machine; or the address of a Dask"
        " scheduler, such as tcp://host:8786",
    )
    processes: Annotated[PositiveInt | None, NoneFromText] = Field(
        None, description="Worker processes that local starts; none: one per processor"
    )
    timeout: PositiveFloat = Field(30.0, description="Seconds to wait for a worker when there is none")


class DataEngineeringConfig(Parameters):
    """From original images to arrays."""

    source: ComponentConfig = Field(
        ComponentConfig(name="celeba"), description="Where the images come from: celeba, folder, synthetic or a plugin"
    )
    crop: Annotated[
        PositiveInt | tuple[int, int, int, int] | None,
        NoneFromText,
    ] = Field(148, description="Side of a centre square, or a box [left, top, right, bottom] in pixels, or none")
    image_size: PositiveInt | tuple[PositiveInt, PositiveInt] = Field(
        96, description="Side of the square result in pixels, or [height, width]"
    )
    split: SplitConfig = Field(SplitConfig(), description="How images become training, validation and test images")
    max_bad_share: float = Field(0.01, ge=0, le=1, description="The run stops when more than this share is damaged")
    workers: Annotated[PositiveInt | None, NoneFromText] = Field(
        None,
        description="Threads; none: one per processor, 16 for images in a bucket. The result never depends on it",
    )
    cluster: ClusterConfig = Field(
        ClusterConfig(), description="Worker processes, here or on other machines. The result never depends on it"
    )
    fresh: bool = Field(False, description="Prepare again although nothing has changed")
    preview_count: PositiveInt = Field(28, description="Images in the preview grid")
    preview_seed: int = Field(42, ge=0, description="Seed that chooses the images of the preview grid")

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


# ----------------------------------------------------------------------------------------------------------- training


class LayersConfig(Parameters):
    """What encoder and decoder share in each layer."""

    activation: Literal["leaky_relu", "relu", "elu", "selu"] = Field(
        "leaky_relu", description="Activation after each convolution"
    )
    batch_normalization: Literal["synchronized"] | bool = Field(
        True,
        description="Batch normalisation after each convolution; synchronized: on several devices, too, each batch is"
        " normalised as a whole, not each device's part of it by itself",
    )
    batch_normalization_momentum: float = Field(
        0.99,
        ge=0,
        lt=1,
        description="Momentum of the moving statistics; 0.99 needs about 500 steps to settle, 0.9 fifty",
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout rate after each activation; 0 switches it off")


class VariantConfig(Parameters):
    """One model and how it is trained: a block under ``variants`` in ``parameters_training.yml``."""

    name: str = Field("", description="The block's name, filled in when the parameters are read")
    model: Literal["vae", "ae"] = Field("vae", description="Variational autoencoder or plain autoencoder")
    latent_dim: PositiveInt = Field(256, description="Dimensions of the latent space (the articles' z_dim)")
    encoder: ComponentConfig = Field(ComponentConfig(name="conv"), description="Encoder and its options")
    decoder: ComponentConfig = Field(ComponentConfig(name="conv_transpose"), description="Decoder and its options")
    layers: LayersConfig = Field(LayersConfig(), description="What encoder and decoder share in each layer")
    reconstruction_loss: ComponentConfig = Field(
        ComponentConfig(name="bce"), description="bce, mse, gaussian or a plugin"
    )
    kl_weight: NonNegativeFloat = Field(
        5.0,
        description="Weight of the KL term (the articles' fact): 3 to 6 with bce, 0.01 to 0.05 with mse, 1 with"
        " gaussian; a vae's only",
    )
    kl_schedule: ComponentConfig = Field(
        ComponentConfig(name="constant"),
        description="Factor of kl_weight over the epochs: constant, linear_warm_up, cyclical or a plugin",
    )
    free_bits: NonNegativeFloat = Field(
        0.0, description="KL in nats a latent dimension below which nothing is gained (Kingma et al. 2016); 0: off"
    )
    kl_term: Literal["gradient_tape", "add_loss"] = Field(
        "gradient_tape", description="Where the KL term enters the loss: in the training step, or by a layer's add_loss"
    )
    image_count: Annotated[PositiveInt | None, NoneFromText] = Field(
        170_000, description="Training images used, the first rows of train_images; none: all"
    )
    horizontal_flips: bool = Field(False, description="Mirror each training image with a probability of one half")
    epochs: PositiveInt = Field(24, description="Passes over the training images")
    batch_size: PositiveInt = Field(128, description="Images a step")
    learning_rate: PositiveFloat = Field(5e-4, description="Adam's learning rate")
    learning_rate_schedule: ComponentConfig = Field(
        ComponentConfig(name="constant"),
        description="Factor of learning_rate over the epochs: constant, cosine, step, linear_warm_up or a plugin",
    )
    gradient_clip_norm: Annotated[PositiveFloat | None, NoneFromText] = Field(
        None, description="Largest norm of all gradients together; longer ones are scaled down to it; none: no limit"
    )
    ema_momentum: Annotated[float | None, NoneFromText] = Field(
        None,
        gt=0,
        lt=1,
        description="Momentum of the weights' moving average, which then is validated and kept; none: off",
    )
    early_stopping_patience: Annotated[PositiveInt | None, NoneFromText] = Field(
        None, description="Stop after so many epochs without a lower validation total_loss; none: never"
    )
    use_weights: Literal["last", "best"] = Field(
        "last",
        description="The weights that become encoder and decoder: after the last epoch, or after the one of the lowest"
        " validation total_loss. Checkpoints hold both",
    )
    seed: int = Field(42, ge=0, description="Seed of the weights, the order of the images, the flips and the noise")
    checkpoint_steps: Annotated[PositiveInt | None, NoneFromText] = Field(
        1_000, description="Steps between two checkpoints within an epoch; none: one after each epoch only"
    )
    keep_checkpoints: PositiveInt = Field(2, description="Newest checkpoints kept, beside those of finished trainings")
    preview_epochs: Annotated[PositiveInt | None, NoneFromText] = Field(
        1,
        description="Epochs between two grids of samples and reconstructions; none: after the first and the last only",
    )
    fresh: bool = Field(
        False,
        description="Train from the start although a finished or unfinished training is there; interrupted, it goes on",
    )


# ----------------------------------------------------------------------------------------------- generation, evaluation


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


class EvaluationConfig(Parameters):
    """Models compared on the test images and on the user's own photos."""

    variants: Annotated[tuple[str, ...], TupleFromText] = Field(
        ("ae", "vae"), min_length=1, description="The variants that are compared"
    )
    metrics: ComponentChain = Field(
        _chain("explained_variance", "psnr", "ssim", "ms_ssim", "mse", "bce", "sharpness"),
        min_length=1,
        description="What reconstructions are measured by",
    )
    distribution_metrics: ComponentChain = Field(
        _chain("sliced_wasserstein", "inception", "crossing_lines", "variety", "sharpness"),
        description="What generated images and reconstructions are compared with the test images by",
    )
    samplers: ComponentChain = Field(
        _chain("normal", "mixture"), min_length=1, description="Where the generated images' points come from"
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


# ----------------------------------------------------------------------------------------------------------- hardware


class HardwareConfig(Parameters):
    """What the run may use of the machine: applied before TensorFlow starts, by the hardware hook."""

    device: Literal["auto", "cpu", "gpu"] = Field("auto", description="auto: a GPU where there is one")
    gpu_memory_limit: Annotated[PositiveInt | None, NoneFromText] = Field(
        None, description="GPU memory in MB that TensorFlow may take (the articles use 2048); none: no limit"
    )
    gpu_memory_growth: bool = Field(True, description="Take GPU memory as needed, not all at once; a limit replaces it")
    cpu_threads: Annotated[PositiveInt | None, NoneFromText] = Field(
        None, description="CPU threads for TensorFlow; none: all processors"
    )
    strategy: Literal["auto", "one", "mirrored", "multi_worker"] = Field(
        "auto",
        description="Devices that a model is trained on: one; mirrored: all of this machine; multi_worker: those of all"
        " machines that TF_CONFIG names; auto: as many as there are",
    )
    virtual_devices: Annotated[PositiveInt | None, NoneFromText] = Field(
        None, description="CPU devices that TensorFlow is to see, to try mirrored without GPUs; none: one"
    )
    xla: Literal["auto"] | bool = Field(
        "auto", description="XLA: true, false, or auto: on with one GPU that trains, off without and with several"
    )
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "auto", description="Arithmetic of the training; auto: mixed_bfloat16 where the hardware has it, else float32"
    )
    seed: int = Field(42, ge=0, description="Global seed of Python, NumPy and TensorFlow")
    deterministic: bool = Field(False, description="Bit-identical results on the same machine, at some cost in speed")

"""What a run may use of the machine."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from celeba_vae.config.base import NoneFromText, Parameters


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

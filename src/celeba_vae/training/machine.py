"""What this machine has to train on: GPUs and their precision. It asks TensorFlow, which loads when it is asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celeba_vae.config import HardwareConfig
from celeba_vae.errors import HardwareError

if TYPE_CHECKING:
    import tensorflow as tf

_BFLOAT16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}


def gpus_in_use(config: HardwareConfig) -> list[tf.config.PhysicalDevice]:
    """Give the GPUs that ``device`` in hardware.yml allows, none on a machine without.

    Raises:
        HardwareError: a GPU is asked for where there is none.
    """
    import tensorflow

    gpus = [] if config.device == "cpu" else tensorflow.config.list_physical_devices("GPU")
    if config.device == "gpu" and not gpus:
        raise HardwareError(
            "hardware.yml asks for a GPU (device: gpu), but TensorFlow finds none on this machine.\n"
            "Set device: auto or cpu there (or --params hardware.device=auto), or, with an NVIDIA GPU on Linux,"
            " install its libraries: pip install -c constraints.txt -e '.[gpu]'."
        )
    return gpus


def effective_precision(config: HardwareConfig) -> str:
    """Give the Keras dtype policy to train with; ``auto`` is mixed_bfloat16 where the hardware has it, else float32.

    A GPU has it from compute capability 8 (Ampere) on, a processor with the instructions AVX512_BF16 or AMX_BF16.
    """
    if config.precision != "auto":
        return config.precision
    if gpus := gpus_in_use(config):
        has_bfloat16 = all(gpu_details(gpu).get("compute_capability", (0, 0)) >= (8, 0) for gpu in gpus)
    else:
        has_bfloat16 = cpu_has_bfloat16()
    return "mixed_bfloat16" if has_bfloat16 else "float32"


def gpu_details(gpu: tf.config.PhysicalDevice) -> dict[str, Any]:
    """Give what TensorFlow knows of a GPU: ``device_name`` and ``compute_capability``, where it has them."""
    import tensorflow

    return tensorflow.config.experimental.get_device_details(gpu)


def cpu_has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Say whether the processor computes in bfloat16, by the flags that Linux lists."""
    # no Mac has these instructions, so Linux's list is enough
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(), flags=re.MULTILINE) if cpuinfo.exists() else None
    return flags is not None and not _BFLOAT16_INSTRUCTIONS.isdisjoint(flags[1].split())

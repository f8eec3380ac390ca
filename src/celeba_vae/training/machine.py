"""What there is to train on: devices, their precision, XLA. It asks TensorFlow, which loads when it is asked."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celeba_vae.config import HardwareConfig
from celeba_vae.errors import HardwareError
from celeba_vae.training.distributed.peers import this_peer

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


def training_device_names(config: HardwareConfig) -> list[str]:
    """Name the devices of this machine that a model is trained on, as TensorFlow does: GPU:0 and so on.

    Raises:
        HardwareError: ``strategy`` is mirrored, and there is one device only.
    """
    names = [f"GPU:{i}" for i in range(len(gpus_in_use(config)))]
    names = names or [f"CPU:{i}" for i in range(config.virtual_devices or 1)]
    if config.strategy == "one":
        return names[:1]
    if config.strategy == "mirrored" and len(names) == 1:
        raise HardwareError(
            f"hardware.yml says strategy: mirrored, but there is one device only: {names[0]}.\n"
            "Set strategy: auto; or virtual_devices: 2, to try it without GPUs."
        )
    return names


def use_xla(config: HardwareConfig) -> bool:
    """Say whether to compile with XLA; ``auto`` means with one GPU, since on a CPU it halves this model's speed.

    Raises:
        HardwareError: ``xla`` is true, and a model is trained on several devices.
    """
    several = this_peer(config) is not None or len(training_device_names(config)) > 1
    if several and config.xla is True:
        raise HardwareError(
            "hardware.yml says xla: true, but XLA can't compile what several devices compute together.\n"
            "Set xla: auto or false, or strategy: one."
        )
    return bool(gpus_in_use(config)) and not several if config.xla == "auto" else config.xla


def effective_precision(config: HardwareConfig) -> str:
    """Give the Keras dtype policy to train with; ``auto`` is mixed_bfloat16 where the hardware has it, else float32.

    A GPU has it from compute capability 8 (Ampere) on, a processor with the instructions AVX512_BF16 or AMX_BF16.
    """
    if config.precision != "auto":
        return config.precision
    if gpus := gpus_in_use(config):
        has_bfloat16 = all(_details(gpu).get("compute_capability", (0, 0)) >= (8, 0) for gpu in gpus)
    else:
        has_bfloat16 = cpu_has_bfloat16()
    return "mixed_bfloat16" if has_bfloat16 else "float32"


def describe_hardware(config: HardwareConfig) -> str:
    """Say in a line which devices are used, and with which precision, XLA and seed."""
    gpus = gpus_in_use(config)
    threads = config.cpu_threads or os.cpu_count()
    devices = f"CPU ({threads} thread{'' if threads == 1 else 's'})"
    if gpus:
        names = ", ".join(_details(gpu).get("device_name", "GPU") for gpu in gpus)
        limit = f"at most {config.gpu_memory_limit} MB" if config.gpu_memory_limit else "no memory limit"
        devices = f"{names} ({limit}), {devices}"
    xla = "on" if use_xla(config) else "off"
    deterministic = "; deterministic" if config.deterministic else ""
    return (
        f"Hardware: {devices}; {_strategy_text(config)}XLA {xla}; {effective_precision(config)};"
        f" seed {config.seed}{deterministic}"
    )


def _strategy_text(config: HardwareConfig) -> str:
    """Say how a model is trained on several devices, with a semicolon behind; nothing where there is one."""
    peer, devices = this_peer(config), len(training_device_names(config))
    if peer:
        return f"multi_worker, {peer}, {devices * len(peer.addresses)} replicas; "
    return f"mirrored, {devices} replicas; " if devices > 1 else ""


def _details(gpu: tf.config.PhysicalDevice) -> dict[str, Any]:
    import tensorflow

    return tensorflow.config.experimental.get_device_details(gpu)


def cpu_has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Say whether the processor computes in bfloat16, by the flags that Linux lists."""
    # no Mac has these instructions, so Linux's list is enough
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(), flags=re.MULTILINE) if cpuinfo.exists() else None
    return flags is not None and not _BFLOAT16_INSTRUCTIONS.isdisjoint(flags[1].split())

"""Setting TensorFlow up as hardware.yml says: devices, memory, threads, seeds. It takes most of these only once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from celeba_vae.config import HardwareConfig
from celeba_vae.errors import HardwareError
from celeba_vae.training.distributed.peers import this_peer
from celeba_vae.training.machine import describe_hardware, gpus_in_use
from celeba_vae.training.quiet_tensorflow import load_tensorflow_quietly

if TYPE_CHECKING:
    import tensorflow as tf

logger = logging.getLogger(__name__)

_deterministic = False


def configure_hardware(config: HardwareConfig) -> str:
    """Apply devices, memory limit, threads and seeds to TensorFlow, and log them with XLA and precision in one line.

    Call it before TensorFlow runs its first operation; again with the same settings it changes nothing but the seeds.

    Returns:
        The line that was logged.

    Raises:
        HardwareError: a GPU is asked for where there is none, or TensorFlow has started with other settings.
    """
    load_tensorflow_quietly(among_peers=this_peer(config) is not None)
    import keras

    gpus = gpus_in_use(config)
    if config.gpu_memory_limit and not gpus:
        logger.warning("gpu_memory_limit: %d in hardware.yml has no effect: no GPU is used.", config.gpu_memory_limit)
    _apply(list(_settings(config, gpus)))
    keras.utils.set_random_seed(config.seed)
    line = describe_hardware(config)
    logger.info(line)
    return line


@dataclass(frozen=True)
class _Setting:
    name: str
    wanted: Any
    in_effect: Any
    apply: Callable[[], None]


def _apply(settings: list[_Setting]) -> None:
    changes = [setting for setting in settings if setting.wanted != setting.in_effect]
    try:
        for setting in changes:
            setting.apply()
    except (RuntimeError, ValueError) as error:
        lines = [f"  {each.name}: wanted {_text(each.wanted)}, in effect {_text(each.in_effect)}" for each in changes]
        raise HardwareError(
            "TensorFlow has already started with other settings, which can't change any more:\n"
            + "\n".join(lines)
            + "\nRestart the kernel (or the process) and run again."
        ) from error


def _settings(config: HardwareConfig, gpus: list[tf.config.PhysicalDevice]) -> Iterator[_Setting]:
    import tensorflow

    options = tensorflow.config
    if config.virtual_devices:
        (cpu,) = options.list_physical_devices("CPU")
        logical = options.LogicalDeviceConfiguration()
        yield _Setting(
            "virtual_devices",
            wanted=config.virtual_devices,
            in_effect=len(options.get_logical_device_configuration(cpu) or [logical]),
            apply=partial(options.set_logical_device_configuration, cpu, [logical] * config.virtual_devices),
        )
    yield _Setting(
        "device",
        wanted=_names(gpus),
        in_effect=_names(options.get_visible_devices("GPU")),
        apply=partial(options.set_visible_devices, gpus, "GPU"),
    )
    for gpu in gpus:
        limited = options.LogicalDeviceConfiguration(memory_limit=config.gpu_memory_limit)
        in_effect, *_ = options.get_logical_device_configuration(gpu) or [options.LogicalDeviceConfiguration()]
        yield _Setting(
            "gpu_memory_limit",
            wanted=config.gpu_memory_limit,
            in_effect=in_effect.memory_limit,
            apply=partial(options.set_logical_device_configuration, gpu, [limited]),
        )
        if config.gpu_memory_limit is None:
            yield _Setting(
                "gpu_memory_growth",
                wanted=config.gpu_memory_growth,
                in_effect=bool(options.experimental.get_memory_growth(gpu)),
                apply=partial(options.experimental.set_memory_growth, gpu, config.gpu_memory_growth),
            )
    for kind in "intra", "inter":
        # TensorFlow's 0 means: as many as there are processors
        yield _Setting(
            f"cpu_threads ({kind}_op)",
            wanted=config.cpu_threads,
            in_effect=getattr(options.threading, f"get_{kind}_op_parallelism_threads")() or None,
            apply=partial(getattr(options.threading, f"set_{kind}_op_parallelism_threads"), config.cpu_threads or 0),
        )
    yield _Setting("deterministic", config.deterministic, _deterministic, partial(_determine, config.deterministic))


def _determine(wanted: bool) -> None:
    global _deterministic
    import tensorflow

    if not wanted:
        raise RuntimeError("TensorFlow knows no way back from deterministic operations.")
    tensorflow.config.experimental.enable_op_determinism()
    _deterministic = True


def _text(value: Any) -> str:
    """Write a value as hardware.yml has it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _names(gpus: list[tf.config.PhysicalDevice]) -> str:
    return ", ".join(gpu.name.removeprefix("/physical_device:") for gpu in gpus) or "CPU only"

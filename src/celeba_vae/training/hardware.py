"""Loading TensorFlow quietly, and setting it up as hardware.yml says. It takes most settings only once."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from celeba_vae.config import HardwareConfig
from celeba_vae.errors import HardwareError
from celeba_vae.training.distributed.device_choice import strategy_text, use_xla
from celeba_vae.training.distributed.peers import this_peer
from celeba_vae.training.machine import effective_precision, gpu_details, gpus_in_use

if TYPE_CHECKING:
    import tensorflow as tf

logger = logging.getLogger(__name__)

# "I0000 00:00:1795414783.548785 7350 port.cc:153] oneDNN custom operations are on" and the like
_START_UP_LINE = re.compile(rb"WARNING: All log messages before absl::|[IWE]\d{4} [\d:.]+ +\d+ [\w.]+:\d+\]")
# said once a process, though it is an error of neither TensorFlow nor the user: Keras' upsampling has a gradient that
# transposes integers, and mixed_float16 needs what few processors have
_ONEDNN_LINE = re.compile(rb"E\d{4} [\d:.]+ +\d+ util\.cc:\d+\] oneDNN supports \w+ only on platforms with AVX-512")
_LOG_LEVEL = "1"
# where one peer is lost, the others' every thread says so, and then an exception does
_LOG_LEVEL_OF_PEERS = "3"

_deterministic = False


def load_tensorflow_quietly(among_peers: bool = False) -> None:
    """Load TensorFlow without its greetings, unless TF_CPP_MIN_LOG_LEVEL says what the user wants to see."""
    if "tensorflow" in sys.modules or "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = _LOG_LEVEL_OF_PEERS if among_peers else _LOG_LEVEL
    # said of every few models that a run loads, though each is traced once
    logging.getLogger("tensorflow").addFilter(lambda record: "triggered tf.function retracing" not in record.msg)
    with _lines_dropped(_START_UP_LINE):
        import tensorflow

        # looking for devices is what makes it report that there is no GPU driver
        tensorflow.config.list_physical_devices()


def drop_onednn_line() -> None:
    """Have oneDNN say here, unheard, that it leaves some types to Eigen; call it when the hardware is configured.

    With TF_CPP_MIN_LOG_LEVEL set, the user sees what it says.
    """
    import tensorflow

    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == _LOG_LEVEL:
        with _lines_dropped(_ONEDNN_LINE), tensorflow.device("CPU"):
            tensorflow.transpose(tensorflow.zeros((2, 2), tensorflow.int32))


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


def describe_hardware(config: HardwareConfig) -> str:
    """Say in a line which devices are used, and with which precision, XLA and seed."""
    gpus = gpus_in_use(config)
    threads = config.cpu_threads or os.cpu_count()
    devices = f"CPU ({threads} thread{'' if threads == 1 else 's'})"
    if gpus:
        names = ", ".join(gpu_details(gpu).get("device_name", "GPU") for gpu in gpus)
        limit = f"at most {config.gpu_memory_limit} MB" if config.gpu_memory_limit else "no memory limit"
        devices = f"{names} ({limit}), {devices}"
    xla = "on" if use_xla(config) else "off"
    deterministic = "; deterministic" if config.deterministic else ""
    return (
        f"Hardware: {devices}; {strategy_text(config)}XLA {xla}; {effective_precision(config)};"
        f" seed {config.seed}{deterministic}"
    )


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


@contextmanager
def _lines_dropped(pattern: re.Pattern[bytes]) -> Iterator[None]:
    """Drop matching log lines that C++ code writes to standard error, where no variable stops them and only them."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held_back.seek(0)
            for line in held_back:
                if not pattern.match(line):
                    os.write(2, line)

"""What a run may use of the machine: devices, memory, threads, arithmetic, seeds."""

import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from celeba_vae.config import HardwareConfig
from celeba_vae.errors import HardwareError
from celeba_vae.training.distributed.peers import this_peer

logger = logging.getLogger(__name__)

# "I0000 00:00:1795414783.548785 7350 port.cc:153] oneDNN custom operations are on" and the like
_START_UP_LINE = re.compile(rb"WARNING: All log messages before absl::|[IWE]\d{4} [\d:.]+ +\d+ [\w.]+:\d+\]")
# said once a process, though it is an error of neither TensorFlow nor the user: Keras' upsampling has a gradient that
# transposes integers, and mixed_float16 needs what few processors have
_ONEDNN_LINE = re.compile(rb"E\d{4} [\d:.]+ +\d+ util\.cc:\d+\] oneDNN supports \w+ only on platforms with AVX-512")
_BFLOAT16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}
_LOG_LEVEL = "1"
# where one is lost, the others' every thread says so, and then an exception does
_LOG_LEVEL_OF_PEERS = "3"

_deterministic = False


def configure_hardware(config: HardwareConfig) -> str:
    """Apply devices, memory limit, threads and seeds to TensorFlow, and log them with XLA and precision in one line.

    Call it before TensorFlow runs its first operation; again with the same settings it changes nothing but the seeds.

    Returns:
        The line that was logged.

    Raises:
        HardwareError: a GPU is asked for where there is none, or TensorFlow has started with other settings.
    """
    load_tensorflow_quietly(_LOG_LEVEL_OF_PEERS if this_peer(config) else _LOG_LEVEL)
    import keras

    gpus = _gpus(config)
    if config.gpu_memory_limit and not gpus:
        logger.warning("gpu_memory_limit: %d in hardware.yml has no effect: no GPU is used.", config.gpu_memory_limit)
    _apply([*_device_settings(config, gpus), *_thread_settings(config), _deterministic_setting(config)])
    keras.utils.set_random_seed(config.seed)
    line = describe_hardware(config)
    logger.info(line)
    return line


def describe_hardware(config: HardwareConfig) -> str:
    """Say in a line which devices are used, and with which precision, XLA and seed."""
    gpus = _gpus(config)
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


def training_device_names(config: HardwareConfig) -> list[str]:
    """Name the devices of this machine that a model is trained on, as TensorFlow does: GPU:0 and so on.

    Raises:
        HardwareError: ``strategy`` is mirrored, and there is one device only.
    """
    names = [f"GPU:{i}" for i in range(len(_gpus(config)))]
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
    return bool(_gpus(config)) and not several if config.xla == "auto" else config.xla


def effective_precision(config: HardwareConfig) -> str:
    """Give the Keras dtype policy to train with; ``auto`` is mixed_bfloat16 where the hardware has it, else float32.

    A GPU has it from compute capability 8 (Ampere) on, a processor with the instructions AVX512_BF16 or AMX_BF16.
    """
    if config.precision != "auto":
        return config.precision
    if gpus := _gpus(config):
        has_bfloat16 = all(_details(gpu).get("compute_capability", (0, 0)) >= (8, 0) for gpu in gpus)
    else:
        has_bfloat16 = _cpu_has_bfloat16()
    return "mixed_bfloat16" if has_bfloat16 else "float32"


def load_tensorflow_quietly(log_level: str = _LOG_LEVEL) -> None:
    """Load TensorFlow without its greetings, unless TF_CPP_MIN_LOG_LEVEL says what the user wants to see."""
    if "tensorflow" in sys.modules or "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = log_level
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


def _strategy_text(config: HardwareConfig) -> str:
    """Say how a model is trained on several devices, with a semicolon behind; nothing where there is one."""
    peer, devices = this_peer(config), len(training_device_names(config))
    if peer:
        return f"multi_worker, {peer}, {devices * len(peer.addresses)} replicas; "
    return f"mirrored, {devices} replicas; " if devices > 1 else ""


def _device_settings(config: HardwareConfig, gpus: list[Any]) -> Iterator[_Setting]:
    from tensorflow import config as tf_config

    if config.virtual_devices:
        yield _virtual_devices(config.virtual_devices)
    yield _Setting(
        name="device",
        wanted=_names(gpus),
        in_effect=_names(tf_config.get_visible_devices("GPU")),
        apply=lambda: tf_config.set_visible_devices(gpus, "GPU"),
    )
    for gpu in gpus:
        yield _memory_limit(config, gpu)
        if config.gpu_memory_limit is None:
            yield _memory_growth(config, gpu)


def _virtual_devices(count: int) -> _Setting:
    from tensorflow import config as tf_config

    (cpu,) = tf_config.list_physical_devices("CPU")
    logical = tf_config.LogicalDeviceConfiguration()
    return _Setting(
        name="virtual_devices",
        wanted=count,
        in_effect=len(tf_config.get_logical_device_configuration(cpu) or [logical]),
        apply=lambda: tf_config.set_logical_device_configuration(cpu, [logical] * count),
    )


def _memory_limit(config: HardwareConfig, gpu: Any) -> _Setting:
    from tensorflow import config as tf_config

    logical = tf_config.LogicalDeviceConfiguration(memory_limit=config.gpu_memory_limit)
    in_effect = tf_config.get_logical_device_configuration(gpu)
    return _Setting(
        name="gpu_memory_limit",
        wanted=config.gpu_memory_limit,
        in_effect=in_effect[0].memory_limit if in_effect else None,
        apply=lambda: tf_config.set_logical_device_configuration(gpu, [logical]),
    )


def _memory_growth(config: HardwareConfig, gpu: Any) -> _Setting:
    from tensorflow import config as tf_config

    return _Setting(
        name="gpu_memory_growth",
        wanted=config.gpu_memory_growth,
        in_effect=bool(tf_config.experimental.get_memory_growth(gpu)),
        apply=lambda: tf_config.experimental.set_memory_growth(gpu, config.gpu_memory_growth),
    )


def _thread_settings(config: HardwareConfig) -> Iterator[_Setting]:
    from tensorflow.config import threading

    for kind in "intra", "inter":
        # TensorFlow's 0 means: as many as there are processors
        yield _Setting(
            name=f"cpu_threads ({kind}_op)",
            wanted=config.cpu_threads,
            in_effect=getattr(threading, f"get_{kind}_op_parallelism_threads")() or None,
            apply=partial(getattr(threading, f"set_{kind}_op_parallelism_threads"), config.cpu_threads or 0),
        )


def _deterministic_setting(config: HardwareConfig) -> _Setting:
    def apply() -> None:
        global _deterministic
        if not config.deterministic:
            raise RuntimeError("TensorFlow knows no way back from deterministic operations.")
        tensorflow.config.experimental.enable_op_determinism()
        _deterministic = True

    import tensorflow

    return _Setting(name="deterministic", wanted=config.deterministic, in_effect=_deterministic, apply=apply)


def _gpus(config: HardwareConfig) -> list[Any]:
    import tensorflow

    gpus = [] if config.device == "cpu" else tensorflow.config.list_physical_devices("GPU")
    if config.device == "gpu" and not gpus:
        raise HardwareError(
            "hardware.yml asks for a GPU (device: gpu), but TensorFlow finds none on this machine.\n"
            "Set device: auto or cpu there (or --params hardware.device=auto), or, with an NVIDIA GPU on Linux,"
            " install its libraries: pip install -c constraints.txt -e '.[gpu]'."
        )
    return gpus


def _text(value: Any) -> str:
    """Write a value as hardware.yml has it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _names(gpus: list[Any]) -> str:
    return ", ".join(gpu.name.removeprefix("/physical_device:") for gpu in gpus) or "CPU only"


def _details(gpu: Any) -> dict[str, Any]:
    import tensorflow

    return tensorflow.config.experimental.get_device_details(gpu)


def _cpu_has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    # no Mac has these instructions, so Linux's list is enough
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(), flags=re.MULTILINE) if cpuinfo.exists() else None
    return flags is not None and not _BFLOAT16_INSTRUCTIONS.isdisjoint(flags[1].split())


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

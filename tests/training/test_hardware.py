"""Settings that TensorFlow takes once a process are tried in processes of their own; a GPU is a stand-in."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from base_config import base_config

from celeba_vae.config import HardwareConfig
from celeba_vae.errors import HardwareError
from celeba_vae.training.distributed.device_choice import use_xla
from celeba_vae.training.hardware import configure_hardware
from celeba_vae.training.machine import cpu_has_bfloat16, effective_precision

PREAMBLE = """
import logging, random, sys
import numpy as np
from base_config import base_config
from celeba_vae.config import HardwareConfig
from celeba_vae.errors import HardwareError
from celeba_vae.training.hardware import configure_hardware

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stdout)

def refusal(**settings):
    try:
        configure_hardware(base_config(HardwareConfig, **settings))
    except HardwareError as error:
        return str(error)
"""


def run(script: str, gpus: str = "-1") -> subprocess.CompletedProcess[str]:
    process = subprocess.run(
        [sys.executable, "-c", PREAMBLE + script],
        # the same on a machine with a GPU
        env={**os.environ, "CUDA_VISIBLE_DEVICES": gpus, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process


def test_only_onednns_line_about_types_is_dropped():
    script = """
from celeba_vae.training.hardware import drop_onednn_line
configure_hardware(base_config(HardwareConfig))
import tensorflow as tf
drop_onednn_line()
for dtype in (tf.int32, tf.float16):
    tf.transpose(tf.zeros((2, 2), dtype))
sys.stderr.write("E0000 an error")
"""
    assert run(script).stderr == "E0000 an error"


def test_settings_are_in_effect_before_tensorflow_starts_and_can_not_change_after():
    process = run("""
assert "tensorflow" not in sys.modules
config = base_config(
    HardwareConfig, device="cpu", cpu_threads=1, precision="float32", seed=7, deterministic=True
)
line = configure_hardware(config)
draws = [random.random(), np.random.random()]

import tensorflow as tf
draws.append(float(tf.random.uniform([])))
assert tf.config.threading.get_intra_op_parallelism_threads() == 1
assert tf.config.threading.get_inter_op_parallelism_threads() == 1
random.seed(7); np.random.seed(7)
assert draws[:2] == [random.random(), np.random.random()]

same = configure_hardware(config.model_copy())
assert same == line
assert float(tf.random.uniform([])) == draws[2]
print("REFUSAL", refusal(device="cpu", cpu_threads=2, deterministic=False))
print("NO GPU", refusal(device="gpu"))
""")
    assert process.stdout.count("INFO Hardware: CPU (1 thread); XLA off; float32; seed 7; deterministic\n") == 2
    refusal = process.stdout.partition("REFUSAL ")[2]
    assert "cpu_threads (intra_op): wanted 2, in effect 1" in refusal
    assert "deterministic: wanted false, in effect true" in refusal
    assert "Restart the kernel" in refusal
    assert "finds none" in refusal.partition("NO GPU ")[2]
    assert "device: auto or cpu" in refusal
    # none of TensorFlow's greetings
    assert process.stderr == ""


def test_configuring_does_not_start_tensorflow_and_a_limit_without_gpu_is_a_warning():
    process = run("""
configure_hardware(base_config(HardwareConfig, gpu_memory_limit=2048))
configure_hardware(base_config(HardwareConfig, cpu_threads=1))
configure_hardware(base_config(HardwareConfig))
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
assert len(tf.config.list_logical_devices("CPU")) == 2
print("REFUSAL", refusal(cpu_threads=1))
print("SAME", refusal())
""")
    assert process.stdout.count("WARNING") == 1
    assert "WARNING gpu_memory_limit: 2048 in hardware.yml has no effect: no GPU is used." in process.stdout
    assert "cpu_threads (intra_op): wanted 1, in effect none" in process.stdout
    assert "SAME None" in process.stdout


def test_a_model_is_mirrored_on_the_devices_that_there_are():
    process = run("""
from celeba_vae.training.distributed.device_choice import training_device_names
print("ALONE", refusal(strategy="mirrored", device="cpu"))
configure_hardware(base_config(HardwareConfig, virtual_devices=2, device="cpu"))
for strategy in "auto", "mirrored", "one":
    names = training_device_names(base_config(HardwareConfig, strategy=strategy, virtual_devices=2, device="cpu"))
    print("NAMES", strategy, *names)
import tensorflow as tf
assert len(tf.config.list_logical_devices("CPU")) == 2
print("LATE", refusal(virtual_devices=3, device="cpu"))
""")
    assert "ALONE hardware.yml says strategy: mirrored, but there is one device only: CPU:0." in process.stdout
    assert "Hardware: CPU" in process.stdout
    assert "; mirrored, 2 replicas; XLA off; " in process.stdout
    for line in ("NAMES auto CPU:0 CPU:1", "NAMES mirrored CPU:0 CPU:1", "NAMES one CPU:0"):
        assert f"{line}\n" in process.stdout
    assert "virtual_devices: wanted 3, in effect 2" in process.stdout


class StandInGpu:
    """A GPU as TensorFlow documents one: it takes settings until the first operation has ``started``."""

    def __init__(self, monkeypatch):
        import tensorflow as tf

        self.started = False
        self.details = {"device_name": "Stand-in", "compute_capability": (8, 0)}
        self.settings = {"visible": (gpu := tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU"),)}
        options = tf.config
        monkeypatch.setattr(options, "list_physical_devices", lambda kind: [gpu] if kind == "GPU" else [])
        monkeypatch.setattr(options, "get_visible_devices", lambda kind: list(self.settings["visible"]))
        monkeypatch.setattr(options, "set_visible_devices", lambda gpus, kind: self._set(visible=tuple(gpus)))
        monkeypatch.setattr(options, "get_logical_device_configuration", lambda gpu: self.settings.get("logical"))
        monkeypatch.setattr(
            options, "set_logical_device_configuration", lambda gpu, logical: self._set(logical=tuple(logical))
        )
        monkeypatch.setattr(options.experimental, "get_memory_growth", lambda gpu: self.settings.get("growth"))
        monkeypatch.setattr(options.experimental, "set_memory_growth", lambda gpu, grows: self._set(growth=grows))
        monkeypatch.setattr(options.experimental, "get_device_details", lambda gpu: self.details)

    def _set(self, **setting):
        if self.started:
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        self.settings |= setting
        if "logical" in self.settings and "growth" in self.settings:
            raise ValueError("Cannot set memory growth on device when virtual devices configured")


@pytest.fixture
def gpu(monkeypatch):
    return StandInGpu(monkeypatch)


def configure(**settings):
    return configure_hardware(base_config(HardwareConfig, **settings))


def test_memory_limit_of_a_gpu_reaches_tensorflow_and_can_not_change_after_it_has_started(gpu):
    line = configure(device="gpu", gpu_memory_limit=2048)

    assert line.startswith("Hardware: Stand-in (at most 2048 MB), CPU")
    assert line.endswith("XLA on; mixed_bfloat16; seed 42")
    (logical,) = gpu.settings["logical"]
    assert logical.memory_limit == 2048
    gpu.started = True
    assert configure(device="gpu", gpu_memory_limit=2048) == line
    with pytest.raises(HardwareError, match="device: wanted CPU only, in effect GPU:0"):
        configure(device="cpu")
    with pytest.raises(HardwareError, match="gpu_memory_limit: wanted 4096, in effect 2048"):
        configure(gpu_memory_limit=4096)


def test_memory_of_a_gpu_grows_unless_it_is_left_out(gpu):
    growing = configure()
    assert gpu.settings["growth"]
    fixed = configure(gpu_memory_growth=False)
    assert not gpu.settings["growth"]
    without = configure(device="cpu")
    assert gpu.settings["visible"] == ()

    assert [("Stand-in (no memory limit)" in line, "XLA on" in line) for line in (growing, fixed, without)] == [
        (True, True),
        (True, True),
        (False, False),
    ]


def test_precision_and_xla_are_those_of_the_gpu_unless_they_are_set(gpu):
    config = partial(base_config, HardwareConfig)
    assert use_xla(config())
    assert not use_xla(config(device="cpu"))
    assert not use_xla(config(xla=False))
    assert effective_precision(config()) == "mixed_bfloat16"
    gpu.details["compute_capability"] = (7, 5)
    assert effective_precision(config()) == "float32"
    assert effective_precision(config(precision="mixed_float16")) == "mixed_float16"


def test_a_real_gpu_takes_the_limit():
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        pytest.skip("TensorFlow finds no GPU here")
    process = run(
        """
configure_hardware(base_config(HardwareConfig, device="gpu", gpu_memory_limit=2048))
import tensorflow as tf
tf.constant(1)
assert tf.config.get_logical_device_configuration(tf.config.list_physical_devices("GPU")[0])[0].memory_limit == 2048
print("REFUSAL", refusal(device="cpu"), refusal(device="gpu", gpu_memory_limit=4096))
""",
        gpus="0",
    )
    assert "(at most 2048 MB), CPU" in process.stdout
    assert "device: wanted CPU only, in effect GPU:0" in process.stdout
    assert "gpu_memory_limit: wanted 4096, in effect 2048" in process.stdout


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags\t\t: fpu sse avx512f avx512_bf16 amx_tile\n", True),
        ("flags\t\t: fpu amx_bf16\n", True),
        ("flags\t\t: fpu avx512f avx512_vnni\nbugs\t\t: avx512_bf16\n", False),
        ("Features\t: fp asimd\n", False),
    ],
)
def test_bfloat16_is_read_from_the_processors_flags(tmp_path: Path, flags: str, expected: bool):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\n{flags}\nprocessor\t: 1\n{flags}")

    assert cpu_has_bfloat16(cpuinfo) is expected
    assert not cpu_has_bfloat16(tmp_path / "on-a-mac")

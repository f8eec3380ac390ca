"""Speed and memory of training, beside plain Keras and PyTorch: the reference network on 96x96 images, on the CPU.

    python benchmarks/training.py [--peer-python PYTHON] [--rounds 3] [--skip-memory]

Every run is a process of its own, one after the other in alternated rounds; the table and the JSON object on the last
line give medians over all rounds' epochs but the first of each, which builds the graph. PYTHON is an interpreter that
has PyTorch. ``bfloat16_img_per_s`` is null where the processor lacks the instructions, ``torch_…`` where PyTorch is
missing. ``data_wait_share`` is the part of a step's time in which it waits for images, in whichever precision it is
larger. ``peak_mb`` is the peak of RssAnon + RssShmem while 200,000 images are trained on.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from data_engineering import CONF, peak_memory_of

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.config.reading import read_block
from celeba_vae.training.hardware import load_tensorflow_quietly
from celeba_vae.training.machine import effective_precision

IMAGE_SHAPE = (96, 96, 3)
STEP_GFLOP = 0.447  # an image
EPOCH_STEPS = 10
IMAGE_COUNTS = (2_000, 200_000)
PEERS = Path(__file__).parent / "peers"
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
OF_BFLOAT16 = {"bfloat16", "torch_compile_bf16"}


def main() -> None:
    """Measure everything, print the table and the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", default=sys.executable, help="an interpreter that has PyTorch")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, alternated")
    parser.add_argument("--epochs", type=int, default=5, help=f"epochs of {EPOCH_STEPS} steps in each run")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--skip-memory", action="store_true", help="leave out the memory's peak")
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    parser.add_argument("--images", help=argparse.SUPPRESS)
    parser.add_argument("--precision", default="float32", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        print(json.dumps(TASKS[options.task](options)))
        return

    with tempfile.TemporaryDirectory(prefix="celeba-vae-") as folder:
        images = Path(folder) / "images.npy"
        shape = (EPOCH_STEPS * options.batch_size, *IMAGE_SHAPE)
        np.save(images, np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
        commands, left_out = runs(images, options)
        results = measure(commands, options.rounds, Path(folder))
        report(results, left_out, [] if options.skip_memory else memory_peaks(Path(folder), options))


def runs(images: Path, options: argparse.Namespace) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Give the command of each run that is possible here, and why the others are not."""
    size = ["--epochs", str(options.epochs), "--batch-size", str(options.batch_size)]
    peer_size = [str(images), *size, "--epoch-steps", str(EPOCH_STEPS)]
    torch_peer = [options.peer_python, str(PEERS / "training_torch.py"), *peer_size]
    commands = {
        "plain_keras": [sys.executable, str(PEERS / "training_keras.py"), *peer_size],
        "torch_compile": torch_peer,
        "torch_compile_bf16": [*torch_peer, "--bfloat16"],
    }
    for name in PRECISIONS:
        task = ["--task", "train", "--images", str(images), "--precision", name]
        commands[name] = [sys.executable, __file__, *task, *size]

    left_out = {}
    if subprocess.run([options.peer_python, "-c", "import numpy, torch"], capture_output=True).returncode:
        left_out = dict.fromkeys(["torch_compile", "torch_compile_bf16"], f"{options.peer_python} has no PyTorch")
    load_tensorflow_quietly()
    if effective_precision(read_block(CONF, HardwareConfig, device="cpu")) == "float32":
        left_out |= dict.fromkeys(OF_BFLOAT16, "the processor has no bfloat16 instructions")
    return {name: command for name, command in commands.items() if name not in left_out}, left_out


def measure(commands: dict[str, list[str]], rounds: int, folder: Path) -> dict[str, list[Any]]:
    """Run every command once a round; give each one's outputs."""
    results = {name: [] for name in commands}
    # what PyTorch compiles goes with the folder
    environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(folder / "torch")}
    for _ in range(rounds):
        for name, command in commands.items():
            process = subprocess.run(command, capture_output=True, text=True, env=environment)
            if process.returncode:
                sys.exit(f"{name} failed:\n{process.stderr}")
            results[name].append(json.loads(process.stdout.splitlines()[-1]))
    return results


def report(results: dict[str, list[Any]], left_out: dict[str, str], peaks: list[float]) -> None:
    """Print the table and the JSON object."""
    rates, waits, matmul = {}, {}, {}
    for name, of_rounds in results.items():
        if name in PRECISIONS:
            waits[name], matmul[name] = (
                median(run[measure] for run in of_rounds) for measure in ("data_wait_share", "matmul_gflops")
            )
        epochs = [run["img_per_s"] if name in PRECISIONS else run for run in of_rounds]
        rates[name] = median(rate for rates_of_run in epochs for rate in rates_of_run[1:])

    print(f"{'':<22}{'images/s':>10}{'to plain Keras':>16}{'of a matrix product':>21}{'waiting':>9}")
    for name, rate in rates.items():
        share = rate * STEP_GFLOP / matmul["bfloat16" if name in OF_BFLOAT16 else "float32"]
        wait = f"{waits[name]:>9.2%}" if name in waits else ""
        print(f"{name:<22}{rate:>10.1f}{rate / rates['plain_keras']:>16.2f}{share:>21.0%}{wait}")
    for name, gflops in matmul.items():
        print(f"matrix product, {name}: {gflops:.0f} GFLOP/s")
    for count, peak in zip(IMAGE_COUNTS, peaks, strict=False):
        print(f"peak memory with {count:,} images: {peak:.0f} MB")
    for name, why in sorted(left_out.items()):
        print(f"left out: {name}, since {why}")

    names = ("float32", "bfloat16", "plain_keras", "torch_compile", "torch_compile_bf16")
    numbers = {
        **{f"{name}_img_per_s": rates.get(name) for name in names},
        "matmul_gflops": matmul["float32"],
        "matmul_bfloat16_gflops": matmul.get("bfloat16"),
        "data_wait_share": max(waits.values()),
        "peak_mb": max(peaks, default=None),
    }
    print(json.dumps({name: number and round(number, 4 if number < 1 else 1) for name, number in numbers.items()}))


def memory_peaks(folder: Path, options: argparse.Namespace) -> list[float]:
    """Give the peak of memory in MB with few and with many training images, in files that take no room on the disk."""
    peaks = []
    for count in IMAGE_COUNTS:
        images = folder / f"{count}.npy"
        np.lib.format.open_memmap(images, mode="w+", dtype=np.uint8, shape=(count, *IMAGE_SHAPE)).flush()
        command = [sys.executable, __file__, "--task", "stop", "--images", str(images)]
        with (folder / "log.txt").open("w") as log:
            process = subprocess.Popen([*command, "--batch-size", str(options.batch_size)], stdout=log, stderr=log)
        peaks.append(peak_memory_of(process))
        if process.returncode:
            sys.exit((folder / "log.txt").read_text())
    return peaks


# ---------------------------------------------------------------------------------------------- runs of this project


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Train as the pipeline's node does; give what the history says, and how fast a large matrix product is."""
    from celeba_vae.training.checkpoints import Checkpoints

    history = train_variant(options, Checkpoints, epochs=options.epochs)
    return {
        "img_per_s": list(history["images_per_second"]),
        "data_wait_share": history["data_wait_share"][1:].median(),
        "matmul_gflops": matmul_gflops(options.precision),
    }


def stop(options: argparse.Namespace) -> None:
    """Train until the third checkpoint, however many images an epoch has."""
    from celeba_vae.training.checkpoints import Checkpoints

    class Stopping(Checkpoints):
        saved = 0

        def save(self, *args: Any, **kwargs: Any) -> None:
            Stopping.saved += 1
            if Stopping.saved == 3:
                raise KeyboardInterrupt
            super().save(*args, **kwargs)

    try:
        train_variant(options, Stopping, epochs=1_000, checkpoint_steps=16)
    except KeyboardInterrupt:
        return


def train_variant(options: argparse.Namespace, checkpoints: type, **settings: int) -> Any:
    """Train the reference network; give the history."""
    from celeba_vae.training.recipe import create_recipe
    from celeba_vae.training.trainer import Trainer

    images = np.load(options.images, mmap_mode="r")
    variant = read_block(CONF, VariantConfig, name="vae", batch_size=options.batch_size, image_count=None, **settings)
    hardware = read_block(CONF, HardwareConfig, device="cpu", precision=PRECISIONS[options.precision])
    with tempfile.TemporaryDirectory(prefix="celeba-vae-") as folder:
        return Trainer(create_recipe(variant), images, images[:0], hardware).train(checkpoints(Path(folder)))


def matmul_gflops(precision: str, size: int = 4096) -> float:
    import tensorflow as tf

    matrix = tf.cast(tf.random.normal((size, size)), precision)
    seconds = []
    for _ in range(10):
        began = time.perf_counter()
        tf.matmul(matrix, matrix)[0, 0].numpy()
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / median(seconds) / 1e9


TASKS = {"train": train, "stop": stop}


if __name__ == "__main__":
    main()

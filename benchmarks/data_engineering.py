"""Speed and memory of data engineering against the plain way, and what twenty kills do to it.

Prints a table and, as its last line, one JSON object. Without --images it draws faces, and repeats them by hard links.

    python benchmarks/data_engineering.py [--images FOLDER] [--count 20000] [--rounds 3] [--skip-large] [--skip-kills]
"""

import argparse
import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

CONF = Path(__file__).parents[1] / "conf/base"
LARGE = 202_599
DRAWN = 300
ROWS_A_SHARD = 8000
KILLS = 20
CLUSTER_PROCESSES = 2
CROP = (15, 35, 163, 183)
SIZE = 96


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, help="a folder of aligned JPEGs, 178x218; none: faces are drawn")
    parser.add_argument("--count", type=int, default=20_000, help="images to prepare")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, alternated; medians are shown")
    parser.add_argument("--skip-large", action="store_true", help=f"leave out the memory of {LARGE:,} images (5.6 GB)")
    parser.add_argument("--skip-kills", action="store_true", help=f"leave out the {KILLS} killed runs")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="seed of the kills' moments")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="celeba-vae-") as folder:
        run(Path(folder), arguments)


def run(folder: Path, arguments: argparse.Namespace) -> None:
    images = arguments.images or draw_faces(folder / "drawn")
    raw, zipped = folder / "raw", folder / "zipped"
    link_images(images, raw, arguments.count)
    pack(raw, zipped)
    write_shards(raw, folder / "shards")

    speeds = measure_speeds(folder, arguments.rounds)
    peer = speeds["pillow"]
    print(f"\n{arguments.count:,} images of 178x218 to {SIZE}x{SIZE}, medians of {arguments.rounds} alternated runs\n")
    print(f"{'':34}{'images/s':>10}{'ratio':>8}")
    names = {
        "pillow": "Pillow: crop, then LANCZOS",
        "folder": "this project, from a folder",
        "zip": "this project, from a zip",
        "parquet": "this project, from parquet shards",
        "cluster": f"this project, {CLUSTER_PROCESSES} Dask workers, started",
        "decode_only": f"decoding alone, {os.cpu_count()} threads",
    }
    for key, name in names.items():
        print(f"{name:34}{speeds[key]:10,.0f}{speeds[key] / peer:8.2f}")

    memory = {"peak_mb_small": peak_memory(raw, folder / "memory"), "peak_mb_large": None, "bytes_an_image": None}
    memory["peak_mb_parquet"] = peak_memory(folder / "shards", folder / "memory")
    print(f"\n{f'peak memory, {arguments.count:,} images':34}{memory['peak_mb_small']:10.1f} MB")
    print(f"{'the same from parquet shards':34}{memory['peak_mb_parquet']:10.1f} MB")
    if not arguments.skip_large:
        large = folder / "large"
        link_images(images, large, LARGE)
        memory["peak_mb_large"] = peak_memory(large, folder / "memory")
        grown = memory["peak_mb_large"] - memory["peak_mb_small"]
        memory["bytes_an_image"] = round(grown * 2**20 / (LARGE - arguments.count))
        print(
            f"{f'peak memory, {LARGE:,} images':34}{memory['peak_mb_large']:10.1f} MB:"
            f" {memory['bytes_an_image']} bytes for each image more"
        )
        shutil.rmtree(large)
    if not arguments.skip_kills:
        kill_many(folder, raw, arguments.seed)

    results = {
        "images": arguments.count,
        **{f"{key}_img_per_s": round(speed, 1) for key, speed in speeds.items()},
        "ratio_folder": round(speeds["folder"] / peer, 3),
        "ratio_zip": round(speeds["zip"] / peer, 3),
        "ratio_parquet": round(speeds["parquet"] / peer, 3),
        "ratio_cluster_to_folder": round(speeds["cluster"] / speeds["folder"], 3),
        **memory,
    }
    print(json.dumps(results))


# --------------------------------------------------------------------------------------------------------------- input


def draw_faces(folder: Path) -> Path:
    from celeba_vae.synthetic.drawn_celeba import write_synthetic_celeba

    write_synthetic_celeba(folder, count=DRAWN, seed=1)
    return folder / "img_align_celeba"


def link_images(images: Path, raw: Path, count: int) -> None:
    """Lay out CelebA with as many images as asked for, repeated by hard links, and both lists."""
    folder = raw / "celeba" / "img_align_celeba"
    folder.mkdir(parents=True)
    originals = sorted(images.glob("*.jpg"))
    if not originals:
        sys.exit(f"There are no .jpg files in {images}.")
    rng = np.random.default_rng(0)
    values = rng.choice([-1, 1], (1000, 40))
    # an image has only so many links: each copy takes some of them
    copies: dict[int, Path] = {}
    with (
        (raw / "celeba" / "list_eval_partition.txt").open("w") as partition,
        (raw / "celeba" / "list_attr_celeba.txt").open("w") as attributes,
    ):
        attributes.write(f"{count}\n{' '.join(f'Attribute_{i}' for i in range(40))}\n")
        for i in range(count):
            name = f"{i + 1:06d}.jpg"
            which = i % len(originals)
            if i // len(originals) % 10_000 == 0:
                shutil.copyfile(originals[which], folder / name)
                copies[which] = folder / name
            else:
                os.link(copies[which], folder / name)
            partition.write(f"{name} {0 if i < 0.8 * count else 1 + i % 2}\n")
            attributes.write(f"{name} {' '.join(map(str, values[i % 1000]))}\n")


def pack(raw: Path, target: Path) -> None:
    """Pack the images as Kaggle does, deflated, with the lists beside them."""
    (target / "celeba").mkdir(parents=True)
    with zipfile.ZipFile(target / "celeba" / "archive.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted((raw / "celeba" / "img_align_celeba").iterdir()):
            archive.write(file, f"img_align_celeba/img_align_celeba/{file.name}")
        for file in (raw / "celeba").glob("*.txt"):
            archive.write(file, file.name)


def write_shards(raw: Path, target: Path) -> None:
    """Write shards as a dataset hub gives them out: a hundred images a group of rows, an attribute a column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (target / "celeba" / "data").mkdir(parents=True)
    files = sorted((raw / "celeba" / "img_align_celeba").iterdir())
    bounds = {"train": (0, 0.8), "valid": (0.8, 0.9), "test": (0.9, 1)}
    for split, (start, end) in bounds.items():
        part = files[int(start * len(files)) : int(end * len(files))]
        count = -(-len(part) // ROWS_A_SHARD)
        for number in range(count):
            rows = part[number * ROWS_A_SHARD : (number + 1) * ROWS_A_SHARD]
            images = [{"bytes": file.read_bytes(), "path": file.name} for file in rows]
            columns = {f"Attribute_{i}": [(row + i) % 3 == 0 for row in range(len(rows))] for i in range(40)}
            name = f"{split}-{number:05d}-of-{count:05d}.parquet"
            pq.write_table(pa.table({"image": images, **columns}), target / "celeba/data" / name, row_group_size=100)


# --------------------------------------------------------------------------------------------------------------- speed


def measure_speeds(folder: Path, rounds: int) -> dict[str, float]:
    """Give images per second of each way: a process each, from reading to arrays on disk, without its start."""
    raw, zipped = folder / "raw", folder / "zipped"
    images = raw / "celeba" / "img_align_celeba"
    count = sum(1 for _ in images.iterdir())
    ways: dict[str, Callable[[], float]] = {
        "pillow": lambda: seconds_of("pillow", images, folder / "peer.npy"),
        "folder": lambda: seconds_of("prepare", raw, folder / "work"),
        "zip": lambda: seconds_of("prepare", zipped, folder / "work"),
        "parquet": lambda: seconds_of("prepare", folder / "shards", folder / "work"),
        "cluster": lambda: seconds_of("prepare_with_dask", raw, folder / "work"),
        "decode_only": lambda: seconds_of("decode", images, folder / "none"),
    }
    seconds = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            seconds[name].append(way())
            shutil.rmtree(folder / "work", ignore_errors=True)
    return {name: count / median(each) for name, each in seconds.items()}


def seconds_of(task: str, source: Path, target: Path) -> float:
    process = subprocess.run(command(task, source, target), check=True, stdout=subprocess.PIPE, text=True)
    return float(process.stdout.splitlines()[-1])


def command(task: str, source: Path, target: Path) -> list[str]:
    return [sys.executable, __file__, f"--task={task}", str(source), str(target)]


def prepare(raw: Path, work: Path, **parameters: Any) -> None:
    """Prepare as the pipeline's nodes do."""
    from celeba_vae.config import DataEngineeringConfig
    from celeba_vae.config.reading import read_block
    from celeba_vae.preparation.preparing import prepare_images
    from celeba_vae.preparation.sources import CelebaSource
    from celeba_vae.preparation.splits import assign_splits

    config = read_block(CONF, DataEngineeringConfig, **parameters)
    start = time.perf_counter()
    originals = CelebaSource().collect(raw)
    index = assign_splits(originals.image_ids, originals.partition, config.split)
    prepare_images(originals, index, config, work)
    print(time.perf_counter() - start)


def prepare_with_dask(raw: Path, work: Path) -> None:
    """Prepare by worker processes of their own; their start counts."""
    from celeba_vae.config import ClusterConfig
    from celeba_vae.config.reading import read_block

    prepare(raw, work, cluster=read_block(CONF, ClusterConfig, scheduler="local", processes=CLUSTER_PROCESSES))


def pillow(images: Path, target: Path) -> None:
    """Prepare the plain way: a Pillow loop, everything in memory."""
    start = time.perf_counter()
    files = sorted(images.glob("*.jpg"))
    array = np.empty((len(files), SIZE, SIZE, 3), np.uint8)
    for row, file in zip(array, files, strict=True):
        image = Image.open(file).convert("RGB").crop(CROP)
        row[...] = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.LANCZOS))
    np.save(target, array)
    print(time.perf_counter() - start)


def decode(images: Path, _: Path) -> None:
    """Decode files to RGB and do nothing else: the limit."""
    import simplejpeg

    start = time.perf_counter()
    files = [str(file) for file in images.iterdir()]

    def decode_chunk(chunk: list[str]) -> None:
        for name in chunk:
            with open(name, "rb", buffering=0) as file:
                simplejpeg.decode_jpeg(file.read(), "RGB")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(decode_chunk, (files[i : i + 128] for i in range(0, len(files), 128))))
    print(time.perf_counter() - start)


TASKS = {"prepare": prepare, "prepare_with_dask": prepare_with_dask, "pillow": pillow, "decode": decode}


# -------------------------------------------------------------------------------------------------------------- memory


def peak_memory(raw: Path, folder: Path) -> float:
    """Give a run's peak of RssAnon + RssShmem, over the process and its children, in MB."""
    root = Path(__file__).parents[1]
    folder.mkdir()
    shutil.copytree(root / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(root / name, folder / name)
    (folder / "conf" / "local").mkdir()
    (folder / "src").mkdir()
    (folder / "data").mkdir()
    (folder / "data" / "01_raw").symlink_to(raw)
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", "--pipelines", "data_engineering"],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    peak = peak_memory_of(process)
    if process.returncode:
        sys.exit((folder / "log.txt").read_text())
    shutil.rmtree(folder)
    return round(peak, 1)


def peak_memory_of(process: subprocess.Popen) -> float:
    """Wait for a process to end; give the peak of RssAnon + RssShmem over it and its children in MB."""
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(map(resident_mb, [process.pid, *descendants(process.pid)])))
        time.sleep(0.01)
    return peak


def resident_mb(process: int) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return sum(int(fields.get(name, "0 kB").split()[0]) for name in ("RssAnon", "RssShmem")) / 1024


def descendants(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            yield child
            yield from descendants(child)


# --------------------------------------------------------------------------------------------------------------- kills


def kill_many(folder: Path, raw: Path, seed: int) -> None:
    """Kill runs at random moments, every other one during a write, and compare the end with an uninterrupted run's."""
    work, uninterrupted = folder / "killed", folder / "uninterrupted"
    start = time.perf_counter()
    seconds_of("prepare", raw, uninterrupted)
    whole = time.perf_counter() - start
    expected = contents(uninterrupted)
    rng = np.random.default_rng(seed)
    print(f"\n{KILLS} kills, seed {seed}")
    killed = 0
    while killed < KILLS:
        process = subprocess.Popen(command("prepare", raw, work), stdout=subprocess.DEVNULL)
        moment = time.perf_counter() + rng.uniform(0, 0.7) * whole
        written = stop_at(process, moment, work, during_write=killed % 2 == 1)
        if process.poll() is None:
            killed += 1
            print(f"  {killed:2}: {stage_of(work)}; {f'writing {written}' if written else 'not writing'}")
            process.kill()
            process.wait()
        else:
            # it came to its end: the next one starts from nothing
            check_same(work, expected)
            shutil.rmtree(work)
    seconds_of("prepare", raw, work)
    check_same(work, expected)
    print(f"  the result has the bytes of an uninterrupted run ({len(expected)} files)")


def stop_at(process: subprocess.Popen, moment: float, work: Path, during_write: bool) -> str:
    """Stop a process at a moment or, for a write, soon after; give the name of the file that it is writing, or ""."""
    time.sleep(max(0.0, moment - time.perf_counter()))
    for _ in range(2000):
        os.kill(process.pid, signal.SIGSTOP)
        written = open_for_writing(process.pid, work)
        if written or not during_write or process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(0.0005)
    return written


def open_for_writing(process: int, work: Path) -> str:
    for descriptor in Path(f"/proc/{process}/fd").glob("*"):
        try:
            target = Path(os.readlink(descriptor))
            flags = int(Path(f"/proc/{process}/fdinfo/{descriptor.name}").read_text().split("flags:")[1].split()[0], 8)
        except (OSError, IndexError):
            continue
        if target.is_relative_to(work) and target.suffix != ".lock" and flags & (os.O_WRONLY | os.O_RDWR):
            return target.name
    return ""


def stage_of(work: Path) -> str:
    ranges = len(list(work.glob("*/ranges/[!.]*.json")))
    arrays = len(list(work.glob("*/[!.]*_images.npy")))
    marks = [name for name in ("means.npy", "finished.json", "tables.json") if list(work.glob(f"*/{name}"))]
    return f"{arrays} arrays, {ranges:3} ranges done{''.join(f', {mark}' for mark in marks)}"


def contents(work: Path) -> dict[str, str]:
    """Give the hash of each result."""
    files = itertools.chain(work.glob("*/[!.]*.npy"), work.glob("*/[!.]*.csv"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def check_same(work: Path, expected: dict[str, str]) -> None:
    if contents(work) != expected:
        sys.exit(f"After a kill the results differ: {contents(work)} instead of {expected}")


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1].startswith("--task="):
        TASKS[sys.argv[1].removeprefix("--task=")](Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()

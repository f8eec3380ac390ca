"""Speed and memory of making faces beside a plain loop: the reference decoder with random weights, 96x96 pixels.

    python benchmarks/generation.py [--count 10000] [--rounds 3]

What is measured is what `kedro run --pipelines generation` does for its images: points are sampled and written,
decoded, written as PNG files with a table, read again, sharpened and written. The plain loop keeps the sharpened images
only. Each run is a process of its own; they alternate, and the table and the JSON object on the last line give medians.
The plain loop makes a seventh of the images, as its speed does not depend on their number. ``peak_mb`` is the peak of
RssAnon + RssShmem over the project's process and its children for all images, ``peak_mb_tenth`` that for a tenth of
them: memory is flat if they are alike.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
from data_engineering import CONF, descendants, resident_mb
from PIL import Image, ImageEnhance

LATENT_DIM = 256
FACTOR = 3.0
LOOP_BATCH = 28
LOOP_SHARE = 7


def reference_decoder():
    """Build the reference decoder and pass a batch through it, which is no part of what is measured."""
    from celeba_vae.config import LayersConfig
    from celeba_vae.config.reading import read_block
    from celeba_vae.models.decoders import ConvTransposeDecoder
    from celeba_vae.models.inference import DECODED_TOGETHER

    layers = read_block(CONF, LayersConfig)
    decoder = ConvTransposeDecoder().build((96, 96, 3), LATENT_DIM, layers, "float32", seed=0)
    decoder.predict(np.zeros((LOOP_BATCH, LATENT_DIM)), verbose=0)
    decoder.predict_on_batch(np.zeros((DECODED_TOGETHER, LATENT_DIM), np.float32))
    return decoder


def this_project(decoder, folder, count):
    """Make faces as the pipeline does, its nodes and datasets one after the other."""
    from celeba_vae.config import ComponentConfig, GenerationConfig
    from celeba_vae.config.reading import read_block
    from celeba_vae.datasets import ImageFolderDataset, NumpyDataset
    from celeba_vae.pipelines.generation.nodes import decode_latents, enhance_images, sample_latents

    enhancer = ComponentConfig(name="sharpness", factor=FACTOR)
    parameters = read_block(CONF, GenerationConfig, count=count, enhancer=[enhancer])
    latents = NumpyDataset(filepath=str(folder / "latents.npy"))
    generated, sharpened = (ImageFolderDataset(filepath=str(folder / name)) for name in ("generated", "sharpened"))
    latents.save(sample_latents(decoder, {}, parameters))
    generated.save(decode_latents(decoder, latents.load(), parameters))
    sharpened.save(enhance_images(generated.load(), parameters))


def plain_loop(decoder, folder, count):
    """Make faces as a user of Keras and Pillow would, one image after another."""
    for first in range(0, count, LOOP_BATCH):
        images = decoder.predict(np.random.normal(size=(LOOP_BATCH, LATENT_DIM)), verbose=0)
        for i, image in enumerate(images[: count - first], start=first):
            picture = Image.fromarray(np.uint8(image * 255))
            ImageEnhance.Sharpness(picture).enhance(FACTOR).save(folder / f"{i:06d}.png")


WAYS = {"this_project": this_project, "plain_loop": plain_loop}
# folders of images that each way writes
FOLDERS = {"this_project": 2, "plain_loop": 1}


def run_one(way, count):
    """Measure one run in this process: print the seconds that it took."""
    decoder = reference_decoder()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        WAYS[way](decoder, Path(folder), count)
        seconds = time.perf_counter() - start
        made = len(list(Path(folder).rglob("*.png")))
    if made != count * FOLDERS[way]:
        sys.exit(f"{way} wrote {made} files for {count} images.")
    print(seconds)


def measure(way, count):
    """Run one way in a process of its own: images per second, and the peak of its memory in MB."""
    command = [sys.executable, __file__, "--way", way, "--count", str(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(map(resident_mb, [process.pid, *descendants(process.pid)])))
        time.sleep(0.05)
    output = process.stdout.read()
    if process.returncode:
        sys.exit(f"{way}: the run failed. {output}")
    return {"img_per_s": count / float(output.splitlines()[-1]), "peak_mb": peak}


def main():
    """Run all in turn and print the table and the JSON object."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--count", type=int, default=10_000, help="images, at least 10")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.way:
        run_one(options.way, options.count)
        return

    counts = {"this_project": options.count, "plain_loop": -(-options.count // LOOP_SHARE)}
    runs = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way, results in runs.items():
            results.append(measure(way, counts[way]))
    speed = {way: statistics.median(run["img_per_s"] for run in results) for way, results in runs.items()}
    peak = {way: statistics.median(run["peak_mb"] for run in results) for way, results in runs.items()}
    tenth = measure("this_project", options.count // 10)["peak_mb"]

    print(f"{'':<30}{'images':>8}{'images/s':>10}{'ratio':>8}{'peak MB':>10}")
    for way, name in {"plain_loop": "plain loop", "this_project": "this project"}.items():
        ratio = speed[way] / speed["plain_loop"]
        print(f"{name:<30}{counts[way]:>8,}{speed[way]:>10.1f}{ratio:>8.2f}{peak[way]:>10.0f}")
    print(f"{'this project, a tenth':<30}{options.count // 10:>8,}{'':>18}{tenth:>10.0f}")
    results = {
        "img_per_s": round(speed["this_project"], 1),
        "plain_loop_img_per_s": round(speed["plain_loop"], 1),
        "ratio": round(speed["this_project"] / speed["plain_loop"], 2),
        "peak_mb": round(peak["this_project"]),
        "peak_mb_tenth": round(tenth),
    }
    print(json.dumps(results))


if __name__ == "__main__":
    main()

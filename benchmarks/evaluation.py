"""Speed and memory of evaluation: the reference network with random weights on random 96x96 images.

    python benchmarks/evaluation.py [--count 20000]

The images are reconstructed and measured, their latents gathered, and as many are created from N(0, I) and compared
with them, as the pipeline does it. Each run is a process of its own. ``peak_mb`` is the peak of RssAnon + RssShmem
over the process and its children for all images, ``peak_mb_tenth`` that for a tenth of them: memory is flat if they are
alike. ``img_per_s`` counts the images measured, reconstructed and created ones.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import pandas as pd
from data_engineering import CONF, peak_memory_of

IMAGE_SHAPE = (96, 96, 3)
BLOCK = 1_000


def main() -> None:
    """Measure, print the table and the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000, help="test images")
    parser.add_argument("--images", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.images:
        evaluate(Path(options.images))
        return
    results = {}
    for count in (options.count // 10, options.count):
        with tempfile.TemporaryDirectory(prefix="celeba-vae-") as folder:
            images = Path(folder) / "images.npy"
            write_images(images, count)
            start = time.monotonic()
            process = subprocess.Popen([sys.executable, __file__, "--images", str(images)])
            peak = peak_memory_of(process)
            if process.returncode:
                raise SystemExit(process.returncode)
            # training images are reconstructed, too
            results[count] = {"img_per_s": 3 * count / (time.monotonic() - start), "peak_mb": peak}
    print(f"{'images':>10}{'images/s':>12}{'peak MB':>10}")
    for count, result in results.items():
        print(f"{count:>10,}{result['img_per_s']:>12.0f}{result['peak_mb']:>10.0f}")
    tenth, whole = results.values()
    print(json.dumps({**whole, "peak_mb_tenth": tenth["peak_mb"]}))


def write_images(file: Path, count: int) -> None:
    """Write noise, block by block."""
    images = np.lib.format.open_memmap(file, "w+", np.uint8, (count, *IMAGE_SHAPE))
    random = np.random.default_rng(0)
    for first in range(0, count, BLOCK):
        images[first : first + BLOCK] = random.integers(0, 256, images[first : first + BLOCK].shape, np.uint8)


def evaluate(file: Path) -> None:
    """Measure a model as the pipeline's nodes do."""
    from celeba_vae.config import EvaluationConfig, VariantConfig
    from celeba_vae.config.reading import read_block
    from celeba_vae.metrics.evaluated_variant import EvaluatedVariant, TrainedVariant
    from celeba_vae.metrics.variant_measuring import measure_variant, summarise_test_images
    from celeba_vae.training.building import build_autoencoder
    from celeba_vae.training.recipe import create_recipe

    images = np.load(file, mmap_mode="r")
    parameters = read_block(CONF, EvaluationConfig, samplers=["normal"], generated_count=len(images))
    network = build_autoencoder(create_recipe(read_block(CONF, VariantConfig, name="vae")), IMAGE_SHAPE, "float32")
    model = TrainedVariant(EvaluatedVariant("vae", {}, pd.DataFrame()), network.encoder, network.decoder)
    reference = summarise_test_images(images, parameters)
    measure_variant(model.variant, model, images, images, file.parent, reference, parameters)


if __name__ == "__main__":
    main()

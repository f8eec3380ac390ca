"""Attribute arithmetic on synthetic faces, where the truth is known: a face moved along Smiling smiles more.

    python benchmarks/attributes.py [--project FOLDER] [--env demo] [--variant vae] [--attribute Smiling]

The judge never sees a model: it is a logistic regression on the pixels of drawn faces. It compares 200 test images as
the model reconstructs them with the same ones moved once along the attribute's direction, and moved as far in a random
direction of each one's own. Without ``--project`` the demo is drawn and trained first, in a temporary folder. The last
line is JSON: ``moved`` and ``random`` are the shares of the faces that the judge scores higher, ``accuracy`` is the
judge's own on drawn faces that it has not seen.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from sklearn.linear_model import LogisticRegression

from celeba_vae.models.inference import to_uint8

ROOT = Path(__file__).parents[1]
CASES = 200
# pixels are averaged over squares of 2x2, which makes the judge's training several times as fast
POOLING = 2


def make_demo(project):
    """Draw and train the demo in a project of its own."""
    shutil.copytree(ROOT / "conf", project / "conf", ignore=shutil.ignore_patterns("local"))
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, project)
    (project / "src").mkdir()
    command = [sys.executable, "-m", "kedro", "run", "--env", "demo"]
    command += ["--pipelines", "data_engineering,training,generation"]
    subprocess.run(command, cwd=project, check=True, stdout=subprocess.DEVNULL)


def features(images):
    """Average uint8 images (n, h, w, c) over small squares: (n, features) in [0, 1]."""
    count, height, width, channels = images.shape
    shape = (count, height // POOLING, POOLING, width // POOLING, POOLING, channels)
    return (np.asarray(images, np.float32) / 255).reshape(shape).mean(axis=(2, 4)).reshape(count, -1)


def measure(catalog, variant, attribute):
    """Give the shares of faces that score higher after the move and after a random one, and the judge's accuracy."""
    from celeba_vae.models.inference import decode, encode

    train_images, test_images = catalog.load("train_images"), catalog.load("test_images")
    labels = {split: catalog.load(f"{split}_attributes")[attribute] == 1 for split in ("train", "test")}
    judge = LogisticRegression(C=0.1, max_iter=500).fit(features(train_images), labels["train"])

    decoder = catalog.load(f"{variant}.decoder")
    latents = encode(catalog.load(f"{variant}.encoder"), test_images[:CASES])
    directions = catalog.load(f"{variant}.attribute_directions").set_index("attribute")
    direction = directions.loc[attribute].filter(like="z_").to_numpy(np.float64)
    noise = np.random.default_rng(0).normal(size=latents.shape)
    moves = {
        "moved": direction,
        "random": noise * np.linalg.norm(direction) / np.linalg.norm(noise, axis=1, keepdims=True),
    }

    def scores(points):
        return judge.decision_function(features(to_uint8(decode(decoder, points.astype(np.float32)))))

    before = scores(latents)
    shares = {name: float((scores(latents + move) > before).mean()) for name, move in moves.items()}
    return {**shares, "cases": len(latents), "accuracy": judge.score(features(test_images), labels["test"])}


def main():
    """Measure, and print a table and the JSON object."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--project", type=Path)
    arguments.add_argument("--env", default="demo")
    arguments.add_argument("--variant", default="vae")
    arguments.add_argument("--attribute", default="Smiling")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = options.project or Path(folder)
        if options.project is None:
            make_demo(project)
        bootstrap_project(project)
        with KedroSession.create(project, env=options.env) as session:
            result = measure(session.load_context().catalog, options.variant, options.attribute)
    print(f"{options.attribute}, {options.variant}, {result['cases']} drawn faces that the model has not seen")
    print(f"{'scored higher after the move':<42}{result['moved']:>7.1%}")
    print(f"{'scored higher after a random one as long':<42}{result['random']:>7.1%}")
    print(f"{'accuracy of the judge on drawn faces':<42}{result['accuracy']:>7.1%}")
    print(json.dumps({"attribute": options.attribute, "variant": options.variant, **result}))


if __name__ == "__main__":
    main()

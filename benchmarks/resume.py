"""What twenty kills do to a training: nothing. VAE and AE, at random moments and while a checkpoint is being written.

    python benchmarks/resume.py [--kills 20] [--seed 1]

Each run is ``kedro run --pipelines training`` in a process of its own, killed by SIGKILL and started again to the end;
the final weights are compared, bit by bit, with those of an uninterrupted run. The JSON object on the last line counts
the kills, those during a checkpoint's write among them, and says whether all weights are identical.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).parents[1]
EPOCHS = 80
SETTINGS = {
    "training": {"epochs": EPOCHS, "batch_size": 32, "checkpoint_steps": 3, "latent_dim": 32},
    "variants": {"vae": {"horizontal_flips": True, "ema_momentum": 0.99, "learning_rate_schedule": {"name": "cosine"}}},
    "hardware": {"deterministic": True},
}


def main() -> None:
    """Train once uninterrupted and once with the kills; print them and the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="half of them in each variant")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="seed of the kills' moments")
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    print(f"{arguments.kills} kills, seed {arguments.seed}")
    with tempfile.TemporaryDirectory() as folder:
        uninterrupted, killed = (make_project(Path(folder) / name) for name in ("uninterrupted", "killed"))
        assert start(uninterrupted).wait() == 0, "the uninterrupted run failed"
        writing = 0
        for kill in range(arguments.kills):
            variant = ("ae", "vae")[kill * 2 // arguments.kills]
            # later and later, so that each run gets a little further
            epoch = 1 + (kill * 2 % arguments.kills) // 2 * (EPOCHS - 10) * 2 // arguments.kills
            writing += kill_one(killed, variant, epoch, moments, during_write=kill % 2 == 1)
        assert start(killed).wait() == 0, "the run after the kills failed"
        identical = all(
            np.array_equal(a, b)
            for variant in ("ae", "vae")
            for a, b in zip(final_state(uninterrupted, variant), final_state(killed, variant), strict=True)
        )
    result = {"kills": arguments.kills, "kills_while_writing": writing, "identical": identical}
    print(json.dumps(result))
    sys.exit(not identical)


def make_project(project: Path) -> Path:
    """Make a project of its own with random images of 32x32, whose training takes the same steps as any other."""
    shutil.copytree(ROOT / "conf", project / "conf", ignore=shutil.ignore_patterns("local"))
    shutil.copy(ROOT / "pyproject.toml", project)
    (project / "src").mkdir()
    (project / "conf/local").mkdir()
    (project / "conf/local/parameters.yml").write_text(yaml.safe_dump(SETTINGS))
    arrays = project / "data/05_model_input"
    arrays.mkdir(parents=True)
    for seed, (split, count) in enumerate({"train": 300, "validation": 40}.items()):
        images = np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        np.save(arrays / f"{split}_images.npy", images)
    return project


def start(project: Path) -> subprocess.Popen:
    """Start a training run, whose lines go to a file in the project."""
    with open(project / "run.log", "w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", "--pipelines", "training"],
            cwd=project,
            env={**os.environ, "COLUMNS": "1000"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def kill_one(project: Path, variant: str, epoch: int, moments: random.Random, during_write: bool) -> bool:
    """Kill a run after ``epoch`` epochs of a variant; say whether a checkpoint was being written then."""
    process = start(project)
    trainings = project / "data/06_models" / variant / "checkpoints"
    while newest_epoch(project / "run.log", variant) < epoch:
        assert process.poll() is None, (project / "run.log").read_text()
        time.sleep(0.01)
    if during_write:
        while not any(trainings.glob("*/.step_*")):
            assert process.poll() is None, (project / "run.log").read_text()
    else:
        time.sleep(moments.uniform(0, 0.3))
    process.kill()
    process.wait()
    half_written = [path.name for path in trainings.glob("*/.step_*")]
    done = max((path.name for path in trainings.glob("*/step_*")), default="none")
    print(f"  {variant}: newest checkpoint {done}, {'writing another' if half_written else 'not writing'}", flush=True)
    return bool(half_written)


def newest_epoch(log: Path, variant: str) -> int:
    """Give the epoch of a variant that a run's log tells of last, as the line of its end or of where it goes on."""
    words = [line.split() for line in log.read_text().splitlines() if f"INFO    {variant} epoch " in line]
    return int(words[-1][words[-1].index("epoch") + 1].partition("/")[0]) if words else 0


def final_state(project: Path, variant: str) -> list[np.ndarray]:
    """Give the weights and the optimizer's state at the end of a variant's training."""
    (last,) = sorted((project / "data/06_models" / variant / "checkpoints").glob("*/step_*"))[-1:]
    with np.load(last / "training.npz") as state:
        # the first is the progress, whose seconds differ
        return [state[name] for name in state.files[1:]]


if __name__ == "__main__":
    main()

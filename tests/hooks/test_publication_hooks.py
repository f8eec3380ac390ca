"""A set of files that belong together is never seen half old, half new, not even after a kill."""

import signal
import subprocess
import sys

import numpy as np
import pytest

# a run that is killed when it has put its first array in place
KILLED_WHILE_PUBLISHING = """
import os, signal
from celeba_vae.datasets import NumpyDataset
import celeba_vae.datasets.array_datasets as array_datasets
put_in_place = array_datasets.link_or_copy
def put_in_place_and_die(source, target):
    put_in_place(source, target)
    os.kill(os.getpid(), signal.SIGKILL)
array_datasets.link_or_copy = put_in_place_and_die
from kedro.framework.cli.cli import main
main()
"""


@pytest.mark.slow
def test_a_run_killed_while_it_puts_arrays_in_place_leaves_no_mixture(project, run_kedro, write_celeba):
    write_celeba(project / "data/01_raw/celeba", 12, [0] * 8 + [1] * 2 + [2] * 2)
    command = ("--pipelines", "data_engineering")
    assert run_kedro(project, *command).returncode == 0
    folder = project / "data/05_model_input"
    left_over = folder / ".validation_images-0123abcd.npy"
    left_over.write_bytes(b"half")
    changed = (*command, "--params", "data_engineering.split.by=counts,data_engineering.crop=120")

    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_PUBLISHING, "run", *changed], cwd=project, capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert sorted(path.name for path in folder.glob("*_images.npy")) == ["train_images.npy"]
    assert not list(folder.glob("*.csv"))
    training = run_kedro(project, "--pipelines", "training")
    assert training.returncode == 1
    assert "validation_images: kedro run --pipelines data_engineering" in training.stderr

    again = run_kedro(project, *changed)
    assert again.returncode == 0, again.stderr
    assert sum(len(np.load(file)) for file in folder.glob("*_images.npy")) == 12
    assert not left_over.exists()


def test_unchanged_arrays_stay_in_place(project, run_kedro, write_celeba):
    write_celeba(project / "data/01_raw/celeba", 6, [0] * 4 + [1, 2])
    files = [project / f"data/05_model_input/{split}_images.npy" for split in ("train", "validation", "test")]
    assert run_kedro(project, "--pipelines", "data_engineering").returncode == 0
    before = [(file.stat().st_ino, file.stat().st_mtime_ns) for file in files]
    assert run_kedro(project, "--pipelines", "data_engineering").returncode == 0
    assert [(file.stat().st_ino, file.stat().st_mtime_ns) for file in files] == before

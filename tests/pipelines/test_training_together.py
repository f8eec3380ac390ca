"""Two processes that train one model, started as on two machines: each in a project and a data folder of its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import yaml

pytestmark = pytest.mark.slow

SETTINGS = {
    "training": {
        "latent_dim": 4,
        "encoder": {"filters": [4], "kernel_sizes": [3], "strides": [2]},
        "decoder": {"filters": [4, 3], "kernel_sizes": [3, 3], "strides": [2, 2], "start_filters": 4},
        "epochs": 17,
        # three steps an epoch, in the last of which one worker has no image
        "batch_size": 20,
        "horizontal_flips": True,
        "preview_epochs": "none",
        "checkpoint_steps": 1,
    },
    "variants": {
        "ae": {"layers": {"batch_normalization": False}},
        "vae": {"layers": {"batch_normalization": "synchronized"}, "gradient_clip_norm": 100.0},
    },
    "hardware": {"precision": "float32", "cpu_threads": 1},
}
LOSSES = ["total_loss", "reconstruction_loss", "validation_total_loss", "validation_reconstruction_loss"]


@pytest.fixture
def machines(project):
    """Two projects with the same images; a function that starts ``kedro run`` in both, as one cluster."""
    random = np.random.default_rng(0)
    for split, count in (("train", 41), ("validation", 7)):
        np.save(
            project / f"data/05_model_input/{split}_images.npy",
            random.integers(0, 256, (count, 16, 16, 3), dtype=np.uint8),
        )
    (project / "conf/local/parameters.yml").write_text(yaml.safe_dump(SETTINGS))
    return project, shutil.copytree(project, project.with_name("helper"))


@pytest.fixture
def start():
    """``start(machines, *arguments)`` starts ``kedro run --pipelines training`` on each; gives the two processes."""
    processes = []

    def start_both(machines, *arguments):
        addresses = [f"127.0.0.1:{port}" for port in free_ports(len(machines))]
        started = []
        for index, machine in enumerate(machines):
            config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", "kedro", "run", "--pipelines", "training", *arguments],
                    cwd=machine,
                    env={**os.environ, "COLUMNS": "1000", "DO_NOT_TRACK": "1", "TF_CONFIG": json.dumps(config)},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        processes.extend(started)
        return started

    yield start_both
    for process in processes:
        process.kill()
        process.wait()


def free_ports(count):
    with_ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in with_ports]
    for listener in with_ports:
        listener.close()
    return ports


def steps_kept(project, variant):
    folder = project / f"data/06_models/{variant}/checkpoints"
    return sorted(int(path.name.removeprefix("step_")) for path in folder.glob("*/step_*"))


def wait_for_step(project, variant, step, processes, seconds=120):
    deadline = time.monotonic() + seconds
    while not any(kept >= step for kept in steps_kept(project, variant)):
        assert time.monotonic() < deadline
        assert [process.poll() for process in processes] == [None] * len(processes), processes[0].communicate()[0]
        time.sleep(0.02)


def history(project, variant):
    return pd.read_csv(max((project / f"data/06_models/{variant}/history.csv").glob("*/history.csv")))


def files(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")}


def test_workers_stop_together_and_go_on_and_train_what_one_device_does(machines, start, run_kedro_process):
    project, helper = machines
    before = files(helper / "data")

    # Ctrl-C on one machine
    processes = start(machines)
    wait_for_step(project, "ae", 4, processes)
    processes[1].send_signal(signal.SIGINT)
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [130, 130], outputs
    assert all("Stopped. The same command goes on" in output for output in outputs)
    (step,) = {re.search(r"stopped after step (\d+)", output)[1] for output in outputs}
    assert max(steps_kept(project, "ae")) == int(step) < 51

    # one machine lost
    processes = start(machines)
    wait_for_step(project, "vae", 7, processes)
    processes[1].kill()
    killed = time.monotonic()
    output, _ = processes[0].communicate(timeout=60)
    assert time.monotonic() - killed < 60
    assert processes[0].returncode == 1
    assert f"ae: training goes on after epoch {int(step) / 3:.4g} of 17" in output
    assert "Error: This is worker 0 (the chief) of 2, and another one is lost" in output
    assert "Traceback" not in output
    kept = max(steps_kept(project, "vae"))

    # both again
    processes = start(machines)
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    for output in outputs:
        assert "ae: nothing has changed since its training of 17 epochs" in output
        assert f"vae: training goes on after epoch {kept / 3:.4g} of 17" in output
    assert "multi_worker, worker 0 (the chief) of 2, 2 replicas" in outputs[0]
    assert "multi_worker, worker 1 of 2, 2 replicas" in outputs[1]
    assert files(helper / "data") == before

    # the same commands, but one process
    together = {variant: history(project, variant) for variant in ("ae", "vae")}
    succeeded(run_kedro_process(helper, "--pipelines", "training"))
    assert_same_training(together, helper)
    # it is the same training: one process goes on with what two began
    assert "ae: nothing has changed since its training of 17 epochs" in succeeded(
        run_kedro_process(project, "--pipelines", "training", "--namespaces", "ae")
    )


def test_a_worker_with_other_images_says_so_and_the_chief_is_told(machines, start):
    images = machines[1] / "data/05_model_input/train_images.npy"
    np.save(images, 255 - np.load(images))
    processes = start(machines, "--namespaces", "ae")
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [1, 1], outputs
    assert "Error: This is worker 1 of 2, which trains something else than the chief" in outputs[1]
    assert re.search(r"\n  train_images: 41 images, content \w+ -> 41 images, content \w+\n", outputs[1])
    assert "Error: This is worker 0 (the chief) of 2, and another one is lost" in outputs[0]


def test_two_devices_of_one_machine_train_what_one_does(machines, run_kedro_process):
    project, other = machines
    output = succeeded(run_kedro_process(project, "--pipelines", "training", "--params", "hardware.virtual_devices=2"))
    assert "mirrored, 2 replicas" in output
    succeeded(run_kedro_process(other, "--pipelines", "training"))
    assert_same_training({variant: history(project, variant) for variant in ("ae", "vae")}, other)
    reporting = "data/08_reporting/latest"
    assert {path.name for path in (project / reporting).iterdir()} == {
        path.name for path in (other / reporting).iterdir()
    }


def succeeded(result):
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def assert_same_training(histories, project):
    for variant, losses in (("ae", LOSSES), ("vae", [*LOSSES, "kl_loss", "kl", "validation_kl"])):
        assert len(histories[variant]) == 17
        np.testing.assert_allclose(histories[variant][losses], history(project, variant)[losses], rtol=1e-4)

"""What machines that train together can't share is refused at once, before TensorFlow is loaded."""

import json

import numpy as np
import pytest

ADDRESSES = ["10.0.0.1:1234", "10.0.0.2:1234"]


@pytest.fixture
def prepared(project):
    for split in ("train", "validation", "test"):
        np.save(project / f"data/05_model_input/{split}_images.npy", np.zeros((4, 96, 96, 3), np.uint8))
    return project


@pytest.mark.parametrize(
    ("index", "arguments", "reason"),
    [
        (0, ["--env", "demo"], "Prepare it first"),
        (1, ["--env", "demo", "--pipelines", "data_engineering"], "worker 1 of 2, which only takes part in trainings"),
        (0, ["--pipelines", "training", "--runner", "ThreadRunner"], "leave --runner out"),
        (0, ["--pipelines", "training", "--params", "hardware.virtual_devices=2"], "virtual_devices: none"),
    ],
)
def test_a_run_that_machines_can_not_share_is_refused(prepared, run_kedro, index, arguments, reason):
    config = {"cluster": {"worker": ADDRESSES}, "task": {"type": "worker", "index": index}}

    result = run_kedro(prepared, *arguments, environment={"TF_CONFIG": json.dumps(config)})

    assert result.returncode == 1
    assert reason in result.stderr
    assert "Traceback" not in result.stderr
    assert "Hardware:" not in result.stdout
    assert not list((prepared / "data/demo").rglob("*.npy"))


def test_one_machine_may_do_what_it_likes_alone(prepared, run_kedro):
    config = {"cluster": {"worker": ADDRESSES}, "task": {"type": "worker", "index": 1}}
    parameters = "hardware.strategy=one,data_engineering.source.count=20"

    result = run_kedro(
        prepared,
        *("--env", "demo", "--pipelines", "data_engineering", "--params", parameters),
        environment={"TF_CONFIG": json.dumps(config)},
    )

    assert result.returncode == 0, result.stderr
    assert (prepared / "data/demo/05_model_input/train_images.npy").exists()

"""A model trained by replicas on two devices is the model that one device trains: same steps, same weights, same files.

TensorFlow takes its number of devices once a process, so all that needs two of them runs in one process of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

# prints what it finds as JSON
SCRIPT = Path(__file__).with_name("train_by_replicas.py")
SYNCHRONIZED = {"layers": {"batch_normalization": "synchronized"}}
CASES = {
    "off": {"layers": {"batch_normalization": False}},
    "synchronized": SYNCHRONIZED,
    "all": {
        "layers": {"batch_normalization": "synchronized", "dropout": 0.2},
        "horizontal_flips": True,
        "gradient_clip_norm": 50.0,
        "ema_momentum": 0.9,
        "free_bits": 0.1,
        "kl_schedule": {"name": "linear_warm_up", "epochs": 3},
    },
    "gaussian": {**SYNCHRONIZED, "reconstruction_loss": {"name": "gaussian"}, "kl_weight": 1.0, "learning_rate": 1e-4},
    "in parts": {"layers": {"batch_normalization": True}},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    process = subprocess.run(
        [sys.executable, SCRIPT, json.dumps(CASES), tmp_path_factory.mktemp("replicas")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SCRIPT.parents[2]), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.parametrize("case", ["off", "synchronized", "all", "gaussian"])
def test_losses_are_those_of_one_device_at_every_step(results, case):
    """Batches of 32, 32, 32, 32, 32 and one image, which both replicas compute."""
    assert len(results[case]["steps"]) == 54
    assert max(results[case]["steps"]) < 1e-4
    assert results[case]["validation"] < 1e-4


def test_unsynchronized_normalization_is_another_training(results):
    """What the README says: each replica normalises its part of a batch by itself."""
    assert max(results["in parts"]["steps"]) > 1e-3


@pytest.mark.parametrize("case", ["off", "synchronized", "all", "gaussian", "in parts"])
def test_replicas_stay_the_same_to_the_bit(results, case):
    assert results[case]["copies_differ_by"] == 0


def test_a_training_moves_from_several_devices_to_one(results):
    """Half the epochs by replicas, the rest on one device, from their checkpoint."""
    assert len(results["moved"]) == 30
    assert max(results["moved"]) < 1e-4


def test_saved_models_are_made_of_ordinary_layers(results):
    assert results["synchronized"]["layers"] == results["one device"]["layers"]
    assert results["synchronized"]["weights"] == results["one device"]["weights"]


def test_what_replicas_can_not_do_is_refused(results):
    refused = results["refused"]
    assert "kl_term: add_loss works on one device only" in refused["add_loss"]
    assert "hardware.yml says xla: true" in refused["xla"]
    assert "2 devices can't share batches of 33 images equally. Set batch_size to 32 or 34" in refused["batch_size"]


def test_the_hardware_line_names_strategy_and_replicas(results):
    assert "; mirrored, 2 replicas; XLA off; float32; seed 42" in results["line"]

"""What is looked at before TensorFlow starts does not load it."""

import subprocess
import sys

MODULES = [
    "models.decoders",
    "models.encoders",
    "models.inference",
    "models.losses",
    "models.schedules",
    "training.batches",
    "training.checkpoints",
    "training.distributed.peers",
    "training.earlier_epochs",
    "training.hardware",
    "training.machine",
    "training.recipe",
    "pipelines.training",
    "hooks",
]


def test_modules_that_checks_need_load_no_tensorflow():
    code = "import importlib, sys\n" + "".join(
        f"importlib.import_module('celeba_vae.{module}'); assert 'tensorflow' not in sys.modules, '{module}'\n"
        for module in MODULES
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr

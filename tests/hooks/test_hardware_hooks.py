"""Hardware is set up when a node that uses TensorFlow is to run, and only then."""

import numpy as np
import pytest


def test_without_a_tensorflow_node_hardware_is_no_matter(project, run_kedro_process):
    (project / "sitecustomize.py").write_text(
        "import atexit, pathlib, sys\n"
        "atexit.register(lambda: pathlib.Path('imported').write_text(str('tensorflow' in sys.modules)))\n"
    )
    parameters = "hardware.device=gpu,data_engineering.source.count=20"

    result = run_kedro_process(
        project,
        *("--env", "demo", "--pipelines", "data_engineering", "--params", parameters),
        environment={"PYTHONPATH": str(project)},
    )

    assert result.returncode == 0, result.stderr
    assert (project / "imported").read_text() == "False"


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ("hardware.device=gpu", "hardware.yml asks for a GPU (device: gpu), but TensorFlow finds none"),
        (
            "hardware.virtual_devices=2,training.batch_size=21",
            "variants.vae: 2 devices can't share batches of 21 images",
        ),
    ],
)
def test_what_the_machine_can_not_do_stops_the_run_before_its_first_node(project, run_kedro_process, params, error):
    for split in ("train", "validation"):
        np.save(project / f"data/05_model_input/{split}_images.npy", np.zeros((4, 96, 96, 3), np.uint8))

    result = run_kedro_process(
        project,
        *("--pipelines", "training", "--namespaces", "vae", "--params", params),
        environment={"CUDA_VISIBLE_DEVICES": "-1"},
    )

    assert result.returncode == 1
    assert error in result.stderr
    assert "Traceback" not in result.stderr
    assert "(1 of " not in result.stdout

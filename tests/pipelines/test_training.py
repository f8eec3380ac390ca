"""The training pipeline as a user runs it: versions, running again, and settings that can't work."""

import io
import json
import re
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

SMALL = {
    "training": {
        "latent_dim": 4,
        "encoder": {"filters": [4, 8], "kernel_sizes": [3, 3], "strides": [2, 2]},
        "decoder": {"filters": [4, 3], "kernel_sizes": [3, 3], "strides": [2, 2], "start_filters": 8},
        "epochs": 2,
        "batch_size": 16,
    },
    "hardware": {"precision": "float32"},
}


@pytest.fixture
def small_project(project):
    """A project with prepared images of 16x16 and a small network."""
    random = np.random.default_rng(0)
    for split, count in (("train", 40), ("validation", 8), ("test", 8)):
        np.save(
            project / f"data/05_model_input/{split}_images.npy",
            random.integers(0, 256, (count, 16, 16, 3), dtype=np.uint8),
        )
    (project / "conf/local/parameters.yml").write_text(yaml.safe_dump(SMALL))
    return project


def versions(project, dataset):
    return sorted(path.name for path in (project / "data/06_models" / dataset).iterdir())


def weights(project, dataset, version):
    import keras

    import celeba_vae.models.layers  # noqa: F401

    path = project / "data/06_models" / dataset / version / dataset.rpartition("/")[2]
    return keras.saving.load_model(path).get_weights()


def succeeded(result):
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def failed(result):
    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    return result.stderr


def test_training_twice_gives_two_versions_of_the_same_models(small_project, run_kedro):
    output = succeeded(run_kedro(small_project, "--pipelines", "training"))
    for variant in ("vae", "ae"):
        assert len(re.findall(rf"\b{variant} epoch \d/2: total_loss", output)) == 2
        assert len(versions(small_project, f"{variant}/encoder.keras")) == 1
    # 3 channels are averaged in the loss: 5 * 3
    assert "kl_weight 5 is an effective beta of 15" in output
    assert re.search(r"memory, beside TensorFlow's own, about \d+ MB: weights \d+, optimizer and gradients \d+", output)
    assert re.search(r"activations \d+ at batch size 16", output)

    again = succeeded(run_kedro(small_project, "--pipelines", "training"))
    assert re.search(r"train \(1 of \d+\)", again)
    assert "epoch 1/2" not in again
    assert again.count("nothing has changed since its training of 2 epochs") == 2
    first, second = versions(small_project, "vae/decoder.keras")
    for a, b in zip(*(weights(small_project, "vae/decoder.keras", v) for v in (first, second)), strict=True):
        np.testing.assert_array_equal(a, b)

    history = pd.read_csv(small_project / "data/06_models/vae/history.csv" / second / "history.csv")
    assert list(history["epoch"]) == [1, 2]
    np.testing.assert_allclose(history["total_loss"], history["reconstruction_loss"] + history["kl_loss"], rtol=1e-5)
    curves = small_project / "data/08_reporting/vae_loss_curves.png" / second / "vae_loss_curves.png"
    assert Image.open(io.BytesIO(curves.read_bytes())).size[0] > 1000


def test_namespace_trains_one_variant_and_more_epochs_go_on(small_project, run_kedro):
    vae = ("--pipelines", "training", "--namespaces", "vae")
    succeeded(run_kedro(small_project, *vae))
    assert not (small_project / "data/06_models/ae").exists()
    output = succeeded(run_kedro(small_project, *vae, "--params", "training.epochs=3"))
    assert "training goes on after epoch 2 of 3" in output
    assert re.findall(r"vae epoch (\d)/3", output) == ["3"]
    output = succeeded(run_kedro(small_project, *vae, "--params", "variants.vae.kl_weight=2.5"))
    assert "starts anew, since this has changed: variant.kl_weight: 5.0 -> 2.5" in output
    output = succeeded(run_kedro(small_project, *vae, "--params", "training.fresh=true"))
    assert re.findall(r"vae epoch (\d)/2", output) == ["1", "2"]
    newest = small_project.glob("data/06_models/vae/checkpoints/*/finished.json")
    result = json.loads(max(newest, key=lambda file: file.stat().st_mtime_ns).read_text())
    assert result["variant"]["kl_weight"] == 5
    assert {"tensorflow", "keras"} <= set(result)


def test_new_block_is_a_new_variant_without_python(small_project, run_kedro):
    (small_project / "conf/local/parameters_mine.yml").write_text(
        "variants: {mine: {model: vae, encoder: {dense_units: 6}, reconstruction_loss: {name: mse}, kl_weight: 0.02}}"
    )
    succeeded(run_kedro(small_project, "--pipelines", "variants", "--namespaces", "mine"))
    assert [path.name for path in (small_project / "data/06_models").iterdir() if path.is_dir()] == ["mine"]
    (version,) = versions(small_project, "mine/encoder.keras")
    # the extra Dense layer: 4 * 4 * 8 flattened values to 6 units
    assert (4 * 4 * 8, 6) in [weight.shape for weight in weights(small_project, "mine/encoder.keras", version)]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("training.batch_size=0", r"batch_size"),
        ("variants.vae.kl_weight=-1", r"kl_weight"),
        ("training.layers.activation=tanh", r"activation"),
        ("training.epoch=3", r"epoch"),
        ("training.encoder.name=konv", r"konv.*conv"),
        ("training.encoder.padding=full", r"padding"),
    ],
)
def test_wrong_setting_stops_the_run_before_any_node(small_project, run_kedro, params, message):
    result = run_kedro(small_project, "--pipelines", "training", "--params", params)
    assert re.search(message, failed(result)), result.stderr
    assert not re.search(r"\(1 of \d+\)", result.stdout + result.stderr)
    assert not (small_project / "data/06_models/vae").exists()


def test_layers_that_do_not_fit_stop_the_run_before_any_node(small_project, run_kedro):
    local = small_project / "conf/local/parameters.yml"
    unequal = {**SMALL, "training": {**SMALL["training"], "encoder": {"filters": [4, 8, 16]}}}
    local.write_text(yaml.safe_dump(unequal))
    result = run_kedro(small_project, "--pipelines", "training")
    assert re.search(r"filters has 3: \[4, 8, 16\].*strides has 4", failed(result)), result.stderr

    odd = {
        **SMALL,
        "training": {**SMALL["training"], "encoder": {"filters": [4, 8], "kernel_sizes": [3, 3], "strides": [3, 3]}},
    }
    local.write_text(yaml.safe_dump(odd))
    result = run_kedro(small_project, "--pipelines", "training")
    assert re.search(r"strides \[3, 3\].*16 pixels", failed(result)), result.stderr
    assert not re.search(r"\(1 of \d+\)", result.stdout + result.stderr)


def test_ctrl_c_stops_in_a_line_and_the_same_command_goes_on(small_project, run_kedro):
    arguments = ("--pipelines", "training", "--namespaces", "ae", "--params", "training.epochs=400")
    process = subprocess.Popen(
        [sys.executable, "-m", "kedro", "run", *arguments],
        cwd=small_project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if "epoch 3/400" in line:
            process.send_signal(signal.SIGINT)
            break
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Stopped." in errors
    assert "Traceback" not in errors
    checkpoints = small_project.glob("data/06_models/ae/checkpoints/*/epoch_*")
    (done,) = (int(path.name.removeprefix("epoch_")) for path in checkpoints)
    more = f"training.epochs={done + 1}"
    output = succeeded(run_kedro(small_project, "--pipelines", "training", "--namespaces", "ae", "--params", more))
    assert f"training goes on after epoch {done} of {done + 1}" in output

"""The training pipeline as a user runs it: versions, running again, and settings that can't work."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from projects import new_project, run_here

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
    return prepare_small(project)


@pytest.fixture
def trained_project(tmp_path, made_once):
    """A small project in which ``kedro run --pipelines training`` has run once; what it said is in output.txt."""

    def train(folder):
        result = run_here(prepare_small(new_project(folder / "project")), "--pipelines", "training")
        (folder / "project/output.txt").write_text(succeeded(result))

    return shutil.copytree(made_once("trained", train) / "project", tmp_path / "project")


def prepare_small(project):
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


def configuration_of(project, variant):
    """What the only training of a variant kept."""
    (version,) = versions(project, f"{variant}/configuration.json")
    file = project / "data/06_models" / variant / "configuration.json" / version / "configuration.json"
    return json.loads(file.read_text())


def succeeded(result):
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def failed(result):
    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    return result.stderr


def assert_forming_shows(reporting, variant, kind):
    """Each of six images of both epochs is in the picture, twice as large."""
    with Image.open(reporting / f"latest/{variant}_faces_forming.png") as picture:
        places = np.lib.stride_tricks.sliding_window_view(np.asarray(picture), (32, 32, 3))
    for epoch in (1, 2):
        (kept,) = reporting.glob(f"{variant}_training/*/{kind}_epoch_000{epoch}.npy")
        for image in np.load(kept)[:6]:
            tile = np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.BICUBIC))
            assert (places == tile).all(axis=(-3, -2, -1)).any()


def test_training_twice_gives_two_versions_of_the_same_models(trained_project, run_kedro):
    output = (trained_project / "output.txt").read_text()
    for variant in ("vae", "ae"):
        assert len(re.findall(rf"\b{variant} epoch \d/2: total_loss", output)) == 2
        assert len(versions(trained_project, f"{variant}/encoder.keras")) == 1
    # 3 channels are averaged in the loss: 5 * 3
    assert "kl_weight 5 is an effective beta of 15" in output
    assert re.search(r"memory, beside TensorFlow's own, about \d+ MB: weights \d+, optimizer and gradients \d+", output)
    assert re.search(r"activations \d+ at batch size 16", output)

    again = succeeded(run_kedro(trained_project, "--pipelines", "training"))
    assert re.search(r"train \(1 of \d+\)", again)
    assert "epoch 1/2" not in again
    assert again.count("nothing has changed since its training of 2 epochs") == 2
    first, second = versions(trained_project, "vae/decoder.keras")
    for a, b in zip(*(weights(trained_project, "vae/decoder.keras", v) for v in (first, second)), strict=True):
        np.testing.assert_array_equal(a, b)

    history = pd.read_csv(trained_project / "data/06_models/vae/history.csv" / second / "history.csv")
    assert list(history["epoch"]) == [1, 2]
    np.testing.assert_allclose(history["total_loss"], history["reconstruction_loss"] + history["kl_loss"], rtol=1e-5)
    curves = trained_project / "data/08_reporting/vae_loss_curves.png" / second / "vae_loss_curves.png"
    assert Image.open(io.BytesIO(curves.read_bytes())).size[0] > 700
    (training,) = (trained_project / "data/08_reporting/vae_training").iterdir()
    pictures = {path.name for path in training.glob("*.png")}
    assert pictures == {f"{kind}_epoch_000{epoch}.png" for kind in ("samples", "reconstructions") for epoch in (1, 2)}
    # an autoencoder has no faces at points of N(0, I)
    for variant, kind in (("vae", "samples"), ("ae", "reconstructions")):
        assert_forming_shows(trained_project / "data/08_reporting", variant, kind)


def test_namespace_trains_one_variant_and_more_epochs_go_on(trained_project, run_kedro):
    vae = ("--pipelines", "training", "--namespaces", "vae")
    output = succeeded(run_kedro(trained_project, *vae, "--params", "training.epochs=3"))
    assert "training goes on after epoch 2 of 3" in output
    assert re.findall(r"vae epoch (\d)/3", output) == ["3"]
    assert [len(versions(trained_project, f"{variant}/encoder.keras")) for variant in ("vae", "ae")] == [2, 1]
    output = succeeded(run_kedro(trained_project, *vae, "--params", "training.use_weights=best"))
    assert "epoch 1/2" not in output


def test_changed_settings_or_data_are_refused_until_asked_to_start_anew(trained_project, run_kedro):
    vae = ("--pipelines", "training", "--namespaces", "vae")
    changed = "training.latent_dim=6,variants.vae.kl_weight=2.5"
    result = run_kedro(trained_project, *vae, "--params", changed)
    errors = failed(result)
    for part in ("variant.kl_weight: 5.0 -> 2.5", "variant.latent_dim: 4 -> 6", "variants.vae.fresh=true"):
        assert part in errors, errors
    # before anything runs, TensorFlow's start included
    assert "Hardware" not in result.stdout + result.stderr
    output = succeeded(run_kedro(trained_project, *vae, "--params", f"{changed},variants.vae.fresh=true"))
    assert "vae epoch 1/2" in output
    # both trainings are there now
    for params in (("--params", changed), ()):
        assert "nothing has changed" in succeeded(run_kedro(trained_project, *vae, *params))

    images = trained_project / "data/05_model_input/train_images.npy"
    np.save(images, np.load(images)[::-1])
    errors = failed(run_kedro(trained_project, *vae))
    assert re.search(r"train_images: 40 images, content \w+ -> 40 images, content \w+", errors), errors


def test_a_loss_that_is_not_finite_ends_in_one_message(small_project, run_kedro):
    result = run_kedro(
        small_project, "--pipelines", "training", "--namespaces", "ae", "--params", "training.learning_rate=1e30"
    )
    (line,) = failed(result).strip().splitlines()
    assert line.startswith("Error: Training ae stopped at step")


def test_more_epochs_than_a_schedule_was_made_for_are_explained(small_project, run_kedro):
    vae = ("--pipelines", "training", "--namespaces", "vae", "--params")
    cosine = "training.preview_epochs=none,training.learning_rate_schedule.name=cosine,training.epochs"
    succeeded(run_kedro(small_project, *vae, f"{cosine}=1"))
    # options that the parameters leave to the component; the schedule's length is the variant's
    schedule = configuration_of(small_project, "vae")["learning_rate_schedule"]
    assert schedule == {"name": "cosine", "epochs": 1, "final": 0}
    errors = failed(run_kedro(small_project, *vae, f"{cosine}=2"))
    advice = re.search(r"follows the variant's.*--params (variants\.vae\.learning_rate_schedule\.epochs=1\.0) ", errors)
    assert advice, errors
    output = succeeded(run_kedro(small_project, *vae, f"{cosine}=2,{advice[1]}"))
    assert "training goes on after epoch 1 of 2" in output


@pytest.mark.slow
def test_residual_networks_and_half_precision_train_without_a_word_from_onednn(small_project, run_kedro_process):
    variants = ("--pipelines", "variants", "--namespaces", "vae_residual", "--params")
    for precision in ("float32", "mixed_float16"):
        params = f"training.epochs=1,variants.vae_residual.fresh=true,hardware.precision={precision}"
        result = run_kedro_process(small_project, *variants, params)
        assert " epoch 1/1" in succeeded(result)
        assert not result.stderr


def test_configuration_is_kept_beside_the_weights(trained_project):
    configuration = configuration_of(trained_project, "vae")
    assert configuration["kl_weight"] == 5
    assert configuration["decoder"]["start_filters"] == 8
    # an option that the parameters leave to the component
    assert configuration["encoder"]["padding"] == "same"
    assert configuration["best_epoch"] in (1, 2)
    assert configuration["train_images"].startswith("40 images")
    import keras
    import tensorflow

    assert configuration["versions"]["tensorflow"] == tensorflow.__version__
    assert configuration["versions"]["keras"] == keras.__version__
    (version,) = versions(trained_project, "vae/encoder.keras")
    counted = sum(weight.size for weight in weights(trained_project, "vae/encoder.keras", version))
    assert configuration["parameters"]["encoder"] == counted


def test_new_block_is_a_new_variant_without_python(small_project, run_kedro):
    (small_project / "conf/local/parameters_mine.yml").write_text(
        "variants: {mine: {model: vae, encoder: {dense_units: 6}, reconstruction_loss: {name: mse}, kl_weight: 0.02}}"
    )
    quick = "training.epochs=1,training.preview_epochs=none"
    succeeded(run_kedro(small_project, "--pipelines", "variants", "--namespaces", "mine", "--params", quick))
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


class Run:
    """``kedro run --pipelines training`` in a process of its own, whose lines can be waited for."""

    def __init__(self, project, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", "--pipelines", "training", *arguments],
            cwd=project,
            env={**os.environ, "COLUMNS": "1000"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, text):
        assert any(text in line for line in self.process.stdout), self.process.stderr.read()

    def end(self, number):
        """Send the signal; give the exit code and what standard error had."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=120)
        return self.process.returncode, errors


@pytest.mark.slow
def test_ctrl_c_saves_first_and_the_same_command_goes_on(small_project, run_kedro):
    run = Run(small_project, "--namespaces", "ae", "--params", "training.epochs=400")
    run.wait_for("epoch 3/400")
    code, errors = run.end(signal.SIGINT)
    assert code == 130
    assert "Stopped." in errors
    assert "Traceback" not in errors
    steps = [
        int(path.name.removeprefix("step_")) for path in small_project.glob("data/06_models/ae/checkpoints/*/step_*")
    ]
    epochs = max(steps) // 3 + 1
    ae = ("--pipelines", "training", "--namespaces", "ae", "--params")
    output = succeeded(run_kedro(small_project, *ae, f"training.epochs={epochs}"))
    assert f"training goes on after epoch {max(steps) / 3:.4g} of {epochs}" in output
    assert re.findall(rf"ae epoch (\d+)/{epochs}", output) == [str(epochs)]


@pytest.mark.slow
def test_a_fresh_run_goes_on_with_the_same_command_and_then_starts_anew(small_project, run_kedro):
    training = ("--pipelines", "training")
    succeeded(run_kedro(small_project, *training))
    fresh = ("--params", "training.fresh=true,training.epochs=14")
    # the first variant is finished, the second under way
    for number in (signal.SIGINT, signal.SIGKILL):
        run = Run(small_project, *fresh)
        run.wait_for(f" vae epoch {3 if number == signal.SIGINT else 6}/14")
        run.end(number)
    output = succeeded(run_kedro(small_project, *training, *fresh))
    assert " ae epoch" not in output
    assert "vae: training goes on after epoch" in output
    assert " vae epoch 6/14" not in output
    assert " vae epoch 14/14" in output

    output = succeeded(run_kedro(small_project, *training, "--params", "training.fresh=true"))
    for variant in ("vae", "ae"):
        assert re.findall(rf" {variant} epoch (\d)/2", output) == ["1", "2"]


@pytest.mark.slow
def test_a_run_killed_at_any_moment_ends_with_the_bits_of_an_uninterrupted_one(small_project, tmp_path, run_kedro):
    settings = {**SMALL, "training": {**SMALL["training"], "epochs": 14, "checkpoint_steps": 2}}
    settings["hardware"] = {"precision": "float32", "deterministic": True}
    (small_project / "conf/local/parameters.yml").write_text(yaml.safe_dump(settings))
    uninterrupted = tmp_path / "uninterrupted"
    shutil.copytree(small_project, uninterrupted)
    succeeded(run_kedro(uninterrupted, "--pipelines", "training"))

    random = np.random.default_rng()
    # at a random moment
    run = Run(small_project)
    run.wait_for(f"ae epoch {random.integers(1, 7)}/14")
    time.sleep(random.uniform(0, 0.05))
    assert run.end(signal.SIGKILL)[0] == -signal.SIGKILL
    # while a checkpoint is being written
    run = Run(small_project)
    run.wait_for("ae epoch 8/14")
    while not any(small_project.glob("data/06_models/ae/checkpoints/*/.step_*")):
        assert run.process.poll() is None
    assert run.end(signal.SIGKILL)[0] == -signal.SIGKILL
    # in the second variant
    run = Run(small_project)
    run.wait_for(f"vae epoch {random.integers(1, 11)}/14")
    time.sleep(random.uniform(0, 0.05))
    assert run.end(signal.SIGKILL)[0] == -signal.SIGKILL

    output = succeeded(run_kedro(small_project, "--pipelines", "training"))
    assert "vae: training goes on after epoch" in output
    assert "ae: nothing has changed" in output
    assert " ae epoch" not in output
    assert not any(small_project.glob("data/06_models/*/checkpoints/*/.step_*"))
    for dataset in ("vae/encoder.keras", "vae/decoder.keras", "ae/encoder.keras", "ae/decoder.keras"):
        ours, theirs = (
            weights(project, dataset, versions(project, dataset)[-1]) for project in (small_project, uninterrupted)
        )
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)

"""Commands as a user gives them, each in a process of its own."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
from kedro.framework.cli.project import run as kedro_run
from kedro.io import DatasetError
from kedro_datasets.json import JSONDataset
from PIL import Image

from celeba_vae import cli
from celeba_vae.cli import expected_message
from celeba_vae.datasets import PictureDataset
from celeba_vae.errors import DataError

BROKEN_SOURCES = """
import time
from pydantic import BaseModel

class Broken(BaseModel):
    def check(self, raw_folder):
        return {}["a bug"]

class Endless(BaseModel):
    def check(self, raw_folder):
        print("checking", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def run(project, run_kedro):
    """``run(*arguments)`` is ``kedro run *arguments`` in the project."""
    return partial(run_kedro, project)


def one_message(result) -> str:
    """The message of a run that ended in an expected error, and in nothing else."""
    assert result.returncode == 1, result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert re.findall("ERROR|have not run|--from-nodes|No nodes ran", result.stdout) == []
    assert result.stderr.startswith("Error: ")
    return result.stderr.removeprefix("Error: ")


def test_kedros_options_are_all_there():
    own = {option for parameter in cli.run.params for option in parameter.opts}

    assert own - {option for parameter in kedro_run.params for option in parameter.opts} == {"--traceback"}
    assert len(cli.run.params) == len(kedro_run.params) + 1


def test_an_expected_error_in_a_node_is_one_message_and_a_traceback_if_asked_for(project, run_kedro):
    images = project / "data/01_raw/celeba/img_align_celeba"
    images.mkdir(parents=True)
    for name in ("000001.jpg", "000002.jpg"):
        (images / name).write_bytes(b"no picture")

    result = run_kedro(project, "--pipelines", "data_engineering")
    verbose = run_kedro(project, "--pipelines", "data_engineering", "--traceback")

    message = one_message(result)
    assert len(message.splitlines()) < 8
    assert "000001.jpg" in message
    assert message.splitlines()[0] not in result.stdout
    # a node had started
    assert "(1 of " in result.stdout
    assert verbose.returncode == 1
    assert "Traceback (most recent call last)" in verbose.stderr
    assert message.splitlines()[0] in verbose.stderr


def test_the_packaged_project_behaves_the_same(project):
    process = subprocess.run(
        [sys.executable, "-m", "celeba_vae", "--pipelines", "training"], cwd=project, capture_output=True, text=True
    )

    assert "train_images, validation_images: kedro run --pipelines data_engineering" in one_message(process)


def test_wrong_parameters_are_named_one_a_line(run):
    parameters = "data_engineering.split.by=luck,variants.vae.kl_weight=-1,training.epoch=3,hardware.cpu_threads=0"

    heading, *lines = one_message(run("--params", parameters)).splitlines()

    assert heading.startswith("Wrong parameters")
    assert [line.strip() for line in lines] == [
        "data_engineering.split.by: Input should be 'auto', 'partition' or 'counts' (given 'luck')",
        "hardware.cpu_threads: Input should be greater than 0 (given 0)",
        "training.epoch: unknown name; did you mean 'epochs'?",
        "variants.vae.kl_weight: Input should be greater than or equal to 0 (given -1)",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--pipelines", "trainig"], ["'trainig'", "training"]),
        (["--env", "dem"], ["conf/dem", "base, demo, local"]),
        (["--pipelines", "training", "--namespaces", "vea"], ["'vea'", "vae"]),
        (["--params", "evalution.count=3"], ["evalution", "did you mean 'evaluation'?"]),
        (["--params", "variants.vea.kl_weight=3"], ["variants.vea", "did you mean 'vae'?"]),
        (["--params", "evaluation.variants=vae_none"], ["evaluation.variants", "'vae_none'", "Known: vae, ae"]),
        (["--params", "variants.vae=3"], ["variants.vae", "3"]),
        (["--load-versions", "vae.dekoder:2026-01-01T00.00.00.000Z"], ["vae.dekoder"]),
    ],
)
def test_what_the_command_line_misspells_is_one_message(run, arguments, expected):
    message = one_message(run(*arguments))

    assert all(text in message for text in expected), message


@pytest.mark.parametrize("named_by", ["option", "variable"])
def test_a_variant_that_another_environment_has_is_answered_with_the_one_that_is_read(
    project, run, monkeypatch, named_by
):
    own = "variants:\n  mine: {model: ae}\n"
    (project / "conf/local/parameters_training.yml").write_text(own)
    if named_by == "variable":
        monkeypatch.setenv("KEDRO_ENV", "demo")
    else:
        # the command sets it
        monkeypatch.setenv("KEDRO_ENV", "local")
    environment = ["--env", "demo"] if named_by == "option" else []

    message = one_message(run(*environment, "--pipelines", "variants", "--namespaces", "mine"))

    assert "'mine'" in message
    assert "Variants: ae, ae_large, vae, vae_dense," in message
    assert "conf/base and conf/demo are read, conf/local is not" in message


def test_commands_in_messages_are_those_of_the_environment(run):
    message = one_message(run("--env", "demo", "--pipelines", "evaluation"))

    assert "kedro run --env demo --pipelines data_engineering" in message
    assert "kedro run --pipelines" not in message


def test_without_an_environment_none_is_named(run, monkeypatch):
    monkeypatch.delenv("KEDRO_ENV", raising=False)

    message = one_message(run("--pipelines", "training", "--namespaces", "vea"))

    assert "conf/" not in message


def test_a_file_of_parameters_that_is_no_yaml_is_named(project, run):
    (project / "conf/local/parameters.yml").write_text("training: [unclosed")

    assert "conf/local/parameters.yml" in one_message(run())


def test_a_missing_folder_of_own_settings_is_answered_with_the_command_that_makes_it(project, run):
    (project / "conf/local").rmdir()

    assert f"mkdir {project}/conf/local" in one_message(run())


def test_a_bug_keeps_its_traceback(project, run_kedro_process):
    (project / "broken_sources.py").write_text(BROKEN_SOURCES)
    parameters = "data_engineering.source.name=broken_sources:Broken"

    result = run_kedro_process(project, "--params", parameters, environment={"PYTHONPATH": str(project)})

    assert result.returncode == 1
    assert "Traceback (most recent call last)" in result.stderr
    assert "KeyError: 'a bug'" in result.stderr


def test_an_interrupt_ends_in_one_line(project):
    (project / "broken_sources.py").write_text(BROKEN_SOURCES)
    parameters = "data_engineering.source.name=broken_sources:Endless"

    process = subprocess.Popen(
        [sys.executable, "-m", "kedro", "run", "--params", parameters],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "checking\n"
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)

    assert time.monotonic() - start < 10
    assert process.returncode == 130
    assert len(stderr.strip().splitlines()) == 1


def test_commands_without_tensorflow_do_not_load_it(project, run_kedro_process):
    (project / "sitecustomize.py").write_text(
        "import atexit, pathlib, sys\n"
        "atexit.register(lambda: pathlib.Path('imported').write_text(str('tensorflow' in sys.modules)))\n"
    )
    for command, argument in (("registry", "list"), ("catalog", "describe-datasets")):
        result = run_kedro_process(project, argument, command=command, environment={"PYTHONPATH": str(project)})

        assert result.returncode == 0, result.stderr
        assert "training" in result.stdout
        assert "Warning" not in result.stdout + result.stderr
        assert (project / "imported").read_text() == "False"
        (project / "imported").unlink()


def test_logging_can_be_configured_elsewhere(project, run_kedro_process):
    own = (project / "conf/logging.yml").read_text().replace("%(message)s", "OWN %(message)s")
    (project / "own_logging.yml").write_text(own.replace("kedro: {level: WARNING}", "kedro: {level: INFO}"))

    result = run_kedro_process(
        project, "--pipelines", "training", environment={"KEDRO_LOGGING_CONFIG": str(project / "own_logging.yml")}
    )

    assert "OWN Kedro project" in result.stdout


def test_a_dataset_without_its_file_is_expected_but_a_dataset_with_a_bug_is_not(tmp_path):
    missing = JSONDataset(filepath=str(tmp_path / "missing.json"))
    with pytest.raises(DatasetError) as no_file:
        missing.load()
    with pytest.raises(DatasetError) as no_json:
        missing.save({1, 2})

    assert "missing.json" in expected_message(no_file.value)
    assert expected_message(no_json.value) is None


def test_a_full_disk_is_expected_whatever_was_writing(tmp_path):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(DatasetError) as caught:
            PictureDataset(filepath=str(tmp_path / "picture.png")).save(picture)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)

    assert "File too large" in expected_message(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_expected_error_is_found_below_others():
    error = DatasetError("while saving")
    error.__cause__ = DataError("what to do")

    assert expected_message(error) == "what to do"
    assert expected_message(ValueError("somewhere else")) is None

"""What a run leaves in MLflow's store, read by MLflow's own client; `make test-track` installs the extra for this."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

pytestmark = pytest.mark.slow

RunKedro = Callable[..., CompletedProcess[str]]
SMALL = "data_engineering.source.count=60,data_engineering.image_size=32"

needs_track = pytest.mark.skipif(
    importlib.util.find_spec("kedro_mlflow") is None,
    reason="the extra is not installed: pip install -c constraints.txt -e '.[track]', or make test-track",
)


def store(project: Path) -> Any:
    import mlflow

    return mlflow.MlflowClient(f"sqlite:///{project}/data/demo/08_reporting/mlflow/mlflow.db")


def runs(project: Path) -> list[Any]:
    """All runs, the oldest first."""
    client = store(project)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return client.search_runs(experiments, order_by=["attributes.start_time ASC"])


def run_python(code: str) -> CompletedProcess[str]:
    # MLflow reports nothing from CI or tests anyway; without these it would
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "PYTEST_CURRENT_TEST"}}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@needs_track
def test_mlflow_reports_to_nobody() -> None:
    process = run_python(
        "import celeba_vae.settings, mlflow; from mlflow.telemetry import get_telemetry_client;"
        " print(get_telemetry_client())"
    )
    assert process.stdout.strip() == "None", process.stderr


@needs_track
def test_a_run_leaves_parameters_metrics_and_pictures(project: Path, run_kedro: RunKedro) -> None:
    epochs = "training.epochs=2,variants.ae.epochs=1"
    process = run_kedro(project, "--env", "demo", "--params", f"{SMALL},{epochs}")
    assert process.returncode == 0, process.stderr
    assert "kedro mlflow ui --env demo" in process.stdout

    (run,) = runs(project)
    assert run.info.status == "FINISHED"
    given = {
        "data_engineering.source.name": "synthetic",
        "data_engineering.image_size": "32",
        "variants.vae.epochs": "2",
        "variants.vae.kl_weight": "8.0",
        "variants.vae.layers.batch_normalization_momentum": "0.9",
        "variants.ae.model": "ae",
        "hardware.precision": "float32",
        "evaluation.variants": "['ae', 'vae']",
    }
    assert {name: run.data.params.get(name) for name in given} == given

    client = store(project)
    models = project / "data" / "demo" / "06_models"
    for variant, count in (("vae", 2), ("ae", 1)):
        (file,) = (models / variant / "history.csv").glob("*/history.csv")
        history = pd.read_csv(file, index_col="epoch")
        assert len(history) == count
        for measure, values in history.items():
            series = client.get_metric_history(run.info.run_id, f"{variant}.history.{measure}")
            assert {point.step: point.value for point in series} == pytest.approx(values.to_dict())

    latest = project / "data" / "demo" / "08_reporting" / "latest"
    measures = json.loads((latest / "metrics.json").read_text())
    for variant in ("vae", "ae"):
        for group, measured in measures[variant].items():
            for measure, value in measured.items():
                logged = run.data.metrics.get(f"metrics.{variant}.{group}.{measure}")
                assert logged == (value if value is None else pytest.approx(value)), measure

    artifacts = Path(run.info.artifact_uri.removeprefix("file://"))
    assert artifacts.is_relative_to(project / "data" / "demo" / "08_reporting" / "mlflow")
    assert {artifact.path for artifact in client.list_artifacts(run.info.run_id)} == {
        path.name for path in latest.iterdir()
    }
    for path in latest.iterdir():
        assert (artifacts / path.name).read_bytes() == path.read_bytes()
    assert {path.name for path in project.iterdir()} <= {"conf", "data", "src", ".viz", "pyproject.toml", ".telemetry"}


@needs_track
def test_runs_of_one_process_are_runs_of_their_own(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    bootstrap_project(project)
    for size in (32, 48):
        parameters = {"data_engineering": {"source": {"count": 30}, "image_size": size}}
        with KedroSession.create(project_path=project, env="demo", runtime_params=parameters) as session:
            session.run(pipeline_names=["data_engineering"])
    assert [run.info.status for run in runs(project)] == ["FINISHED", "FINISHED"]
    assert [run.data.params["data_engineering.image_size"] for run in runs(project)] == ["32", "48"]
    assert not list(elsewhere.iterdir())


@needs_track
def test_a_run_that_fails_or_is_stopped_is_a_failed_run(project: Path, run_kedro: RunKedro) -> None:
    faulty = project / "data" / "demo" / "01_raw" / "faulty"
    faulty.mkdir(parents=True)
    (faulty / "one.jpg").write_bytes(b"not an image")
    source = "data_engineering.source.name=folder,data_engineering.source.folder=faulty"
    failed = run_kedro(project, "--env", "demo", "--pipelines", "data_engineering", "--params", source)
    output = failed.stdout + failed.stderr
    assert failed.returncode == 1
    assert "1 of 1 images can't be used" in output
    assert "Traceback" not in output

    command = ["run", "--env", "demo", "--pipelines", "data_engineering"]
    many = ["--params", "data_engineering.source.count=100000"]
    with subprocess.Popen(
        [sys.executable, "-m", "kedro", *command, *many],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout:
            if "collect_images" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 130, rest
    assert [run.info.status for run in runs(project)] == ["FAILED", "FAILED"]


@needs_track
def test_a_run_that_cannot_start_is_no_run(project: Path, run_kedro: RunKedro) -> None:
    process = run_kedro(project, "--env", "demo", "--pipelines", "evaluation")
    assert process.returncode == 1
    # the one message, without a word of MLflow's
    assert process.stderr.startswith("Error: This run starts from data that is not there")
    assert not process.stdout
    assert not runs(project)


@needs_track
def test_wrong_parameters_are_found_before_a_store_is_made(project: Path, run_kedro: RunKedro) -> None:
    process = run_kedro(project, "--env", "demo", "--params", "training.epochs=-1")
    assert process.returncode == 1
    assert "training.epochs" in process.stderr
    assert not list((project / "data").rglob("mlflow.db"))

"""What leaves this checkout: the image's files, the wheel, Airflow's DAG.

``make test-image`` builds and runs the image, ``make test-airflow`` lets Airflow run the DAG.
"""

import importlib.util
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import jinja2
import pytest
import yaml
from docker.utils import exclude_paths
from dockerfile_parse import DockerfileParser

from celeba_vae.pipeline_registry import register_pipelines

ROOT = Path(__file__).parents[1]
AIRFLOW = ROOT / ".venv-airflow" / "bin"
PIPELINES = ["data_engineering", "training", "generation", "evaluation"]
SMALL = "data_engineering.source.count=60,data_engineering.image_size=32"
SMALL_TRAINING = f"{SMALL},training.epochs=1,variants.ae.epochs=1,training.latent_dim=8"


def sent_to_docker(root: Path) -> set[str]:
    """The files that Docker may copy into the image, by its own reading of .dockerignore."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    return {path for path in exclude_paths(str(root), patterns) if (root / path).is_file()}


@pytest.fixture
def context(tmp_path):
    """What the image holds in its project folder, and nothing else."""
    root = tmp_path / "celeba-vae"
    for path in sent_to_docker(ROOT):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, root / path)
    return root


def dockerfile_steps() -> list[tuple[str, str]]:
    """Instruction and value of each step; variables as they stand there."""
    return [(line["instruction"], line["value"]) for line in DockerfileParser(str(ROOT / "Dockerfile")).structure]


def test_only_what_a_run_needs_enters_the_image(tmp_path):
    needed = {"conf/base/catalog.yml", "conf/local/.gitkeep", "src/celeba_vae/cli.py", "pyproject.toml"}
    needed |= {"constraints.txt", ".telemetry", "README.md", "LICENSE"}
    # read by Docker itself
    needed |= {"Dockerfile"}
    private = {
        "data/01_raw/celeba/img_align_celeba/000001.jpg",
        "data/06_models/vae/encoder.keras",
        "conf/local/parameters.yml",
        "conf/local/credentials.yml",
        "conf/base/credentials.yml",
        "conf/demo/cloud_credentials.yml",
    }
    useless = {".git/config", ".venv/bin/python", ".venv-airflow/bin/python", "tests/test_cli.py", "notebooks/a.ipynb"}
    useless |= {"src/celeba_vae/__pycache__/cli.cpython-313.pyc", "src/celeba_vae.egg-info/PKG-INFO", "dist/a.whl"}
    for path in needed | private | useless:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()

    assert sent_to_docker(tmp_path) == needed


@pytest.mark.slow
def test_kedro_docker_builds_and_runs_by_this_dockerfile(project, context, run_kedro_process):
    # there is no Docker here; what it is asked to do
    commands = project / "bin" / "docker"
    commands.parent.mkdir()
    commands.write_text('#!/bin/sh\necho "$@" >> "$0.log"\necho 6bb0c7043d67\n')
    commands.chmod(0o755)
    path = {"PATH": f"{commands.parent}:{os.environ['PATH']}"}
    shutil.copy(ROOT / ".dockerignore", context)
    before = {name: (context / name).read_bytes() for name in ("Dockerfile", ".dockerignore")}

    results = [
        run_kedro_process(context, "build", "--uid", "1234", "--gid", "1235", command="docker", environment=path),
        run_kedro_process(context, "run", "--env", "demo", command="docker", environment=path),
    ]
    assert [result.returncode for result in results] == [0, 0], results

    (build,) = re.findall(r"^build .*", (commands.parent / "docker.log").read_text(), re.MULTILINE)
    (run,) = re.findall(r"^run .*", (commands.parent / "docker.log").read_text(), re.MULTILINE)
    assert {name: (context / name).read_bytes() for name in before} == before
    # each argument is one that the Dockerfile has
    arguments = dict(argument.split("=") for argument in re.findall(r"--build-arg (\S+)", build))
    declared = {value.partition("=")[0] for instruction, value in dockerfile_steps() if instruction == "ARG"}
    assert arguments.keys() < declared
    assert (arguments["KEDRO_UID"], arguments["KEDRO_GID"]) == ("1234", "1235")
    # data and own settings lie where a run looks for them
    (folder,) = (value for instruction, value in dockerfile_steps() if instruction == "WORKDIR")
    for mounted in ("data", "conf/local"):
        assert f"-v {context}/{mounted}:{folder}/{mounted} " in run
    assert run.endswith(f" {context.name} kedro run --env demo")


def test_what_enters_the_image_is_enough_to_install_and_run(context, install_apart, run_kedro_process):
    # as the Dockerfile's last steps
    python = install_apart("--editable", context)

    result = run_kedro_process(
        context, "--env", "demo", "--pipelines", "data_engineering", "--params", SMALL, python=python
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert (context / "data/demo/05_model_input/train_images.npy").is_file()
    assert "usage data" not in result.stdout


def test_the_wheel_runs_with_packaged_settings_and_the_data_of_its_folder(
    context, install_apart, run_kedro_process, tmp_path
):
    result = run_kedro_process(context, command="package")
    assert result.returncode == 0, result.stdout + result.stderr
    python = install_apart(*context.glob("dist/*.whl"))
    (archive,) = context.glob("dist/conf-*.tar.gz")
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "DO_NOT_TRACK"}}
    folder = tmp_path / "deployed"
    folder.mkdir()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [python, "-m", "celeba_vae", *arguments, "--pipelines", "data_engineering"]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    process = run(f"--conf-source={archive}")
    assert process.returncode == 1
    assert process.stderr.startswith(f"Error: No CelebA images in {folder}/data/01_raw/celeba.")
    # nothing is sent to anybody
    assert "usage data" not in process.stdout

    shutil.unpack_archive(archive, folder)
    process = run("--env", "demo", "--params", SMALL)
    assert process.returncode == 0, process.stdout + process.stderr
    assert (folder / "data/demo/05_model_input/train_images.npy").is_file()
    # by conf/logging.yml: plain lines
    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO    collect_images \(1 of 6\)", process.stdout.splitlines()[0])
    assert "WARNING" not in process.stdout


@pytest.fixture
def create_dag(project, run_kedro_process, tmp_path):
    """``create_dag(*arguments)`` is ``kedro airflow create`` as the README has it; gives the file."""

    def create(*arguments: str) -> Path:
        result = run_kedro_process(
            project,
            "create",
            "--jinja-file",
            str(ROOT / "deploy/airflow_dag.j2"),
            "--target-dir",
            str(tmp_path / "dags"),
            "--params",
            f"project_path={project},python={sys.executable}",
            *arguments,
            command="airflow",
        )
        assert result.returncode == 0, result.stdout + result.stderr
        (file,) = (tmp_path / "dags").glob("*.py")
        return file

    return create


@pytest.fixture
def import_dag(monkeypatch):
    """``import_dag(file)`` imports a DAG where there is no Airflow, and gives what it tells it."""

    def load(file: Path) -> SimpleNamespace:
        told = SimpleNamespace(order=[])

        class Dag:
            def __init__(self, **options):
                told.options = options

            def __enter__(self):
                return self

            def __exit__(self, *error):
                pass

        modules = {
            "airflow.sdk": {
                "DAG": Dag,
                "Param": lambda default, **schema: SimpleNamespace(default=default, **schema),
                "chain": lambda *tasks: told.order.extend(tasks),
            },
            "airflow.providers.standard.operators.bash": {"BashOperator": SimpleNamespace},
        }
        for name, attributes in modules.items():
            module = ModuleType(name)
            vars(module).update(attributes)
            parts = name.split(".")
            for i in range(1, len(parts)):
                monkeypatch.setitem(sys.modules, ".".join(parts[:i]), ModuleType(parts[i - 1]))
            monkeypatch.setitem(sys.modules, name, module)
        specification = importlib.util.spec_from_file_location("dag", file)
        specification.loader.exec_module(importlib.util.module_from_spec(specification))
        return told

    return load


def run_task(task: SimpleNamespace, **params: str) -> subprocess.CompletedProcess[str]:
    """Run a task as Airflow's BashOperator does, its templates filled in."""
    environment = {name: jinja2.Template(text).render(params=params) for name, text in task.env.items()}
    return subprocess.run(
        ["bash", "-c", jinja2.Template(task.bash_command).render(params=params)],
        cwd=task.cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_dag_has_a_task_for_each_pipeline_that_runs_it_in_the_environment_asked_for(
    project, create_dag, import_dag
):
    told = import_dag(create_dag())

    assert told.options["dag_id"] == "celeba_vae"
    assert told.options["schedule"] is None
    assert {name: param.default for name, param in told.options["params"].items()} == {"env": "local", "params": ""}
    assert [task.task_id for task in told.order] == PIPELINES

    data_engineering = told.order[0]
    process = run_task(data_engineering, env="demo", params=SMALL)
    assert process.returncode == 0, process.stdout + process.stderr
    assert (project / "data/demo/05_model_input/train_images.npy").is_file()

    # what a person enters is no shell command
    process = run_task(data_engineering, env="demo", params='a=$(touch entered)`touch entered`"; touch entered; "')
    assert process.returncode == 1
    assert process.stderr.startswith("Error: --params a: unknown name")
    assert not list(project.glob("**/entered"))


@pytest.mark.slow
def test_another_pipeline_environment_and_configuration_have_a_dag_of_their_own(create_dag, import_dag):
    told = import_dag(create_dag("--pipelines", "experiments", "--env", "demo", "--conf-source", "/conf it's.tar.gz"))

    assert told.options["dag_id"] == "celeba_vae_demo_experiments"
    assert told.options["params"]["env"].default == "demo"
    (task,) = told.order
    assert task.task_id == "experiments"
    words = shlex.split(task.bash_command)
    assert words[words.index("--conf-source") + 1] == "$CONF_SOURCE"
    assert task.env["CONF_SOURCE"] == "/conf it's.tar.gz"


def test_the_dags_tasks_are_kedro_run_in_an_order_that_works():
    settings = yaml.safe_load((ROOT / "conf/base/airflow.yml").read_text())
    registered = register_pipelines()
    tasks = [registered[name] for name in settings["default"]["tasks"]]

    assert set().union(*(task.nodes for task in tasks)) == set(registered["__default__"].nodes)
    for i, task in enumerate(tasks):
        for later in tasks[i + 1 :]:
            assert not task.inputs() & later.all_outputs()


@pytest.mark.airflow
def test_airflow_runs_each_pipeline_once(project, create_dag, tmp_path):
    file = create_dag()
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(file.parent),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }

    def run(*command: str | Path) -> str:
        process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    code = """
import json, sys
from airflow.dag_processing.dagbag import DagBag

bag = DagBag(sys.argv[1])
(dag,) = bag.dags.values()
tasks = {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}
print(json.dumps([bag.import_errors, dag.dag_id, tasks]))
"""
    run(AIRFLOW / "airflow", "db", "migrate")
    errors, dag_id, tasks = json.loads(run(AIRFLOW / "python", "-c", code, file.parent).splitlines()[-1])
    assert errors == {}
    assert dag_id == "celeba_vae"
    assert tasks == {
        "data_engineering": ["training"],
        "training": ["generation"],
        "generation": ["evaluation"],
        "evaluation": [],
    }

    run(AIRFLOW / "airflow", "dags", "test", dag_id, "--conf", json.dumps({"env": "demo", "params": SMALL_TRAINING}))
    with sqlite3.connect(tmp_path / "airflow" / "airflow.db") as database:
        states = database.execute("SELECT task_id, state FROM task_instance ORDER BY start_date").fetchall()
    assert states == [(name, "success") for name in PIPELINES]
    assert (project / "data/demo/08_reporting/latest/report.html").is_file()


@pytest.mark.image
def test_the_image_trains_as_its_caller_in_the_mounted_data_folder(context, run_kedro_process):
    shutil.copy(ROOT / ".dockerignore", context)
    (context / "data").mkdir()
    options = {"command": "docker", "timeout": 1800}

    result = run_kedro_process(context, "build", "--image", "celeba-vae-test", **options)
    assert result.returncode == 0, result.stdout + result.stderr
    arguments = ["--env", "demo", "--pipelines", "data_engineering,training", "--params", SMALL_TRAINING]
    result = run_kedro_process(context, "run", "--image", "celeba-vae-test", *arguments, **options)
    assert result.returncode == 0, result.stdout + result.stderr

    model = context / "data/demo/06_models/vae/encoder.keras"
    assert model.stat().st_uid == os.getuid()


@pytest.mark.image
def test_changed_source_and_another_caller_do_not_install_the_dependencies_again(context, run_kedro_process):
    shutil.copy(ROOT / ".dockerignore", context)
    for user in ("1000", "1001"):
        with (context / "src/celeba_vae/cli.py").open("a") as file:
            file.write(f"# {user}\n")
        options = ["build", "--image", "celeba-vae-test", "--uid", user]
        result = run_kedro_process(context, *options, command="docker", timeout=1800)
        assert result.returncode == 0, result.stdout + result.stderr

    # the project itself is installed again, as the list of what was installed says; nothing else is
    output = result.stdout + result.stderr
    assert "+ celeba-vae==" in output
    assert "+ tensorflow==" not in output

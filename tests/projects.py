"""Projects to run in, and ``kedro run`` as a user gives it: in this process, or in one of its own."""

import io
import logging
import os
import shutil
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess, run
from unittest.mock import patch

import yaml
from kedro.framework.project import LOGGING, configure_project

from celeba_vae.cli import cli

ROOT = Path(__file__).parents[1]
DATA_FOLDERS = ("01_raw", "02_intermediate", "05_model_input", "06_models", "07_model_output", "08_reporting")
# lines are not wrapped, and nobody is told of what tests do
SETTINGS = {"COLUMNS": "1000", "DO_NOT_TRACK": "1"}

# Kedro takes the logging.yml of the folder in which it is imported. Not again for each run, since whoever configures
# logging closes all handlers, and TensorFlow's would close pytest's standard error
LOGGING.configure(yaml.safe_load((ROOT / "conf" / "logging.yml").read_text()))
(CONSOLE,) = logging.getLogger().handlers


def new_project(root: Path) -> Path:
    """Make a project root: this checkout's conf and pyproject.toml, empty data folders, the installed package."""
    shutil.copytree(ROOT / "conf", root / "conf", ignore=shutil.ignore_patterns("local"))
    (root / "conf" / "local").mkdir()
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, root / name)
    # Kedro asks for the source folder that pyproject.toml names; the package itself is imported as installed
    (root / "src").mkdir()
    for name in DATA_FOLDERS:
        (root / "data" / name).mkdir(parents=True)
    return root


def run_in_a_process(
    project: Path,
    *arguments: str,
    command: str = "run",
    environment: Mapping[str, str] | None = None,
    python: str | Path = sys.executable,
    timeout: float = 300,
) -> CompletedProcess[str]:
    """Run ``kedro <command> *arguments`` in a process of its own, see the fixture ``run_kedro_process``."""
    return run(
        [python, "-m", "kedro", command, *arguments],
        cwd=project,
        env={**os.environ, **SETTINGS, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_here(project: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> CompletedProcess[str]:
    """Run ``kedro run *arguments`` in this process, see the fixture ``run_kedro``."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        _as_in_a_process(project, environment or {}),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
        _logging(),
        _warnings(),
    ):
        code = _exit_code(["run", *arguments])
    return CompletedProcess(["kedro", "run", *arguments], code, stdout.getvalue(), stderr.getvalue())


# once is enough, and takes as long as most runs that end in a message
_configure = cache(configure_project)


def _exit_code(command: list[str]) -> int:
    """Give the command; an exception ends as it does in a process: by its traceback."""
    _configure("celeba_vae")
    try:
        cli(command, prog_name="kedro")
    except SystemExit as end:
        return int(end.code or 0)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


@contextmanager
def _as_in_a_process(project: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Begin as a new process does, and leave nothing behind but loaded modules: TensorFlow starts once only."""
    folder = Path.cwd()
    with patch.dict(os.environ, {**SETTINGS, **environment}), patch.object(sys, "path", sys.path.copy()):
        os.chdir(project)
        try:
            yield
        finally:
            os.chdir(folder)
            if keras := sys.modules.get("keras"):
                # the names of layers count on from model to model
                keras.utils.clear_session()


@contextmanager
def _logging() -> Iterator[None]:
    """Log nowhere but to what is standard output now."""
    root = logging.getLogger()
    handlers, stream = root.handlers.copy(), CONSOLE.stream
    root.handlers[:] = [CONSOLE]
    CONSOLE.setStream(sys.stdout)
    try:
        yield
    finally:
        CONSOLE.setStream(stream)
        root.handlers[:] = handlers
        # the command has them logged
        logging.captureWarnings(False)


@contextmanager
def _warnings() -> Iterator[None]:
    """Show the warnings that Python shows where nothing else is asked for; pytest shows all."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        yield

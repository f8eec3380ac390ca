"""``kedro run`` as Kedro has it, but an expected error ends in one message instead of 200 lines of traceback."""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import CONTEXT_SETTINGS
from kedro.framework.project import pipelines
from kedro.io import DatasetError, DatasetNotFoundError
from kedro.io.core import VersionNotFoundError
from kedro.pipeline import Pipeline
from kedro.utils import load_obj
from kedro.validation.exceptions import DataValidationError, ParameterValidationError

from celeba_vae.config.wording import in_environment, nearest_of
from celeba_vae.errors import CelebaVaeError
from celeba_vae.storage.store_errors import failure, is_failure, missing_package

_EXPECTED = (
    CelebaVaeError,
    ParameterValidationError,
    DataValidationError,
    DatasetNotFoundError,
    VersionNotFoundError,
    MissingConfigException,
)
INTERRUPTED = 130


@click.group(name="celeba-vae", context_settings=CONTEXT_SETTINGS)
def cli() -> None:
    """Commands of this project."""


@cli.command(
    params=[
        *kedro_run.params,
        click.Option(["--traceback"], is_flag=True, help="Show the full traceback of an expected error, too."),
    ]
)
def run(traceback: bool, **options: Any) -> None:
    """Run the pipeline."""
    logging.captureWarnings(True)
    environment = options["env"] or os.environ.get("KEDRO_ENV") or "base"
    context = click.get_current_context()
    if traceback:
        context.invoke(kedro_run, **options)
        return
    filters = [_DuplicateFilter(), _EnvironmentFilter(environment)]
    handlers = logging.getLogger().handlers
    for handler, each in product(handlers, filters):
        handler.addFilter(each)
    try:
        _check_runner(options["runner"])
        context.invoke(kedro_run, **options)
    except KeyboardInterrupt:
        click.echo("Stopped. The same command goes on where it can.", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        message = expected_message(error)
        if message is None and isinstance(error, ValueError):
            message = _unknown_name(options, environment)
        if message is None:
            raise
        raise click.ClickException(in_environment(message, environment)) from error
    finally:
        for handler, each in product(handlers, filters):
            handler.removeFilter(each)


def expected_message(error: BaseException) -> str | None:
    """Give the message for an error that a user can act on, wherever it is in the chain; None for any other (a bug)."""
    chain = list(_chain(error))
    if message := missing_package(error):
        return message
    if expected := next((link for link in chain if isinstance(link, _EXPECTED)), None):
        return str(expected).strip()
    if not isinstance(error, DatasetError):
        return None
    if of_a_store := next((link for link in chain if isinstance(link, Exception) and is_failure(link)), None):
        return str(failure("A remote file system", of_a_store))
    reason = next((link for link in chain if not isinstance(link, DatasetError)), None)
    return str(error) if isinstance(reason, OSError) else None


def _check_runner(name: str | None) -> None:
    try:
        load_obj(name or "SequentialRunner", "kedro.runner")
    except (ImportError, AttributeError, ValueError) as error:
        raise click.ClickException(f"--runner {name}: {error}") from error


def _unknown_name(options: Mapping[str, Any], environment: str) -> str | None:
    """Say which pipeline, namespace, node, tag or dataset the command names that is not there; None where all are.

    Kedro, which finds them once the settings are read, raises a ValueError as any other.
    """
    names = options["pipelines"] or [options["pipeline"] or "__default__"]
    for name in names:
        if name not in pipelines:
            nearest = nearest_of(name, list(pipelines))
            return f"There is no pipeline '{name}'; {nearest}\nPipelines: {', '.join(pipelines)}."
    filters = ("tags", "from_nodes", "to_nodes", "node_names", "from_inputs", "to_outputs")
    try:
        sum((pipelines[name] for name in names), Pipeline([])).filter(
            **{name: options[name] for name in filters}, node_namespaces=options["namespaces"]
        )
    except ValueError as error:
        return f"{error}{_known_variants(environment) if options['namespaces'] else ''}"
    return None


def _known_variants(environment: str) -> str:
    every = dict.fromkeys(node.namespace for node in pipelines["variants"].nodes)
    known = f"\nVariants: {', '.join(every)} (with --pipelines variants those that training.variants leaves out)."
    if environment in ("base", "local"):
        return known
    return (
        f"{known}\nWith the environment {environment}, conf/base and conf/{environment} are read, conf/local is not: a"
        f" variant of your own must stand in conf/{environment}."
    )


class _DuplicateFilter(logging.Filter):
    """Drops what Kedro logs on the way of an expected error, which is printed once at the end."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = sys.exception()
        return error is None or not record.name.startswith("kedro.") or expected_message(error) is None


class _EnvironmentFilter(logging.Filter):
    """Has the commands in what this project logs name the environment of the run."""

    def __init__(self, environment: str) -> None:
        super().__init__()
        self._environment = environment

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("celeba_vae."):
            record.msg, record.args = in_environment(record.getMessage(), self._environment), ()
        return True


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)

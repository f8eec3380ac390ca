"""``kedro run`` as Kedro has it, but an expected error ends in one message instead of 200 lines of traceback."""

import logging
import os
import sys
from collections.abc import Mapping
from functools import partial
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

from celeba_vae.config.wording import DEFAULT_ENVIRONMENTS, in_environment, nearest_of
from celeba_vae.errors import CelebaVaeError, chain_of
from celeba_vae.storage.places import failure, is_failure, missing_package

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
    log_filter = partial(_filter_log, environment)
    for handler in logging.getLogger().handlers:
        handler.addFilter(log_filter)
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
        for handler in logging.getLogger().handlers:
            handler.removeFilter(log_filter)


def expected_message(error: BaseException) -> str | None:
    """Give the message for an error that a user can act on, wherever it is in the chain; None for any other (a bug)."""
    chain = list(chain_of(error))
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
    if environment in DEFAULT_ENVIRONMENTS:
        return known
    return (
        f"{known}\nWith the environment {environment}, conf/base and conf/{environment} are read, conf/local is not: a"
        f" variant of your own must stand in conf/{environment}."
    )


def _filter_log(environment: str, record: logging.LogRecord) -> bool:
    """Let commands in our records name the environment; drop what Kedro logs of an expected error, which comes last."""
    if record.name.startswith("celeba_vae."):
        record.msg = in_environment(record.getMessage(), environment)
        record.args = ()
    error = sys.exception()
    return error is None or not record.name.startswith("kedro.") or expected_message(error) is None

"""``kedro run`` as Kedro has it, but an expected error ends in one message instead of 200 lines of traceback."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import click
import omegaconf.errors
import yaml
from kedro.config import BadConfigException, MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import CONTEXT_SETTINGS
from kedro.framework.project import pipelines
from kedro.io import DatasetError, DatasetNotFoundError
from kedro.io.core import VersionNotFoundError
from kedro.validation.exceptions import DataValidationError, ParameterValidationError

from celeba_vae.config.wording import in_environment
from celeba_vae.errors import CelebaVaeError
from celeba_vae.storage import failure, is_failure, missing_package

_EXPECTED = (
    CelebaVaeError,
    ParameterValidationError,
    DataValidationError,
    DatasetNotFoundError,
    VersionNotFoundError,
    MissingConfigException,
    BadConfigException,
    omegaconf.errors.OmegaConfBaseException,
    yaml.YAMLError,
)
# where Kedro looks up what the command line names: pipelines, namespaces, nodes, tags, runners, environments
_LOOK_UPS = ("kedro.framework", "kedro.pipeline.pipeline", "kedro.config", "kedro.utils", "kedro.io.data_catalog")

# a file that is there but can't be parsed, in Kedro's words
_UNREADABLE = "Failed while loading"
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
    if traceback:
        kedro_run.callback(**options)
        return
    environment = _environment() or "base"
    filters = [_DuplicateFilter(), _EnvironmentFilter(environment)]
    handlers = logging.getLogger().handlers
    for handler, each in product(handlers, filters):
        handler.addFilter(each)
    try:
        kedro_run.callback(**options)
    except KeyboardInterrupt:
        click.echo("Stopped. The same command goes on where it can.", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        message = expected_message(error)
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
    for link in chain:
        if isinstance(link, CelebaVaeError):
            return str(link)
        if isinstance(link, _EXPECTED) or _is_failed_look_up(link):
            return f"{str(link).strip()}{_known(str(link))}"
    if isinstance(error, DatasetError) and (link := next(filter(is_failure, chain), None)):
        return str(failure("A remote file system", link))
    reason = next((link for link in chain if not isinstance(link, DatasetError)), None)
    if isinstance(error, DatasetError) and (isinstance(reason, OSError) or str(error).startswith(_UNREADABLE)):
        return str(error)
    return None


def _known(message: str) -> str:
    """List what the command line could have named, where Kedro does not."""
    if match := re.search(r"not a valid directory: (.+)$", message):
        folder = Path(match[1])
        if folder.name == "local":
            return f"\nIt may be empty: mkdir {folder}"
        return f"\nEnvironments: {', '.join(sorted(path.name for path in folder.parent.glob('*/')))}."
    if "pipeline named" in message:
        return f"\nPipelines: {', '.join(pipelines)}."
    if "the following namespaces" in message:
        every = dict.fromkeys(node.namespace for node in pipelines["variants"].nodes)
        known = f"\nVariants: {', '.join(every)} (with --pipelines variants those that training.variants leaves out)."
        return known + _where_variants_are(_environment())
    return ""


def _environment() -> str | None:
    """Give the environment that the command names, by --env or by KEDRO_ENV."""
    context = click.get_current_context(silent=True)
    return (context and context.params.get("env")) or os.environ.get("KEDRO_ENV")


def _where_variants_are(env: str | None) -> str:
    if env in (None, "local"):
        return ""
    return (
        f"\nWith the environment {env}, conf/base and conf/{env} are read, conf/local is not: a variant of your own"
        f" must stand in conf/{env}."
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


def _is_failed_look_up(error: BaseException) -> bool:
    traceback = error.__traceback__
    if not isinstance(error, ValueError | AttributeError | ImportError) or traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_globals.get("__name__", "").startswith(_LOOK_UPS)

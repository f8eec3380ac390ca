"""Logs runs to MLflow where the extra ``track`` is installed: what kedro-mlflow, set up in mlflow.yml, leaves to do."""

import atexit
import importlib
import importlib.util
import logging
import os
import re
import tempfile
import warnings
from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from pydantic import BaseModel

from celeba_vae.hooks.peer_hooks import is_helper
from celeba_vae.hooks.summary_hooks import REPORTING_FOLDER, saved_path
from celeba_vae.storage import readable

logger = logging.getLogger(__name__)

# a sampler's options stand in its name
_NOT_IN_NAMES = re.compile(r"[^\w\-. :/]")
_SQLITE = "sqlite:///"


def tracking_hooks() -> tuple["TrackingHooks", ...]:
    """Give the hooks where kedro-mlflow is installed, none where it is not."""
    if importlib.util.find_spec("kedro_mlflow") is None:
        return ()
    # read when MLflow is imported: without it MLflow reports its use to its makers
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # Kedro imports it in every command; this way its warning about a class of its own is not printed each time
    with warnings.catch_warnings(record=True):
        importlib.import_module("kedro_mlflow.framework.hooks")
    return (TrackingHooks(),)


class TrackingHooks:
    """Prepares store and parameters for kedro-mlflow's own hooks; logs histories, metrics, and pictures and reports.

    A variant's history becomes series over the epochs. A metric is named by its dataset and its key:
    ``vae.history.total_loss``, ``metrics.vae.test.psnr``.
    """

    def __init__(self) -> None:
        self._run_id: str | None = None
        self._discarded: tempfile.TemporaryDirectory[str] | None = None

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Let a relative path to an SQLite file start at the project, as kedro-mlflow does for other paths."""
        self._end_unfinished_run()
        try:
            settings = context.config_loader["mlflow"]
        except MissingConfigException:
            return
        if is_helper(context.config_loader["parameters"]):
            # the chief logs the run
            self._discarded = tempfile.TemporaryDirectory(prefix="celeba_vae_")
            settings = {**settings, "server": {"mlflow_tracking_uri": f"{_SQLITE}{self._discarded.name}/mlflow.db"}}
        server = settings.get("server") or {}
        uri = server.get("mlflow_tracking_uri") or ""
        if uri.startswith(_SQLITE):
            path = Path(context.project_path) / uri.removeprefix(_SQLITE)
            path.parent.mkdir(parents=True, exist_ok=True)
            server = {**server, "mlflow_tracking_uri": f"{_SQLITE}{path}"}
            context.config_loader["mlflow"] = {**settings, "server": server}

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], catalog: CatalogProtocol) -> None:
        """Take up the run that kedro-mlflow has begun, if it has, and say how it can be looked at."""
        import mlflow

        run = mlflow.active_run()
        self._run_id = run.info.run_id if run else None
        self._catalog = catalog
        if run:
            # runs before MLflow's own handler, which would call the run finished
            atexit.register(self._end_unfinished_run)
            if self._discarded:
                return
            environment = f" --env {run_params['env']}" if run_params.get("env") else ""
            logger.info("MLflow logs this run as %s; to look at it: kedro mlflow ui%s", run.info.run_name, environment)

    @hook_impl(tryfirst=True)
    def before_node_run(self, inputs: dict[str, Any]) -> None:
        """Give kedro-mlflow parameters that it can look into and log, in the hooks' own copy of a node's inputs."""
        for name, value in inputs.items():
            if isinstance(value, BaseModel):
                inputs[name] = value.model_dump(mode="json")

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log what was saved, if runs can be compared by it."""
        if self._run_id is None:
            return
        import mlflow

        if dataset_name.endswith(".history"):
            for epoch, row in data.set_index("epoch").iterrows():
                metrics = {f"{dataset_name}.{measure}": value for measure, value in row.dropna().items()}
                mlflow.log_metrics(metrics, step=int(epoch), run_id=self._run_id)
        elif dataset_name in ("metrics", "experiments_metrics"):
            metrics = {
                _NOT_IN_NAMES.sub(":", f"{dataset_name}.{variant}.{group}.{measure}"): value
                for variant, groups in data.items()
                for group, measures in groups.items()
                for measure, value in measures.items()
                if value is not None
            }
            mlflow.log_metrics(metrics, run_id=self._run_id)
        path = saved_path(self._catalog[dataset_name])
        if path and path.is_file() and REPORTING_FOLDER in path.parts:
            with readable(path) as file:
                mlflow.log_artifact(str(file), run_id=self._run_id)

    def _end_unfinished_run(self) -> None:
        """Mark the run as failed where neither its end nor an error in a node has ended it: by Ctrl-C, for instance."""
        import mlflow

        run = mlflow.active_run()
        if run and run.info.run_id == self._run_id:
            mlflow.end_run("FAILED")

"""A record of the run, for its report: when, with what, and on what it runs."""

import importlib.metadata
import platform
from datetime import datetime
from functools import cached_property
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import AbstractDataset, AbstractVersionedDataset, CatalogProtocol, DatasetError
from kedro.pipeline import Pipeline

from celeba_vae.config import HardwareConfig
from celeba_vae.training.hardware import describe_hardware

RUN_RECORD = "run_record"
PACKAGES = ("celeba-vae", "tensorflow", "keras", "kedro", "numpy")


class RunRecordHooks:
    """Puts a record of the run into the catalog where a node reads one."""

    # the checks, called first but for this, find it there
    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Put it there; it is made when it is read, as TensorFlow is not loaded yet."""
        if RUN_RECORD in pipeline.inputs():
            catalog[RUN_RECORD] = RunRecord(run_params, pipeline, catalog)


class RunRecord(AbstractDataset[None, dict[str, Any]]):
    """The record of a run: time, pipelines, options, hardware, and the versions of what is read and made."""

    def __init__(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        self._started = datetime.now().astimezone()
        self._run_params = run_params
        self._pipeline = pipeline
        self._run_catalog = catalog

    def load(self) -> dict[str, Any]:
        """Give the record."""
        return self._record

    @cached_property
    def _record(self) -> dict[str, Any]:
        run = self._run_params
        return {
            "started": self._started.isoformat(" ", "seconds"),
            "run": run.get("run_id") or run.get("session_id") or "",
            "pipelines": list(run.get("pipeline_names") or ["__default__"]),
            "environment": run.get("env") or "base",
            "options": dict(run.get("runtime_params") or {}),
            "hardware": describe_hardware(HardwareConfig.model_validate(self._run_catalog["params:hardware"].load())),
            "python": platform.python_version(),
            "packages": {package: importlib.metadata.version(package) for package in PACKAGES},
            "versions": self._versions(),
        }

    def save(self, data: None) -> None:
        """Refuse: what ran can't be changed."""
        raise DatasetError("The record of a run is read only.")

    def _versions(self) -> dict[str, str | None]:
        made = self._pipeline.all_outputs()
        versioned = {name: self._run_catalog.get(name) for name in sorted(self._pipeline.datasets())}
        return {
            name: dataset.resolve_save_version() if name in made else dataset.resolve_load_version()
            for name, dataset in versioned.items()
            if isinstance(dataset, AbstractVersionedDataset) and dataset._version
            # what is optional may be missing
            if name in made or dataset.exists()
        }

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"started": self._started.isoformat()}

"""Tells the report what the run is about: when, with which options, hardware and versions."""

import importlib.metadata
import platform
from datetime import datetime
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import AbstractVersionedDataset, CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline

from celeba_vae.config import HardwareConfig
from celeba_vae.training.machine import describe_hardware

RUN_RECORD = "run_record"
PACKAGES = ("celeba-vae", "tensorflow", "keras", "kedro", "numpy")


class RunRecordHooks:
    """Puts a record of the run into the catalog where a node reads one."""

    @hook_impl(trylast=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Make the record: time, pipelines, options, hardware, and the versions of what is read and made."""
        if RUN_RECORD not in pipeline.inputs():
            return
        made = pipeline.all_outputs()
        hardware = HardwareConfig.model_validate(catalog["params:hardware"].load())
        versioned = {name: catalog.get(name) for name in sorted(pipeline.datasets())}
        catalog[RUN_RECORD] = MemoryDataset(
            {
                "started": datetime.now().astimezone().isoformat(" ", "seconds"),
                "run": run_params.get("run_id") or run_params.get("session_id") or "",
                "pipelines": list(run_params.get("pipeline_names") or ["__default__"]),
                "environment": run_params.get("env") or "base",
                "options": dict(run_params.get("runtime_params") or {}),
                "hardware": describe_hardware(hardware),
                "python": platform.python_version(),
                "packages": {package: importlib.metadata.version(package) for package in PACKAGES},
                "versions": {
                    name: dataset.resolve_save_version() if name in made else dataset.resolve_load_version()
                    for name, dataset in versioned.items()
                    if isinstance(dataset, AbstractVersionedDataset) and dataset._version
                    # what is optional may be missing
                    if name in made or dataset.exists()
                },
            }
        )

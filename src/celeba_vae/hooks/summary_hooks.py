"""Says what runs, what was made and where, also to the report; keeps the newest pictures and reports in one folder."""

import importlib.metadata
import logging
import platform
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import AbstractDataset, AbstractVersionedDataset, CatalogProtocol, DatasetError
from kedro.pipeline import Node, Pipeline

from celeba_vae.config import HardwareConfig
from celeba_vae.config.wording import duration
from celeba_vae.datasets import place_of
from celeba_vae.storage import Place, copy
from celeba_vae.training.hardware import describe_hardware

logger = logging.getLogger(__name__)

REPORTING_FOLDER = "08_reporting"
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
        """Make the record."""
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


class RunSummaryHooks:
    """Collects each saved dataset's path; copies what lies under ``08_reporting`` to ``08_reporting/latest``."""

    def __init__(self) -> None:
        # stays so in the worker processes of a ParallelRunner, which may be started without the run's state
        self._catalog: CatalogProtocol | None = None
        self._positions: dict[str, int] = {}

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Start a new list."""
        self._catalog = catalog
        self._positions = {node.name: i for i, node in enumerate(pipeline.nodes, 1)}
        self._started = time.monotonic()
        self._made: dict[str, Place] = {}
        self._latest: Place | None = None

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Say which node runs."""
        position = self._positions.get(node.name)
        logger.info("%s%s", node.name, f" ({position} of {len(self._positions)})" if position else "")

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Remember the dataset and, where it is a report, copy it at once: a long run may end early."""
        dataset: Any = self._catalog[dataset_name] if self._catalog else None
        path = saved_path(dataset)
        if path is None:
            return
        self._made[dataset_name] = path
        self._latest = publish(path, place_of(dataset, dataset._filepath)) or self._latest

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Log the summary; its last line is the folder of the pictures."""
        project = Path(run_params["project_path"])
        lines = [f"Finished in {duration(time.monotonic() - self._started)}."]
        if self._made:
            lines[0] += " Made:"
            width = max(map(len, self._made))
            lines += [f"  {name:{width}}  {_relative(path, project)}" for name, path in self._made.items()]
        if self._latest:
            lines.append(f"Pictures and reports: {_relative(self._latest, project)}")
        logger.info("\n".join(lines))


def saved_path(dataset: Any) -> Place | None:
    """Give the file or folder that a dataset was just saved to; None for one that is saved to none."""
    if not hasattr(dataset, "_filepath"):
        return None
    base = place_of(dataset, dataset._filepath)
    if isinstance(dataset, AbstractVersionedDataset) and (version := dataset.resolve_save_version()):
        base = base / version / base.name
    return base if base.exists() else None


def publish(path: Place, base: Place) -> Place | None:
    """Copy a report to the folder of the newest reports and give that folder; None where ``path`` is no report.

    ``base`` is the dataset's path without version: folders between it and ``08_reporting`` become part of the name.
    """
    reporting = next((parent for parent in base.parents if parent.name == REPORTING_FOLDER), None)
    if reporting is None or not path.is_file():
        return None
    latest = reporting / "latest"
    copy(path, latest / "_".join(base.parts[len(reporting.parts) :]))
    return latest


def _relative(path: Place, project: Path) -> Place:
    return path.relative_to(project) if isinstance(path, Path) and path.is_relative_to(project) else path

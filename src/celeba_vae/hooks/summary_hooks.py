"""Says what runs, what was made and where; keeps the newest pictures and reports in one folder."""

import logging
import time
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import AbstractVersionedDataset, CatalogProtocol
from kedro.pipeline import Node, Pipeline

from celeba_vae.config.wording import duration
from celeba_vae.datasets import place_of
from celeba_vae.storage import Place, copy

logger = logging.getLogger(__name__)

REPORTING_FOLDER = "08_reporting"


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

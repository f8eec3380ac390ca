"""What changed from one evaluation to another."""

import json
import logging
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from celeba_vae.config import EvaluationConfig
from celeba_vae.errors import DataError
from celeba_vae.metrics.differences import differences
from celeba_vae.metrics.measures import Measure
from celeba_vae.pipelines.evaluation.comparison import measure_groups
from celeba_vae.reporting import Report, Section, differences_table, render_report

logger = logging.getLogger(__name__)


def compare_versions(metrics_versions: Path, parameters: EvaluationConfig) -> tuple[pd.DataFrame, str]:
    """Compare two versions of metrics.json: ``evaluation.compared_versions``, by default the newest two.

    Args:
        metrics_versions: Folder of the versions.
        parameters: Which are compared, and what the measures are called.

    Returns:
        A row a measure, as ``metrics.differences.Difference`` says, and the same as a page.

    Raises:
        DataError: there are fewer than two versions, or not those that the parameter names.
    """
    older, newer = _versions(metrics_versions, parameters.compared_versions)
    measures = known_measures(parameters)
    found = differences(*(_metrics(metrics_versions / version) for version in (older, newer)), measures)
    verdicts = Counter(row.verdict for row in found)
    summary = (
        f"From {older} to {newer}: {verdicts['better']} values are better, {verdicts['worse']} worse,"
        f" {verdicts['same']} the same after rounding."
    )
    logger.info(summary)
    table = differences_table(found, measures, "Differences")
    page = render_report(Report("Two evaluations compared", summary, sections=[Section("Measures", blocks=[table])]))
    return pd.DataFrame([asdict(row) for row in found]), page


def known_measures(parameters: EvaluationConfig) -> list[Measure]:
    """Give every measure that metrics.json may have, each once."""
    groups = {name: measures for name, (_, measures) in measure_groups(parameters).items() if name != "gap"}
    return list({measure.name: measure for measures in groups.values() for measure in measures}.values())


def _versions(folder: Path, wanted: Any) -> tuple[str, str]:
    existing = sorted(path.parent.name for path in folder.glob("*/metrics.json"))
    if wanted is None:
        if len(existing) < 2:
            raise DataError(
                f"There are not two versions in {folder}, but {len(existing)}. Each evaluation makes one:"
                " kedro run --pipelines evaluation"
            )
        return existing[-2], existing[-1]
    for version in wanted:
        if version not in existing:
            raise DataError(
                f"evaluation.compared_versions names {version}, which is not in {folder}. Existing:"
                f" {', '.join(existing) or 'none'}."
            )
    return wanted


def _metrics(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())

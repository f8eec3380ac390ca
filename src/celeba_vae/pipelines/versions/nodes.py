"""What changed from one evaluation to another."""

import json
import logging
from collections import Counter
from typing import Any

import pandas as pd

from celeba_vae.config import EvaluationConfig
from celeba_vae.errors import DataError
from celeba_vae.metrics.differences import differences
from celeba_vae.metrics.measure_groups import known_measures
from celeba_vae.reporting.document import Report, Section, Table, render_report
from celeba_vae.reporting.tables import differences_table
from celeba_vae.storage import Place, stages

logger = logging.getLogger(__name__)

COLUMNS = ["variant", "group", "measure", "older", "newer", "change", "verdict", "only_in"]
METRICS, SETTINGS = "metrics.json", "evaluated_settings.json"


def compare_versions(
    metrics_versions: Place, settings_versions: Place, parameters: EvaluationConfig
) -> tuple[pd.DataFrame, str]:
    """Compare two versions of metrics.json, by default the newest two: a row a ``Difference``, and the same as a page.

    A DataError where there are fewer than two versions, or not those that ``evaluation.compared_versions`` names.
    """
    older, newer = _versions(metrics_versions, parameters.compared_versions)
    measures = known_measures(parameters)
    before, after = (_read(metrics_versions / version / METRICS) for version in (older, newer))
    found = differences(before, after, measures)
    verdicts = Counter(row.verdict for row in found)
    summary = (
        f"From {older} to {newer}: {verdicts['better']} values are better, {verdicts['worse']} worse,"
        f" {verdicts['same']} the same after rounding."
    )
    logger.info(summary)
    table = differences_table(found, measures, "Differences")
    settings = _settings_section(*(settings_versions / version / SETTINGS for version in (older, newer)))
    sections = [settings, Section("Measures", blocks=[table])]
    page = render_report(Report("Two evaluations compared", summary, sections=sections))
    return pd.DataFrame([[getattr(row, name) for name in COLUMNS] for row in found], columns=COLUMNS), page


def _versions(folder: Place, wanted: tuple[str, str] | None) -> tuple[str, str]:
    existing = sorted(path.parent.name for path in folder.glob(f"*/{METRICS}"))
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


def _settings_section(older: Place, newer: Place) -> Section:
    title = "What was changed"
    if not (older.exists() and newer.exists()):
        return Section(title, ["Not known: one of the two evaluations has recorded no settings."])
    before, after = map(_read, (older, newer))
    of_both = before["variants"].keys() & after["variants"].keys()
    rows = [
        [f"variants.{name}", f"only in the {'older' if name in before['variants'] else 'newer'}"]
        for name in {**before["variants"], **after["variants"]}
        if name not in of_both
    ]
    for settings in (before, after):
        settings["variants"] = {name: settings["variants"][name] for name in sorted(of_both)}
    rows += [change.split(": ", 1) for change in stages.differences(before, after)]
    if not rows:
        return Section(title, ["Nothing: data, models, settings and packages are the same."])
    return Section(title, blocks=[Table("Settings, data and packages", ["Setting", "older -> newer"], rows)])


def _read(file: Place) -> dict[str, Any]:
    return json.loads(file.read_text())

"""What was run and with which models, their measures, and how two versions of these differ, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from celeba_vae.config import EvaluationConfig, VariantConfig
from celeba_vae.config.wording import duration, flattened, shown_name
from celeba_vae.metrics.differences import Difference
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant
from celeba_vae.metrics.measures import Measure, Measured
from celeba_vae.metrics.variant_measuring import ReferenceSet
from celeba_vae.photos.own_photos import Photos
from celeba_vae.reporting.document import Cell, Section, Table

# settings that are told of each model; the rest is in its configuration.json
SETTINGS = (
    "model",
    "latent_dim",
    "kl_weight",
    "reconstruction_loss",
    "encoder",
    "decoder",
    "image_count",
    "batch_size",
    "learning_rate",
    "precision",
    "seed",
)
DIRECTIONS = {"higher": "↑", "lower": "↓", None: ""}


@dataclass(frozen=True)
class EvaluationRun:
    """What an evaluation is about and was made with: the test images, own photos and where they are.

    The record says when and with what it was run, ``data_summary`` how the images were prepared, None where that is not
    known.
    """

    record: Mapping[str, Any]
    data_summary: Mapping[str, Any] | None
    reference: ReferenceSet
    photos: Photos
    photos_folder: Path
    parameters: EvaluationConfig


def preparation_of(data_summary: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give how the images were prepared: source, split, crop and shape, as far as that is known."""
    known = data_summary or {}
    return {name: known[name] for name in ("source", "split", "crop", "image_shape") if name in known}


def run_section(run: EvaluationRun, variants: Sequence[EvaluatedVariant]) -> Section:
    """Tell when, where and with what an evaluation was run, and the settings of the variants in it."""
    this_run = Table("This run", ["What", "Value"], [list(row) for row in _facts(run).items()])
    return Section("What was run", blocks=[this_run, _settings_table(variants)] if variants else [this_run])


def measures_table(measured: Mapping[str, Measured], measures: Sequence[Measure], title: str) -> Table:
    """Make a table with a column a variant and a row a measure, the better one marked where values differ as shown.

    ``measured`` are each variant's measures by its name. Shown is, in the measures' order, what any variant has.
    """
    shown = [measure for measure in measures if any(measure.name in values for values in measured.values())]
    rows = []
    for measure in shown:
        heading = Cell(f"{measure.heading} {DIRECTIONS[measure.better]}".strip(), note=measure.note)
        rows.append([heading, *_cells(measure, [values.get(measure.name) for values in measured.values()])])
    note = "↑ higher is better, ↓ lower is better." if any(measure.better for measure in shown) else ""
    return Table(title, ["Measure", *measured], rows, note, numbers=True)


def differences_table(differences: Sequence[Difference], measures: Sequence[Measure], title: str) -> Table:
    """Make a table of what differs by more than rounding, a variant after the other; the rest is counted below it.

    What only one version has measured comes last, a row a variant. What is not among the measures has its name.
    """
    known = {measure.name: measure for measure in measures}
    known |= {row.measure: Measure(row.measure, row.measure) for row in differences if row.measure not in known}
    changed = [row for row in differences if row.verdict != "same" and not row.only_in]
    alone = sorted((row for row in differences if row.only_in), key=lambda row: (row.variant, row.only_in))
    rows: list[list[Cell | str]] = []
    for variant, its_changes in groupby(changed, lambda row: row.variant):
        rows.append([variant])
        rows += [_difference_row(row, known[row.measure]) for row in its_changes]
    if alone:
        rows.append(["Measured in one version only"])
    for (variant, version), found in groupby(alone, lambda row: (row.variant, row.only_in)):
        parts = (f"{row.group}: {known[row.measure].title}" if row.measure else row.group for row in found)
        what = "; ".join(filter(None, parts))
        rows.append([Cell(variant, note=what), "", "", "", Cell(f"only in the {version}", status="open")])
    same = len(differences) - len(changed) - len(alone)
    note = f"{same} {'value is' if same == 1 else 'values are'} the same after rounding." if same else ""
    if not changed and not alone:
        note = f"Nothing differs. {note}".strip()
    return Table(title, ["Measure", "older", "newer", "difference", "the newer is"], rows, note, numbers=True)


def _facts(run: EvaluationRun) -> dict[str, str]:
    record, parameters, preparation = run.record, run.parameters, preparation_of(run.data_summary)
    count, height, width, _ = run.reference.shape
    elapsed = datetime.now().astimezone() - datetime.fromisoformat(record["started"])
    versions = {"Python": record["python"], **record["packages"]}
    return {
        "Run": str(record["run"]),
        "Pipelines": ", ".join(record["pipelines"]),
        "Started": str(record["started"]),
        "Duration": f"{duration(elapsed.total_seconds())} until this report was written",
        "Environment": str(record["environment"]),
        "Options": ", ".join(f"{name}={value}" for name, value in flattened(record["options"]).items()) or "none",
        "Source of the images": _text(preparation.get("source", "not known")),
        "Crop": _crop(preparation["crop"]) if "crop" in preparation else "not known",
        "Image size": f"{width}x{height} pixels",
        "Test images": f"{count:,}",
        "Generated images": f"{run.reference.set_size:,} of each model and sampler",
        "Images a step of the sweeps": f"{parameters.sweep_count:,}",
        "Hardware": str(record["hardware"]).removeprefix("Hardware: "),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }


def _settings_table(variants: Sequence[EvaluatedVariant]) -> Table:
    columns = [_settings(variant) for variant in variants]
    return Table(
        "Models and their settings",
        ["Setting", *(shown_name(variant.name) for variant in variants)],
        [[heading, *(column[heading] for column in columns)] for heading in columns[0]],
        note="All settings are in configuration.json beside each model's weights.",
    )


def _settings(variant: EvaluatedVariant) -> dict[Cell | str, Cell | str]:
    configuration, history = variant.configuration, variant.history
    without_effect = VariantConfig.settings_that_change(configuration.get("model", "vae"), "nothing")
    settings: dict[Cell | str, Cell | str] = {
        name: "" if name in without_effect else _text(configuration.get(name)) for name in SETTINGS
    }
    if configuration.get("image_count") is None:
        settings["image_count"] = "all"
    count, _, content = _text(configuration.get("train_images")).partition(", content ")
    device = Cell("device asked for", note="auto: a GPU where there is one")
    return settings | {
        "epochs trained": str(len(history)),
        "training time": duration(float(history["seconds"].sum())) if "seconds" in history else "",
        "training images": Cell(count, note=f"fingerprint of the images: {content}" if content else ""),
        device: _text(configuration.get("hardware", {}).get("device")),
        "versions": _text(configuration.get("versions")),
    }


def _crop(crop: Any) -> str:
    if crop is None:
        return "none"
    return f"centre square of {crop} pixels" if isinstance(crop, int) else f"box {', '.join(map(str, crop))}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        others = [f"{name} {_text(each)}" for name, each in value.items() if name != "name" and each not in (None, [])]
        return "; ".join(filter(None, [str(value.get("name", "")), *others]))
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _difference_row(row: Difference, measure: Measure) -> list[Cell | str]:
    change, verdict = "", Cell("")
    if row.change is not None:
        # of two shares
        size = measure.text(abs(row.change)).replace("%", " points")
        change = f"{'+' if row.change > 0 else '-'}{size}"
    if row.verdict is not None:
        verdict = Cell(row.verdict, status="good" if row.verdict == "better" else "bad")
    return [Cell(measure.heading, note=row.group), measure.text(row.older), measure.text(row.newer), change, verdict]


def _cells(measure: Measure, values: Sequence[float | None]) -> list[Cell]:
    """Put values into words; what looks like the best is marked as such, unless all that are known look alike."""
    texts = [measure.text(value) for value in values]
    best = measure.best(values)
    known = {text for text, value in zip(texts, values, strict=True) if value is not None}
    marked = measure.text(best) if best is not None and len(known) > 1 else None
    return [Cell(text, best=text == marked) for text in texts]

"""What was run and with which models: the report's section about itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celeba_vae.config import EvaluationConfig, VariantConfig
from celeba_vae.config.wording import duration, flattened, shown_name
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant
from celeba_vae.metrics.variant_measuring import ReferenceSet
from celeba_vae.photos.own_photos import Photos
from celeba_vae.preparation.listing import in_words
from celeba_vae.reporting.document import Cell, Section, Table
from celeba_vae.storage import Place

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
    photos_folder: Place
    parameters: EvaluationConfig


def preparation_of(data_summary: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give how the images were prepared: source, splits and why these, crop and shape, as far as that is known."""
    known = data_summary or {}
    return {name: known[name] for name in ("source", "split", "split_by", "crop", "image_shape") if name in known}


def run_section(run: EvaluationRun, variants: Sequence[EvaluatedVariant]) -> Section:
    """Tell when, where and with what an evaluation was run, and the settings of the variants in it."""
    this_run = Table("This run", ["What", "Value"], [list(row) for row in _facts(run).items()])
    return Section("What was run", blocks=[this_run, _settings_table(variants)] if variants else [this_run])


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
        **_splits(preparation),
        "Crop": _crop(preparation["crop"]) if "crop" in preparation else "not known",
        **_originals(run.data_summary or {}),
        "Image size": f"{width}x{height} pixels",
        "Test images": f"{count:,}",
        "Generated images": f"{run.reference.set_size:,} of each model and sampler",
        "Images a step of the sweeps": f"{parameters.sweep_count:,}",
        "Hardware": str(record["hardware"]).removeprefix("Hardware: "),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }


def _splits(preparation: Mapping[str, Any]) -> dict[str, str]:
    """Say where the splits are from, as far as that is known."""
    told = {"partition": "the data's own", "counts": "dealt out by the counts of data_engineering.split"}
    by = preparation.get("split_by")
    return {"Splits": told.get(by, by)} if by else {}


def _originals(data_summary: Mapping[str, Any]) -> dict[str, str]:
    """Tell which originals there were and what was passed over beside them, as far as that is known."""
    forms, passed_over = data_summary.get("forms", {}), data_summary.get("passed_over", {})
    facts = {
        "Originals": ", ".join(f"{count:,} of {form}" for form, count in forms.items()),
        "Passed over": in_words(passed_over),
    }
    return {name: text for name, text in facts.items() if text}


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
    of_other_model = VariantConfig.of_other_model(configuration.get("model", "vae"))
    settings: dict[Cell | str, Cell | str] = {
        name: "" if name in of_other_model else _text(configuration.get(name)) for name in SETTINGS
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
    if crop == "auto":
        return "auto: the centre 148x148 of CelebA's own form, else the largest centre square"
    return f"centre square of {crop} pixels" if isinstance(crop, int) else f"box {', '.join(map(str, crop))}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        others = [f"{name} {_text(each)}" for name, each in value.items() if name != "name" and each not in (None, [])]
        return "; ".join(filter(None, [str(value.get("name", "")), *others]))
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

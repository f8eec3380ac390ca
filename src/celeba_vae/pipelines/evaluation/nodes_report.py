"""The report: everything that an evaluation has found out, on one page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image

from celeba_vae.config import TRIAL, EvaluationConfig
from celeba_vae.config.wording import duration, in_environment
from celeba_vae.pipelines.evaluation.nodes_comparison import (
    Metrics,
    coloured_by,
    measure_groups,
    preparation_of,
    thirds,
    verdict,
)
from celeba_vae.pipelines.evaluation.nodes_measuring import Examined, Generated, Originals, compared_count
from celeba_vae.pipelines.evaluation.trained_variant import TrainedVariant, shown_name, title_of
from celeba_vae.reporting import Cell, Picture, Problem, Report, Section, Table, charts, measures_table, render_report

# of more models, the verdict names only the best two, and pictures of each model are folded
FEW_MODELS = 4
STATUS = {"holds": "good", "does not hold": "bad", "not enough data": "open"}
OTHER_VARIANTS = "What needs other variants is decided by kedro run --pipelines experiments."
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


def write_report(
    metrics: Metrics,
    claims: Sequence[Mapping[str, Any]],
    sweeps: Mapping[str, Any],
    comparison_grid: Image.Image,
    own_photos_grid: Image.Image,
    created_faces_grid: Image.Image,
    photo_captions: Sequence[str],
    photo_note: str,
    own_photos: Path,
    originals: Originals,
    data_summary: Any,
    test_attributes: Any,
    run_record: Mapping[str, Any],
    parameters: EvaluationConfig,
    *of_variants: Any,
) -> str:
    """Write the report as one HTML page that needs nothing else.

    Args:
        metrics: Each variant's figures by group.
        claims: The articles' claims, as ``Claim.as_record`` gives them.
        sweeps: As ``sweep`` gives them.
        comparison_grid: Test images and their reconstructions.
        own_photos_grid: Own photos and theirs.
        created_faces_grid: Faces that each model creates.
        photo_captions: One an own photo.
        photo_note: What else is to be said of them.
        own_photos: Folder of own photos.
        originals: For what could not be measured.
        data_summary: How the images were prepared, or None.
        test_attributes: The test images' attributes, or None.
        run_record: When and with what it was run, as ``RunRecordHooks`` says.
        parameters: What is measured.
        of_variants: Their models, then what was examined of each, then what each creates.
    """
    models, examined, generated = thirds(of_variants)
    problems = _problems(models, examined, originals, generated, run_record["environment"])
    trials = all(model.name.startswith(TRIAL) for model in models)
    models = [replace(model, name=shown_name(model.name)) for model in models]
    metrics = {shown_name(name): groups for name, groups in metrics.items()}
    evaluated = [model for model in models if not model.problem]
    run = _run_section(run_record, preparation_of(data_summary), evaluated, originals, parameters)
    claimed = _claims_section(claims, trials)
    seen = "" if any(model.doubt for model in models) else ", which no model has seen in training"
    reconstructions = Section(
        "Reconstructions",
        text=[f"Test images{seen}, and what each model makes of them (z = mu)."],
        blocks=[Picture(comparison_grid, "Test images above their reconstructions by each model")],
    )
    created = _creation_section(created_faces_grid, sweeps)
    measured = _measures_section(metrics, parameters)
    results = [claimed, reconstructions, created, measured] if trials else [reconstructions, created, measured, claimed]
    latents = _latent_section(models, examined, originals, test_attributes, parameters)
    return render_report(
        Report(
            title="Experiments: the articles' claims" if trials else "Faces from latent space",
            subtitle=_subtitle(metrics),
            problems=problems,
            sections=[
                run,
                *(section for section in (*results, latents, _training_section(models)) if section.blocks),
                _photos_section(own_photos_grid, photo_captions, photo_note, own_photos),
                _versions_section(run_record),
            ],
        )
    )


def _subtitle(metrics: Metrics) -> str:
    if len(metrics) <= FEW_MODELS:
        return verdict(metrics)
    best_first = sorted(metrics, key=lambda name: metrics[name].get("test", {}).get("psnr") or 0, reverse=True)
    return f"{verdict({name: metrics[name] for name in best_first[:2]})} {len(metrics)} models are compared."


def _problems(
    models: Sequence[TrainedVariant],
    examined: Sequence[Examined],
    originals: Originals,
    generated: Sequence[Generated],
    environment: str,
) -> list[Problem]:
    texts = [text for model in models for text in (model.problem, model.doubt)]
    texts += [
        *(each.problem for each in examined),
        *originals.notes,
        *(note for each in generated for note in each.notes),
    ]
    return [_problem(in_environment(text, environment)) for text in dict.fromkeys(texts) if text]


def _problem(text: str) -> Problem:
    reason, separator, command = text.rpartition(": kedro run")
    return Problem(f"{reason}.", f"kedro run{command}") if separator else Problem(text)


def _run_section(
    record: Mapping[str, Any],
    preparation: Mapping[str, Any],
    models: Sequence[TrainedVariant],
    originals: Originals,
    parameters: EvaluationConfig,
) -> Section:
    count, height, width, _ = originals.shape
    elapsed = datetime.now().astimezone() - datetime.fromisoformat(record["started"])
    run = {
        "Run": str(record["run"]),
        "Pipelines": ", ".join(record["pipelines"]),
        "Started": str(record["started"]),
        "Duration": f"{duration(elapsed.total_seconds())} until this report was written",
        "Environment": str(record["environment"]),
        "Options": ", ".join(f"{name}={value}" for name, value in _flat(record["options"])) or "none",
        "Source of the images": _text(preparation.get("source", "not known")),
        "Crop": _crop(preparation["crop"]) if "crop" in preparation else "not known",
        "Image size": f"{width}x{height} pixels",
        "Test images": f"{count:,}",
        "Generated images": f"{compared_count(count, parameters):,} of each model and sampler",
        "Images a step of the sweeps": f"{parameters.sweep_count:,}",
        "Hardware": str(record["hardware"]).removeprefix("Hardware: "),
        "Versions": ", ".join(
            f"{name} {version}" for name, version in {"Python": record["python"], **record["packages"]}.items()
        ),
    }
    settings = Table(
        "Models and their settings",
        ["Setting", *(model.name for model in models)],
        [
            *([name, *(_setting(model, name) for model in models)] for name in SETTINGS),
            ["epochs trained", *(str(len(model.history)) for model in models)],
            ["training time", *(_training_time(model) for model in models)],
            ["training images", *(_training_images(model) for model in models)],
            [
                Cell("device asked for", note="auto: a GPU where there is one"),
                *(_text(model.configuration.get("hardware", {}).get("device")) for model in models),
            ],
            ["versions", *(_text(model.configuration.get("versions")) for model in models)],
        ],
        note="All settings are in configuration.json beside each model's weights.",
    )
    this_run = Table("This run", ["What", "Value"], list(map(list, run.items())))
    return Section("What was run", blocks=[this_run, settings] if models else [this_run])


def _versions_section(record: Mapping[str, Any]) -> Section:
    rows = [[name, version] for name, version in record["versions"].items()]
    return Section(
        "Catalog versions",
        text=["What this report is about, and what was made with it; --load-versions brings each of them back."],
        blocks=[Table("Versions", ["Dataset", "Version"], rows)],
    )


def _photos_section(grid: Image.Image, captions: Sequence[str], note: str, folder: Path) -> Section:
    title = "Your own photos"
    if not captions:
        how = f"No photos of your own yet: put some into {folder}, then, with the same --env, run the evaluation again."
        return Section(title, [*filter(None, [note]), how])
    # the grid's title has the note
    return Section(title, blocks=[Picture(grid, "Own photos above their reconstructions by each model")])


def _training_section(models: Sequence[TrainedVariant]) -> Section:
    return Section(
        "Training",
        text=[
            "Losses an image, by epoch. The KL term draws the latents towards N(0, I); an autoencoder has none. Where"
            " the validation's curve turns up while the training's goes on falling, the model learns its images by"
            " heart."
        ],
        blocks=[
            Picture(charts.loss_chart(model.history, model.title), f"Loss curves of {model.name}")
            for model in models
            if len(model.history)
        ],
        folded=len(models) > FEW_MODELS,
    )


def _creation_section(created_faces_grid: Image.Image, sweeps: Mapping[str, Any]) -> Section:
    blocks = [Picture(created_faces_grid, "Faces created by each model from each sampler's points, a row each")]
    if sweeps["distance"]:
        blocks.append(
            Picture(
                charts.distance_chart(sweeps["distance"], title_of(sweeps["variant"])),
                "Quality and variance against the distance from the origin",
            )
        )
    if sweeps["sharpening"]:
        blocks.append(
            Picture(
                charts.sharpening_chart(sweeps["sharpening"], title_of(sweeps["variant"])),
                "Sharpness and quality against the sharpening factor",
            )
        )
    return Section(
        "Created faces",
        text=[
            "Faces decoded from random points: of N(0, I), for which a VAE is trained, and of samplers fitted to where"
            " the encoder puts training images. Below: what changes as points move away from the origin, and as faces"
            " are sharpened."
        ],
        blocks=blocks,
    )


def _measures_section(metrics: Metrics, parameters: EvaluationConfig) -> Section:
    tables = [
        measures_table(
            {variant: groups[group] for variant, groups in metrics.items() if groups.get(group)}, known, title
        )
        for group, (title, known) in measure_groups(parameters).items()
        if any(groups.get(group) for groups in metrics.values())
    ]
    return Section("Measures", text=["The better value of a row is marked. Machines read metrics.json."], blocks=tables)


def _latent_section(
    models: Sequence[TrainedVariant],
    examined: Sequence[Examined],
    originals: Originals,
    attributes: Any,
    parameters: EvaluationConfig,
) -> Section:
    blocks = []
    for model, each in zip(models, examined, strict=True):
        space, name = each.latent_space, model.title
        if space is None:
            continue
        coloured = coloured_by(attributes, parameters.attribute, space.count)
        blocks += [
            Picture(charts.latent_distances_chart(space, name), f"{name}: distances of the latents from the origin"),
            Picture(charts.latent_moments_chart(space, name), f"{name}: mean and spread of each latent dimension"),
            Picture(charts.latent_projection_chart(space, name, *coloured), f"{name}: latents in two dimensions"),
            Picture(charts.latent_correlation_chart(space, name), f"{name}: correlation of the latent dimensions"),
        ]
        if space.kl is not None:
            blocks.append(Picture(charts.latent_kl_chart(space, name), f"{name}: KL of each latent dimension"))
    return Section(
        "Latent space",
        text=[
            f"Where the encoders put the {'test' if originals.shape[0] else 'training'} images. Points of N(0, I) lie"
            " in a thin shell around the origin, at a distance near the square root of the number of dimensions: a"
            " decoder knows faces there only if its encoder fills that shell."
        ],
        blocks=blocks,
        folded=len(models) > FEW_MODELS,
    )


def _claims_section(claims: Sequence[Mapping[str, Any]], trials: bool) -> Section:
    # two columns: a third would be out of sight on a phone
    rows = [
        [
            Cell(claim["statement"], note=" ".join(filter(None, [claim["figure"].replace(TRIAL, ""), claim["hint"]]))),
            Cell(claim["verdict"], status=STATUS[claim["verdict"]]),
        ]
        for claim in claims
    ]
    return Section(
        "The articles' claims",
        text=["Each claim of the articles, checked on these models.", *([] if trials else [OTHER_VARIANTS])],
        blocks=[Table("Claims", ["Claim, and the figures of this run", "Verdict"], rows)],
    )


def _setting(model: TrainedVariant, name: str) -> str:
    # an autoencoder's block has one, too, which does nothing
    if name == "kl_weight" and model.configuration.get("model") == "ae":
        return ""
    if name == "image_count" and model.configuration.get(name) is None:
        return "all"
    return _text(model.configuration.get(name))


def _crop(crop: Any) -> str:
    if crop is None:
        return "none"
    return f"centre square of {crop} pixels" if isinstance(crop, int) else f"box {', '.join(map(str, crop))}"


def _training_images(model: TrainedVariant) -> Cell:
    count, _, content = _text(model.configuration.get("train_images")).partition(", content ")
    return Cell(count, note=f"fingerprint of the images: {content}" if content else "")


def _training_time(model: TrainedVariant) -> str:
    return duration(float(model.history["seconds"].sum())) if "seconds" in model.history else ""


def _flat(options: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in options.items():
        found += _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else [(f"{prefix}{name}", value)]
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        others = [f"{name} {_text(each)}" for name, each in value.items() if name != "name" and each not in (None, [])]
        return "; ".join(filter(None, [str(value.get("name", "")), *others]))
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

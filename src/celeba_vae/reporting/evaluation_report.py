"""The report of an evaluation: everything that it has found out, section by section."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image

from celeba_vae.config import TRIAL, EvaluationConfig
from celeba_vae.config.wording import in_environment, shown_name, title_of
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant
from celeba_vae.metrics.measure_groups import measure_groups
from celeba_vae.metrics.measures import Measured
from celeba_vae.reporting.document import Cell, Picture, Problem, Report, Section, Table, render_report
from celeba_vae.reporting.run_section import EvaluationRun, run_section
from celeba_vae.reporting.tables import measures_table

# of more models, the verdict names only the best two, and pictures of each model are folded
FEW_MODELS = 4
STATUS: dict[str, Literal["good", "bad", "open"]] = {
    "holds": "good",
    "does not hold": "bad",
    "not enough data": "open",
}
OTHER_VARIANTS = "What needs other variants is decided by kedro run --pipelines experiments."


@dataclass(frozen=True)
class DrawnVariant:
    """A variant and the pictures of it: its losses, None where they are not known, and where its latents are."""

    variant: EvaluatedVariant
    loss_curves: Image.Image | None
    distances: Image.Image
    moments: Image.Image
    projection: Image.Image
    correlation: Image.Image
    kl: Image.Image


@dataclass(frozen=True)
class ComparisonPictures:
    """Pictures in which the variants are side by side, and charts of one variant's faces, swept."""

    test_images: Image.Image
    own_photos: Image.Image
    created_faces: Image.Image
    distance_sweep: Image.Image
    sharpening_sweep: Image.Image


def evaluation_report(
    run: EvaluationRun,
    claims: Sequence[Mapping[str, Any]],
    sweeps: Mapping[str, Any],
    pictures: ComparisonPictures,
    *drawn: DrawnVariant,
) -> str:
    """Write the report of an evaluation as one HTML page; the articles' claims are a record each."""
    variants = [each.variant for each in drawn]
    trials = all(variant.name.startswith(TRIAL) for variant in variants)
    metrics = {shown_name(variant.name): variant.measured for variant in variants}
    claimed = _claims_section(claims, trials)
    results = [
        _reconstructions_section(pictures.test_images, doubted=any(variant.doubt for variant in variants)),
        _creation_section(pictures, sweeps),
        _measures_section(metrics, run.parameters),
    ]
    results = [claimed, *results] if trials else [*results, claimed]
    results += [_latent_section(drawn, "test" if run.reference.shape[0] else "training"), _training_section(drawn)]
    report = Report(
        title="Experiments: the articles' claims" if trials else "Faces from latent space",
        subtitle=_subtitle(metrics),
        problems=_problems(variants, run),
        sections=[
            run_section(run, [variant for variant in variants if not variant.problem]),
            *(section for section in results if section.blocks),
            _photos_section(pictures.own_photos, run),
            _versions_section(run.record["versions"]),
        ],
    )
    return render_report(report)


def verdict(metrics: Mapping[str, Mapping[str, Measured]]) -> str:
    """Say in a line which variant has the best PSNR on the test images, and how far ahead it is in PSNR and MSE.

    ``metrics`` are each variant's measures by group.
    """
    test = {name: groups["test"] for name, groups in metrics.items() if "test" in groups}
    psnr = {name: value for name, measured in test.items() if (value := measured.get("psnr"))}
    if not psnr:
        return "How well the models reconstruct the test images is not known: there is no PSNR."
    best, *others = sorted(psnr, key=lambda name: psnr[name], reverse=True)
    explained = test[best].get("explained_variance")
    line = f"PSNR {psnr[best]:.2f} dB" + ("" if explained is None else f", explained variance {explained:.0%}")
    if not others:
        return f"{title_of(best)} reconstructs the test images with {line}."
    leads = [
        f"{psnr[best] - psnr[other]:.2f} dB above {title_of(other)}"
        f"{_less_squared_error(test[best].get('mse'), test[other].get('mse'))}"
        for other in others
    ]
    return f"{title_of(best)} reconstructs the test images best: {line}; {', '.join(leads)}."


def _less_squared_error(mse: float | None, other: float | None) -> str:
    if mse is None or not other:
        return ""
    # a better mean PSNR may go with a worse mean MSE: a few bad images weigh more in the latter
    less = 1 - mse / other
    return f" with {abs(less):.0%} {'less' if less >= 0 else 'more'} squared error"


def _subtitle(metrics: Mapping[str, Mapping[str, Measured]]) -> str:
    if len(metrics) <= FEW_MODELS:
        return verdict(metrics)
    best_first = sorted(metrics, key=lambda name: metrics[name].get("test", {}).get("psnr") or 0, reverse=True)
    return f"{verdict({name: metrics[name] for name in best_first[:2]})} {len(metrics)} models are compared."


def _problems(variants: Sequence[EvaluatedVariant], run: EvaluationRun) -> list[Problem]:
    texts = [text for variant in variants for text in (variant.problem, variant.doubt)]
    texts += [
        *(run.data_summary or {}).get("warnings", []),
        *run.reference.notes,
        *(note for variant in variants for note in variant.notes),
    ]
    return [_problem(in_environment(text, run.record["environment"])) for text in dict.fromkeys(texts) if text]


def _problem(text: str) -> Problem:
    reason, separator, command = text.rpartition(": kedro run")
    return Problem(f"{reason}.", f"kedro run{command}") if separator else Problem(text)


def _reconstructions_section(grid: Image.Image, doubted: bool) -> Section:
    seen = "" if doubted else ", which no model has seen in training"
    return Section(
        "Reconstructions",
        text=[f"Test images{seen}, and what each model makes of them (z = mu)."],
        blocks=[Picture(grid, "Test images above their reconstructions by each model")],
    )


def _creation_section(pictures: ComparisonPictures, sweeps: Mapping[str, Any]) -> Section:
    blocks = [Picture(pictures.created_faces, "Faces created by each model from each sampler's points, a row each")]
    if sweeps["distance"]:
        blocks.append(Picture(pictures.distance_sweep, "Quality and variance against the distance from the origin"))
    if sweeps["sharpening"]:
        blocks.append(Picture(pictures.sharpening_sweep, "Sharpness and quality against the sharpening factor"))
    return Section(
        "Created faces",
        text=[
            "Faces decoded from random points: of N(0, I), for which a VAE is trained, and of samplers fitted to where"
            " the encoder puts training images. Below: what changes as points move away from the origin, and as faces"
            " are sharpened."
        ],
        blocks=blocks,
    )


def _measures_section(metrics: Mapping[str, Mapping[str, Measured]], parameters: EvaluationConfig) -> Section:
    tables = []
    for group, (title, known) in measure_groups(parameters).items():
        if measured := {variant: groups[group] for variant, groups in metrics.items() if groups.get(group)}:
            tables.append(measures_table(measured, known, title))
    return Section("Measures", text=["The better value of a row is marked. Machines read metrics.json."], blocks=tables)


def _latent_section(drawn: Sequence[DrawnVariant], images: str) -> Section:
    blocks = []
    for each in drawn:
        if (space := each.variant.latent_space) is None:
            continue
        charts = {
            "distances of the latents from the origin": each.distances,
            "mean and spread of each latent dimension": each.moments,
            "latents in two dimensions": each.projection,
            "correlation of the latent dimensions": each.correlation,
        }
        if space.kl is not None:
            charts["KL of each latent dimension"] = each.kl
        blocks += [Picture(chart, f"{each.variant.title}: {what}") for what, chart in charts.items()]
    return Section(
        "Latent space",
        text=[
            f"Where the encoders put the {images} images. Points of N(0, I) lie in a thin shell around the origin, at a"
            " distance near the square root of the number of dimensions: a decoder knows faces there only if its"
            " encoder fills that shell."
        ],
        blocks=blocks,
        folded=len(drawn) > FEW_MODELS,
    )


def _training_section(drawn: Sequence[DrawnVariant]) -> Section:
    return Section(
        "Training",
        text=[
            "Losses an image, by epoch. The KL term draws the latents towards N(0, I); an autoencoder has none. Where"
            " the validation's curve turns up while the training's goes on falling, the model learns its images by"
            " heart."
        ],
        blocks=[
            Picture(each.loss_curves, f"Loss curves of {shown_name(each.variant.name)}")
            for each in drawn
            if each.loss_curves
        ],
        folded=len(drawn) > FEW_MODELS,
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


def _photos_section(grid: Image.Image, run: EvaluationRun) -> Section:
    title, photos = "Your own photos", run.photos
    if photos.names:
        # its title has the note
        return Section(title, blocks=[Picture(grid, "Own photos above their reconstructions by each model")])
    how = f"put some into {run.photos_folder}, then, with the same --env, run the evaluation again."
    return Section(title, [*filter(None, [photos.note]), f"No photos of your own yet: {how}"])


def _versions_section(versions: Mapping[str, str]) -> Section:
    return Section(
        "Catalog versions",
        text=["What this report is about, and what was made with it; --load-versions brings each of them back."],
        blocks=[Table("Versions", ["Dataset", "Version"], [list(row) for row in versions.items()])],
    )

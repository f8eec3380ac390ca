"""What the models' figures say when they are put side by side."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from celeba_vae.claims.checking import check_claims
from celeba_vae.claims.evidence import VariantEvidence
from celeba_vae.config import ComponentConfig, EvaluationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.config.wording import in_environment
from celeba_vae.metrics.latent_space import LATENT_MEASURES
from celeba_vae.metrics.measures import Measure, Measured
from celeba_vae.pipelines.evaluation.nodes_measuring import Examined, sampler_groups, sampler_label
from celeba_vae.pipelines.evaluation.trained_variant import TrainedVariant, shown_name, title_of
from celeba_vae.reporting.grids import GRID_SCALE, image_grid, text_picture
from celeba_vae.storage.stages import images_content

logger = logging.getLogger(__name__)

Metrics = dict[str, dict[str, Measured]]

IMAGES = Measure("images", "Images measured", number="{:,.0f}")
MODEL_MEASURES = (
    Measure("encoder_parameters", "Parameters of the encoder", number="{:,.0f}"),
    Measure("decoder_parameters", "Parameters of the decoder", number="{:,.0f}"),
    Measure("latent_dim", "Latent dimensions", number="{:.0f}"),
    Measure("epochs", "Epochs trained", number="{:.0f}"),
    Measure("training_seconds", "Training time", unit="s", number="{:,.0f}"),
)


def gather_metrics(parameters: EvaluationConfig, *results: Any) -> Metrics:
    """Gather each variant's figures by group, and say which model reconstructs better and by how much.

    Args:
        parameters: The names of the variants.
        results: The variants' models, then what was measured of each, then what each creates.
    """
    models, examined, generated = thirds(results)
    metrics = {
        model.name: {**one.measured, **other.measured}
        for model, one, other in zip(models, examined, generated, strict=True)
    }
    logger.info(verdict(metrics))
    return metrics


def record_settings(
    test_images: np.ndarray,
    train_images: np.ndarray,
    data_summary: Any,
    run_record: Mapping[str, Any],
    parameters: EvaluationConfig,
    *models: TrainedVariant,
) -> dict[str, Any]:
    """Record what the figures depend on, so that two evaluations can be told apart: data, settings, packages."""
    return {
        "data": {
            "test_images": images_content(test_images),
            "train_images": f"{len(train_images)} images",
            **preparation_of(data_summary),
        },
        "evaluation": parameters.model_dump(mode="json", exclude={"compared_versions"}),
        "variants": {model.name: dict(model.configuration) for model in models if not model.problem},
        "packages": run_record["packages"],
    }


def preparation_of(data_summary: Any) -> dict[str, Any]:
    """Give how the images were prepared: source, split, crop and shape; nothing where that is not known."""
    if data_summary is None:
        return {}
    return {name: data_summary[name] for name in ("source", "split", "crop", "image_shape") if name in data_summary}


def verdict(metrics: Mapping[str, Mapping[str, Measured]]) -> str:
    """Say in a line which variant has the best PSNR on the test images, and how far ahead it is in PSNR and MSE."""
    test = {variant: groups["test"] for variant, groups in metrics.items() if groups.get("test", {}).get("psnr")}
    if not test:
        return "How well the models reconstruct the test images is not known: there is no PSNR."
    best, *others = sorted(test, key=lambda variant: test[variant]["psnr"], reverse=True)
    line = f"PSNR {test[best]['psnr']:.2f} dB"
    if test[best].get("explained_variance") is not None:
        line += f", explained variance {test[best]['explained_variance']:.0%}"
    if not others:
        return f"{title_of(best)} reconstructs the test images with {line}."
    leads = [_lead(test[best], test[other], other) for other in others]
    return f"{title_of(best)} reconstructs the test images best: {line}; {', '.join(leads)}."


def draw_metrics(metrics: Metrics, parameters: EvaluationConfig) -> Any:
    """Draw the measures of the test images' reconstructions as bars, the best of each marked."""
    from celeba_vae.reporting.charts import measures_chart, text_chart

    test = {shown_name(variant): groups["test"] for variant, groups in metrics.items() if "test" in groups}
    if not test:
        return text_chart("No test images, no measures of their reconstructions")
    return measures_chart(test, reconstruction_measures(parameters))


def draw_latent_charts(
    model: TrainedVariant, examined: Examined, test_attributes: Any, parameters: EvaluationConfig
) -> tuple[Any, ...]:
    """Draw where a model puts the test images: distances, moments, projection, correlation, KL, a figure each."""
    from celeba_vae.reporting import charts

    space, name = examined.latent_space, model.title
    if space is None:
        return (charts.text_chart(f"{name}: no latent space\n{model.problem or examined.problem}"),) * 5
    return (
        charts.latent_distances_chart(space, name),
        charts.latent_moments_chart(space, name),
        charts.latent_projection_chart(space, name, *coloured_by(test_attributes, parameters.attribute, space.count)),
        charts.latent_correlation_chart(space, name),
        charts.text_chart(f"{name}: no KL, its encoder gives points")
        if space.kl is None
        else charts.latent_kl_chart(space, name),
    )


def list_latent_dimensions(examined: Examined) -> dict[str, list[float]]:
    """Give the mean and standard deviation of mu, and of a VAE the KL in nats, of each latent dimension.

    Of a model that can't be evaluated there are none.
    """
    space = examined.latent_space
    if space is None:
        return {}
    dimensions = {"mean": space.mean, "deviation": space.deviation, "kl": space.kl}
    return {name: values.tolist() for name, values in dimensions.items() if values is not None}


def draw_created_faces(parameters: EvaluationConfig, *results: Any) -> Image.Image:
    """Show what each model creates from each sampler's points, a row each.

    Args:
        parameters: Seed and columns.
        results: The variants' models, then what each creates.
    """
    count = len(results) // 2
    rows = {
        f"{model.title}, {sampler}": images
        for model, generated in zip(results[:count], results[count:], strict=True)
        for sampler, images in generated.images.items()
    }
    if not rows:
        return text_picture("No created faces", "No model could be evaluated, or no sampler could be used.")
    return image_grid(
        [image for images in rows.values() for image in images],
        min(parameters.columns, parameters.generated_count),
        title=f"Faces that each model creates from each sampler's points, seed {parameters.seed}",
        row_labels=list(rows),
        scale=GRID_SCALE,
    )


def check_articles_claims(
    metrics: Metrics,
    sweeps: Mapping[str, Any],
    run_record: Mapping[str, Any],
    parameters: EvaluationConfig,
    *results: Any,
) -> list[dict[str, Any]]:
    """Check each claim of the articles: a record a claim, its commands for the run's environment.

    Args:
        metrics: Each variant's figures by group.
        sweeps: As ``sweep`` gives them.
        run_record: As ``RunRecordHooks`` makes it.
        parameters: The samplers.
        results: The variants' models, then what was measured of each.
    """
    count = len(results) // 2
    prior_group, fitted_groups = sampler_groups(parameters.samplers)
    evidence = [
        VariantEvidence(
            name=model.name,
            settings=model.settings,
            measured=metrics[model.name],
            history=model.history,
            problem=model.problem or examined.problem,
            prior_group=prior_group,
            fitted_groups=fitted_groups,
        )
        for model, examined in zip(results[:count], results[count:], strict=True)
    ]
    claims = check_claims(evidence, sweeps["distance"], sweeps["sharpening"], sweeps["variant"])
    environment = run_record["environment"]
    return [{name: in_environment(text, environment) for name, text in claim.as_record().items()} for claim in claims]


def reconstruction_measures(parameters: EvaluationConfig) -> list[Measure]:
    """Give the measures of the metrics that reconstructions are compared by, in their order."""
    return _measures("metrics", parameters.metrics)


def distribution_measures(parameters: EvaluationConfig) -> list[Measure]:
    """Give the measures of the metrics that sets of images are compared by, in their order."""
    return [*_measures("distribution_metrics", parameters.distribution_metrics), IMAGES]


def measure_groups(parameters: EvaluationConfig) -> dict[str, tuple[str, list[Measure]]]:
    """Give each group of figures its title and its measures."""
    reconstruction, distribution = reconstruction_measures(parameters), distribution_measures(parameters)
    gap = [Measure(each.name, each.title, unit=each.unit, number=each.number) for each in reconstruction]
    samplers = {
        label: (f"Images generated from {label}, against the test images", distribution)
        for label in (sampler_label(config, parameters.samplers) for config in parameters.samplers)
    }
    return {
        "test": ("Reconstructions of the test images", reconstruction),
        "training": ("Reconstructions of training images", [*reconstruction, IMAGES]),
        "gap": ("Gap: training images minus test images", gap),
        **samplers,
        "reconstructed": ("The test images' reconstructions as a set, against the test images", distribution),
        "latents": ("Latent space", list(LATENT_MEASURES)),
        "model": ("Models", list(MODEL_MEASURES)),
    }


def coloured_by(attributes: Any, name: str, count: int) -> tuple[np.ndarray | None, str]:
    """Give the column of an attribute of ``count`` images and its name; None and nothing where it is not known."""
    if attributes is None or name not in attributes or len(attributes) != count:
        return None, ""
    return attributes[name].to_numpy(), name


def _measures(kind: str, configs: Sequence[ComponentConfig]) -> list[Measure]:
    return [measure for config in configs for measure in create_component(kind, config).measures]


def thirds(results: Sequence[Any]) -> tuple[Sequence[Any], ...]:
    """Split what a node is given of all variants: their models, what was measured of each, what each creates."""
    count = len(results) // 3
    return results[:count], results[count : 2 * count], results[2 * count :]


def _lead(best: Measured, other: Measured, name: str) -> str:
    lead = f"{best['psnr'] - other['psnr']:.2f} dB above {title_of(name)}"
    if best.get("mse") is None or not other.get("mse"):
        return lead
    # a better mean PSNR may go with a worse mean MSE: a few bad images weigh more in the latter
    less = 1 - best["mse"] / other["mse"]
    return f"{lead} with {abs(less):.0%} {'less' if less >= 0 else 'more'} squared error"

"""What is found out about each variant, and what is said of all of them side by side."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from celeba_vae.claims.checking import check_claims
from celeba_vae.claims.comparisons import Evidence
from celeba_vae.config import DataEngineeringConfig, EvaluationConfig
from celeba_vae.config.wording import in_environment, shown_name, title_of
from celeba_vae.metrics.collapse import likeness_note
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant
from celeba_vae.metrics.measure_groups import reconstruction_measures
from celeba_vae.metrics.measures import Measured
from celeba_vae.photos.face_detection import INSTALL_COMMAND, can_find_faces
from celeba_vae.photos.own_photos import Photos, read_photos
from celeba_vae.reporting import latent_charts
from celeba_vae.reporting.charts import distance_chart, measures_chart, sharpening_chart
from celeba_vae.reporting.evaluation_report import verdict
from celeba_vae.reporting.grids import GRID_SCALE, Row, comparison_grid, row_grid, text_picture
from celeba_vae.reporting.run_section import preparation_of
from celeba_vae.reporting.variant_rows import ShownImages
from celeba_vae.storage import Place
from celeba_vae.storage.stages import images_content

logger = logging.getLogger(__name__)

Metrics = dict[str, Mapping[str, Measured]]


def prepare_photos(folder: Place, test_images: np.ndarray, parameters: DataEngineeringConfig) -> Photos:
    """Bring the photos in the folder to the test images' shape."""
    photos = read_photos(folder, test_images.shape[1:], parameters.crop)
    if not photos.names:
        logger.info("No photos of your own in %s: put some there to see how the models reconstruct them.", folder)
    return photos


def draw_latent_charts(
    variant: EvaluatedVariant, test_attributes: pd.DataFrame | None, parameters: EvaluationConfig
) -> tuple[Any, ...]:
    """Draw where a variant puts the test images: distances, moments, projection, correlation, KL, a figure each."""
    space, name = variant.latent_space, variant.title
    if space is None:
        why = variant.problem or "There is only one image, and latents of two are needed."
        return (text_picture(f"{name}: no latent space", why),) * 5
    colour = None
    attribute = parameters.attribute
    if test_attributes is not None and attribute in test_attributes and len(test_attributes) == space.count:
        colour = test_attributes[attribute].to_numpy()
    return (
        latent_charts.latent_distances_chart(space, name),
        latent_charts.latent_moments_chart(space, name),
        latent_charts.latent_projection_chart(space, name, colour, attribute),
        latent_charts.latent_correlation_chart(space, name),
        text_picture(f"{name}: no KL, its encoder gives points")
        if space.kl is None
        else latent_charts.latent_kl_chart(space, name),
    )


def list_latent_dimensions(variant: EvaluatedVariant) -> dict[str, list[float]]:
    """Give the mean and deviation of mu of each latent dimension, and of a VAE its KL in nats, where they are known."""
    space = variant.latent_space
    if space is None:
        return {}
    dimensions = {"mean": space.mean, "deviation": space.deviation, "kl": space.kl}
    return {name: values.tolist() for name, values in dimensions.items() if values is not None}


def gather_metrics(*variants: EvaluatedVariant) -> Metrics:
    """Gather each variant's measures by group, and say which model reconstructs better and by how much."""
    metrics = {variant.name: variant.measured for variant in variants}
    logger.info(verdict(metrics))
    return metrics


def record_settings(
    test_images: np.ndarray,
    train_images: np.ndarray,
    data_summary: dict[str, Any] | None,
    run_record: Mapping[str, Any],
    parameters: EvaluationConfig,
    *variants: EvaluatedVariant,
) -> dict[str, Any]:
    """Record what the measures depend on, so that two evaluations can be told apart: data, settings, packages."""
    return {
        "data": {
            "test_images": images_content(test_images),
            "train_images": f"{len(train_images)} images",
            **preparation_of(data_summary),
        },
        "evaluation": parameters.model_dump(mode="json", exclude={"compared_versions"}),
        "variants": {variant.name: dict(variant.configuration) for variant in variants if not variant.problem},
        "packages": run_record["packages"],
    }


def draw_metrics(metrics: Metrics, parameters: EvaluationConfig) -> Any:
    """Draw the measures of the test images' reconstructions as bars, the best of each marked."""
    test = {shown_name(variant): groups["test"] for variant, groups in metrics.items() if "test" in groups}
    if not test:
        return text_picture("No test images, no measures of their reconstructions")
    return measures_chart(test, reconstruction_measures(parameters))


def compare_reconstructions(
    shown: ShownImages, parameters: EvaluationConfig, *variants: EvaluatedVariant
) -> Image.Image:
    """Show rows of test images and, under each, what every variant makes of them."""
    if not shown.captions:
        return text_picture(
            "No test images", "Give the test split some: data_engineering.split in parameters_data_engineering.yml."
        )
    return comparison_grid(
        {"original": shown.images} | {label: row for each in variants for label, row in each.test_rows.items()},
        parameters.columns,
        title="Test images and their reconstructions",
        captions=shown.captions,
        scale=GRID_SCALE,
    )


def compare_photos(
    photos: Photos, folder: Place, parameters: EvaluationConfig, *variants: EvaluatedVariant
) -> Image.Image:
    """Show own photos and the rows of every variant under them; without photos, how to get such a picture."""
    if not photos.names:
        cropped = (
            "The largest face in each is found and cropped as CelebA's are."
            if can_find_faces()
            else "The largest centre square is used: the face should be in its middle and fill more than half of it. To"
            f" have faces found wherever they are: {INSTALL_COMMAND}"
        )
        paragraphs = [
            f"Put photos of people into\n{folder}\nthen, with the same --env: kedro run --pipelines evaluation",
            f"Any size will do. {cropped}",
            photos.note,
        ]
        return text_picture("No photos of your own yet", "\n\n".join(filter(None, paragraphs)))
    return comparison_grid(
        {"original": photos.images} | {label: row for each in variants for label, row in each.photo_rows.items()},
        parameters.columns,
        title="\n".join(filter(None, ["Your photos and their reconstructions", photos.note])),
        captions=photos.captions,
        scale=GRID_SCALE,
    )


def draw_created_faces(parameters: EvaluationConfig, *variants: EvaluatedVariant) -> Image.Image:
    """Show what each variant creates from each sampler's points, a row each."""
    rows = [Row(f"{each.title}, {sampler}", images) for each in variants for sampler, images in each.created.items()]
    if not rows:
        return text_picture("No created faces", "No model could be evaluated, or no sampler could be used.")
    return row_grid(rows, title=f"Faces that each model creates from each sampler's points, seed {parameters.seed}")


def draw_sweeps(sweeps: dict[str, Any]) -> tuple[Any, Any]:
    """Draw what the distance from the origin changes, and what sharpening does."""
    title = title_of(sweeps["variant"])
    distance = sweeps["distance"]
    sharpening = sweeps["sharpening"]
    nothing = text_picture(f"{title} could not be measured", "It is not there, or there are no test images.")
    return (
        distance_chart(distance, title) if distance else nothing,
        sharpening_chart(sharpening, title) if sharpening else nothing,
    )


def check_articles_claims(
    sweeps: Mapping[str, Any], run_record: Mapping[str, Any], test_images: np.ndarray, *variants: EvaluatedVariant
) -> list[dict[str, str]]:
    """Check each claim of the articles: a record a claim, its commands for the run's environment.

    Test images that are all alike decide none of them.
    """
    doubt = likeness_note(test_images, "test")
    claims = check_claims(Evidence(variants, sweeps["distance"], sweeps["sharpening"], sweeps["variant"], doubt))
    environment = run_record["environment"]
    return [{name: in_environment(text, environment) for name, text in asdict(claim).items()} for claim in claims]

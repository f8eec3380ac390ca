"""Each variant on the same test images and own photos, and what their comparison says."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from celeba_vae.pipelines.evaluation.nodes_comparison import (
    check_articles_claims,
    draw_created_faces,
    draw_latent_charts,
    draw_metrics,
    gather_metrics,
    list_latent_dimensions,
    record_settings,
)
from celeba_vae.pipelines.evaluation.nodes_measuring import examine_model, generate_and_measure, summarise_originals
from celeba_vae.pipelines.evaluation.nodes_photos import compare_photos, prepare_photos, reconstruct_photos
from celeba_vae.pipelines.evaluation.nodes_reconstruction import (
    choose_originals,
    compare_reconstructions,
    reconstruct_images,
)
from celeba_vae.pipelines.evaluation.nodes_report import write_report
from celeba_vae.pipelines.evaluation.nodes_sweeps import draw_distance_sweep, draw_sharpening_sweep, sweep
from celeba_vae.pipelines.evaluation.trained_variant import open_variant

LATENT_CHARTS = ("distances", "moments", "projection", "correlation", "kl")


def create_pipeline(variants: Sequence[str], swept: str, prefix: str = "") -> Pipeline:
    """Build the pipeline that compares these variants: one template, a namespace each, and their comparison.

    Args:
        variants: Their names.
        swept: The one whose images are followed away from the origin and through stronger and stronger sharpening.
        prefix: What the names of the comparison's results begin with, such as ``experiments_``.
    """
    return sum((_variant_pipeline(variant) for variant in variants), _comparison_pipeline(variants, swept, prefix))


def _variant_pipeline(variant: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                open_variant,
                inputs=[
                    "encoder",
                    "decoder",
                    "history",
                    "configuration",
                    "test_images",
                    "train_images",
                    "params:variant",
                ],
                outputs="model",
                name="open_models",
            ),
            Node(
                reconstruct_images,
                inputs=["model", "shown_originals", "params:evaluation"],
                outputs="reconstructions",
                name="reconstruct_test_images",
            ),
            Node(
                reconstruct_photos,
                inputs=["model", "checkpoints", "prepared_photos", "params:evaluation", "params:generation"],
                outputs="photo_rows",
                name="reconstruct_own_photos",
            ),
            Node(
                examine_model,
                inputs=["model", "test_images", "train_images", "summarised_originals", "params:evaluation"],
                outputs="examined",
                name="examine_model",
            ),
            Node(
                generate_and_measure,
                inputs=[
                    "model",
                    "train_images",
                    "test_images",
                    "latent_stages",
                    "summarised_originals",
                    "params:evaluation",
                ],
                outputs="generated",
                name="generate_and_measure",
            ),
            Node(
                draw_latent_charts,
                inputs=["model", "examined", "test_attributes", "params:evaluation"],
                outputs=[f"latent_{chart}" for chart in LATENT_CHARTS],
                name="draw_latent_charts",
            ),
            Node(
                list_latent_dimensions,
                inputs="examined",
                outputs="latent_dimensions",
                name="list_latent_dimensions",
            ),
        ],
        namespace=variant,
        inputs={
            "shown_originals",
            "prepared_photos",
            "test_images",
            "train_images",
            "test_attributes",
            "summarised_originals",
        },
        parameters={
            "params:evaluation": "params:evaluation",
            "params:generation": "params:generation",
            "params:variant": f"params:variants.{variant}",
        },
        tags="tensorflow",
    )


def _comparison_pipeline(variants: Sequence[str], swept: str, prefix: str) -> Pipeline:
    def of_each(name: str) -> list[str]:
        return [f"{variant}.{name}" for variant in variants]

    return Pipeline(
        [
            Node(
                choose_originals,
                inputs=["test_images", "params:evaluation"],
                outputs=["shown_originals", "shown_captions"],
                name="choose_test_images",
            ),
            Node(
                summarise_originals,
                inputs=["test_images", "params:evaluation"],
                outputs="summarised_originals",
                name="summarise_test_images",
                tags="tensorflow",
            ),
            Node(
                prepare_photos,
                inputs=["own_photos", "test_images", "params:data_engineering"],
                outputs=["prepared_photos", "photo_captions", "photo_note"],
                name="prepare_own_photos",
                tags="tensorflow",
            ),
            Node(
                compare_reconstructions,
                inputs=["shown_originals", "shown_captions", "params:evaluation", *of_each("reconstructions")],
                outputs=f"{prefix}comparison_grid",
                name=f"{prefix}compare_reconstructions",
            ),
            Node(
                compare_photos,
                inputs=[
                    "prepared_photos",
                    "photo_captions",
                    "photo_note",
                    "own_photos",
                    "params:evaluation",
                    *of_each("photo_rows"),
                ],
                outputs=f"{prefix}own_photos_grid",
                name=f"{prefix}compare_own_photos",
            ),
            Node(
                gather_metrics,
                inputs=["params:evaluation", *of_each("model"), *of_each("examined"), *of_each("generated")],
                outputs=f"{prefix}metrics",
                name=f"{prefix}gather_metrics",
            ),
            Node(
                record_settings,
                inputs=[
                    "test_images",
                    "train_images",
                    "data_summary",
                    "run_record",
                    "params:evaluation",
                    *of_each("model"),
                ],
                outputs=f"{prefix}evaluated_settings",
                name=f"{prefix}record_settings",
            ),
            Node(
                draw_created_faces,
                inputs=["params:evaluation", *of_each("model"), *of_each("generated")],
                outputs=f"{prefix}created_faces_grid",
                name=f"{prefix}draw_created_faces",
            ),
            Node(
                draw_metrics,
                inputs=[f"{prefix}metrics", "params:evaluation"],
                outputs=f"{prefix}metrics_plot",
                name=f"{prefix}draw_metrics",
            ),
            Node(
                sweep,
                inputs=[f"{swept}.model", "test_images", "params:generation", "params:evaluation"],
                outputs=f"{prefix}sweeps",
                name=f"{prefix}sweep",
                tags="tensorflow",
            ),
            Node(
                draw_distance_sweep,
                inputs=f"{prefix}sweeps",
                outputs=f"{prefix}distance_sweep",
                name=f"{prefix}draw_distance_sweep",
            ),
            Node(
                draw_sharpening_sweep,
                inputs=f"{prefix}sweeps",
                outputs=f"{prefix}sharpening_sweep",
                name=f"{prefix}draw_sharpening_sweep",
            ),
            Node(
                check_articles_claims,
                inputs=[
                    f"{prefix}metrics",
                    f"{prefix}sweeps",
                    "run_record",
                    "params:evaluation",
                    *of_each("model"),
                    *of_each("examined"),
                ],
                outputs=f"{prefix}claims",
                name=f"{prefix}check_claims",
            ),
            Node(
                write_report,
                inputs=[
                    f"{prefix}metrics",
                    f"{prefix}claims",
                    f"{prefix}sweeps",
                    f"{prefix}comparison_grid",
                    f"{prefix}own_photos_grid",
                    f"{prefix}created_faces_grid",
                    "photo_captions",
                    "photo_note",
                    "own_photos",
                    "summarised_originals",
                    "data_summary",
                    "test_attributes",
                    "run_record",
                    "params:evaluation",
                    *of_each("model"),
                    *of_each("examined"),
                    *of_each("generated"),
                ],
                outputs=f"{prefix}report",
                name=f"{prefix}write_report",
            ),
        ]
    )

"""Each variant on the same test images and own photos, and what their comparison says."""

from collections.abc import Iterable, Sequence

from kedro.pipeline import Node, Pipeline

from celeba_vae.metrics.evaluated_variant import open_variant
from celeba_vae.metrics.sweeps import sweep
from celeba_vae.metrics.variant_measuring import measure_variant, summarise_test_images
from celeba_vae.pipelines.evaluation import nodes
from celeba_vae.reporting.evaluation_report import ComparisonPictures, DrawnVariant, evaluation_report
from celeba_vae.reporting.run_section import EvaluationRun
from celeba_vae.reporting.variant_rows import choose_test_images, reconstruct_what_is_shown

TRAINED = ["encoder", "decoder", "history", "configuration"]
IMAGES = ["test_images", "train_images"]
PARAMETERS = ["params:evaluation", "params:generation"]
LATENT_CHARTS = [f"latent_{chart}" for chart in ("distances", "moments", "projection", "correlation", "kl")]
SWEEP_CHARTS = ["distance_sweep", "sharpening_sweep"]

# what is found out about a variant, in whose namespace it is
_VARIANT = Pipeline(
    [
        Node(
            open_variant,
            inputs=[*TRAINED, *IMAGES, "params:variant"],
            outputs="model",
            name="open_models",
        ),
        Node(
            reconstruct_what_is_shown,
            inputs=["model", "checkpoints", "test_images_shown", "prepared_photos", *PARAMETERS],
            outputs="shown",
            name="reconstruct_what_is_shown",
        ),
        Node(
            measure_variant,
            inputs=["shown", "model", *IMAGES, "latent_stages", "test_images_summary", "params:evaluation"],
            outputs="evaluated",
            name="measure",
        ),
        Node(
            nodes.draw_latent_charts,
            inputs=["evaluated", "test_attributes", "params:evaluation"],
            outputs=LATENT_CHARTS,
            name="draw_latent_charts",
        ),
        Node(
            nodes.list_latent_dimensions,
            inputs="evaluated",
            outputs="latent_dimensions",
            name="list_latent_dimensions",
        ),
        Node(
            DrawnVariant,
            inputs=["evaluated", "loss_curves", *LATENT_CHARTS],
            outputs="drawn",
            name="gather_pictures",
        ),
    ]
)


def create_pipeline(variants: Sequence[str], swept: str) -> Pipeline:
    """Build the pipeline that compares the named variants: one template, a namespace each, and their comparison.

    The images of the one that is ``swept`` are followed away from the origin and through stronger sharpening.
    """
    return prepare_images() + evaluate_variants(variants) + compare_variants(variants, swept)


def prepare_images() -> Pipeline:
    """Build what all variants are evaluated on: test images to show, all of them as a set, and own photos."""
    return Pipeline(
        [
            Node(
                choose_test_images,
                inputs=["test_images", "params:evaluation"],
                outputs="test_images_shown",
                name="choose_test_images",
            ),
            Node(
                summarise_test_images,
                inputs=["test_images", "params:evaluation"],
                outputs="test_images_summary",
                name="summarise_test_images",
                tags="tensorflow",
            ),
            Node(
                nodes.prepare_photos,
                inputs=["own_photos", "test_images", "params:data_engineering"],
                outputs="prepared_photos",
                name="prepare_own_photos",
                tags="tensorflow",
            ),
        ]
    )


def evaluate_variants(variants: Iterable[str]) -> Pipeline:
    """Build what is found out about each variant, ``<variant>.evaluated``, and the pictures of it."""
    return Pipeline(
        Pipeline(
            _VARIANT,
            namespace=variant,
            inputs={*IMAGES, "test_attributes", "test_images_shown", "test_images_summary", "prepared_photos"},
            parameters={**{name: name for name in PARAMETERS}, "params:variant": f"params:variants.{variant}"},
            tags="tensorflow",
        )
        for variant in variants
    )


def compare_variants(variants: Sequence[str], swept: str) -> Pipeline:
    """Build what is said and drawn of all variants together."""
    shown, evaluated, drawn = (
        [f"{variant}.{stage}" for variant in variants] for stage in ("shown", "evaluated", "drawn")
    )
    return Pipeline([*_findings(evaluated, swept), *_pictures(shown, evaluated), *_report(drawn)])


def _findings(evaluated: list[str], swept: str) -> list[Node]:
    return [
        Node(
            nodes.gather_metrics,
            inputs=evaluated,
            outputs="metrics",
            name="gather_metrics",
        ),
        Node(
            nodes.record_settings,
            inputs=[*IMAGES, "data_summary", "run_record", "params:evaluation", *evaluated],
            outputs="evaluated_settings",
            name="record_settings",
        ),
        Node(
            sweep,
            inputs=[f"{swept}.model", "test_images", "params:generation", "params:evaluation"],
            outputs="sweeps",
            name="sweep",
            tags="tensorflow",
        ),
        Node(
            nodes.check_articles_claims,
            inputs=["sweeps", "run_record", "test_images", *evaluated],
            outputs="claims",
            name="check_claims",
        ),
    ]


def _pictures(shown: list[str], evaluated: list[str]) -> list[Node]:
    return [
        Node(
            nodes.draw_metrics,
            inputs=["metrics", "params:evaluation"],
            outputs="metrics_plot",
            name="draw_metrics",
        ),
        Node(
            nodes.draw_sweeps,
            inputs="sweeps",
            outputs=SWEEP_CHARTS,
            name="draw_sweeps",
        ),
        Node(
            nodes.compare_reconstructions,
            inputs=["test_images_shown", "params:evaluation", *shown],
            outputs="comparison_grid",
            name="compare_reconstructions",
        ),
        Node(
            nodes.compare_photos,
            inputs=["prepared_photos", "own_photos", "params:evaluation", *shown],
            outputs="own_photos_grid",
            name="compare_own_photos",
        ),
        Node(
            nodes.draw_created_faces,
            inputs=["params:evaluation", *evaluated],
            outputs="created_faces_grid",
            name="draw_created_faces",
        ),
    ]


def _report(drawn: list[str]) -> list[Node]:
    return [
        Node(
            ComparisonPictures,
            inputs=["comparison_grid", "own_photos_grid", "created_faces_grid", *SWEEP_CHARTS],
            outputs="comparison_pictures",
            name="gather_pictures",
        ),
        Node(
            EvaluationRun,
            inputs=[
                "run_record",
                "data_summary",
                "test_images_summary",
                "prepared_photos",
                "own_photos",
                "params:evaluation",
            ],
            outputs="evaluation_run",
            name="describe_run",
        ),
        Node(
            evaluation_report,
            inputs=["evaluation_run", "claims", "sweeps", "comparison_pictures", *drawn],
            outputs="report",
            name="write_report",
        ),
    ]

"""Each variant on the same test images and own photos, and their comparison."""

from kedro.pipeline import Node, Pipeline

from celeba_vae.pipelines.evaluation.nodes import (
    choose_originals,
    compare_measures,
    compare_photos,
    compare_reconstructions,
    draw_metrics,
    measure_model,
    prepare_photos,
    reconstruct_images,
)


def create_pipeline(variants: tuple[str, ...]) -> Pipeline:
    """Build the pipeline that compares these variants: one template, a namespace each, and their comparison."""
    return sum((_variant_pipeline(variant) for variant in variants), _comparison_pipeline(variants))


def _variant_pipeline(variant: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                reconstruct_images,
                inputs=["encoder", "decoder", "shown_originals", "params:evaluation", "params:variant"],
                outputs="reconstructions",
                name="reconstruct_test_images",
            ),
            Node(
                reconstruct_images,
                inputs=["encoder", "decoder", "prepared_photos", "params:evaluation", "params:variant"],
                outputs="photo_reconstructions",
                name="reconstruct_own_photos",
            ),
            Node(
                measure_model,
                inputs=["encoder", "decoder", "test_images", "params:evaluation", "params:variant"],
                outputs="measures",
                name="measure_reconstruction",
            ),
        ],
        namespace=variant,
        inputs={"shown_originals", "prepared_photos", "test_images"},
        parameters={"params:evaluation": "params:evaluation", "params:variant": f"params:variants.{variant}"},
        tags="tensorflow",
    )


def _comparison_pipeline(variants: tuple[str, ...]) -> Pipeline:
    return Pipeline(
        [
            Node(
                choose_originals,
                inputs=["test_images", "params:evaluation"],
                outputs=["shown_originals", "shown_captions"],
                name="choose_test_images",
            ),
            Node(
                prepare_photos,
                inputs=["own_photos", "test_images", "params:data_engineering"],
                outputs=["prepared_photos", "photo_names"],
                name="prepare_own_photos",
            ),
            Node(
                compare_reconstructions,
                inputs=[
                    "shown_originals",
                    "shown_captions",
                    "params:evaluation",
                    *(f"{variant}.reconstructions" for variant in variants),
                ],
                outputs="comparison_grid",
                name="compare_reconstructions",
            ),
            Node(
                compare_photos,
                inputs=[
                    "prepared_photos",
                    "photo_names",
                    "own_photos",
                    "params:evaluation",
                    *(f"{variant}.photo_reconstructions" for variant in variants),
                ],
                outputs="own_photos_grid",
                name="compare_own_photos",
            ),
            Node(
                compare_measures,
                inputs=["params:evaluation", *(f"{variant}.measures" for variant in variants)],
                outputs="metrics",
                name="compare_measures",
            ),
            Node(draw_metrics, inputs="metrics", outputs="metrics_plot", name="draw_metrics"),
        ]
    )

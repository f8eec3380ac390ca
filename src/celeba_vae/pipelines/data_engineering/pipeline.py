"""The pipeline ``data_engineering``: needs no TensorFlow."""

from kedro.pipeline import Node, Pipeline

from celeba_vae.pipelines.data_engineering import nodes
from celeba_vae.reporting.previews import crop_boxes, mean_grid, preview_grid

PARAMETERS = "params:data_engineering"
ARRAYS = ["train_images", "validation_images", "test_images"]
ATTRIBUTES = ["train_attributes", "validation_attributes", "test_attributes"]
FOR_PICTURES = ["split_means", "image_samples"]


def create_pipeline() -> Pipeline:
    """From the folder of originals to an array and a table a split, the index, and pictures to check them by."""
    return Pipeline(
        [
            Node(
                nodes.collect_images,
                inputs=["raw_folder", PARAMETERS],
                outputs="originals",
                name="collect_images",
            ),
            Node(
                nodes.assign_splits,
                inputs=["originals", PARAMETERS],
                outputs="splits",
                name="assign_splits",
            ),
            Node(
                nodes.prepare_images,
                inputs=["originals", "splits", PARAMETERS, "preparation_folder"],
                outputs={name: name for name in [*ARRAYS, *ATTRIBUTES, "image_index", "data_summary", *FOR_PICTURES]},
                name="prepare_images",
            ),
            Node(
                preview_grid,
                inputs=[*ARRAYS, "image_samples"],
                outputs="preview_grid",
                name="draw_preview_grid",
            ),
            Node(
                crop_boxes,
                inputs=["originals", "image_samples", PARAMETERS],
                outputs="crop_boxes",
                name="draw_crop_boxes",
            ),
            Node(
                mean_grid,
                inputs=["split_means", "data_summary"],
                outputs="mean_images",
                name="draw_mean_images",
            ),
        ]
    )

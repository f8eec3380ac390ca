"""One template, instantiated for each variant by namespace."""

from collections.abc import Iterable

from kedro.pipeline import Node, Pipeline

from celeba_vae.pipelines.training.nodes import draw_faces_forming, draw_loss_curves, train_variant
from celeba_vae.training.distributed.peers import TRAINS

IMAGES = ["train_images", "validation_images"]


def create_pipeline(variants: Iterable[str]) -> Pipeline:
    """Build the training of the named variants."""
    template = Pipeline(
        [
            Node(
                train_variant,
                inputs=[*IMAGES, "checkpoints", "monitoring", "params:variant", "params:hardware"],
                outputs=["encoder", "decoder", "history", "configuration"],
                name="train",
                tags=["tensorflow", TRAINS],
            ),
            Node(
                draw_loss_curves,
                inputs=["history", "params:variant"],
                outputs="loss_curves",
                name="draw_loss_curves",
            ),
            Node(
                draw_faces_forming,
                inputs=["configuration", "monitoring"],
                outputs="faces_forming",
                name="draw_faces_forming",
            ),
        ]
    )
    return Pipeline(
        Pipeline(
            template,
            namespace=variant,
            inputs=set(IMAGES),
            parameters={"params:variant": f"params:variants.{variant}", "params:hardware": "params:hardware"},
        )
        for variant in variants
    )

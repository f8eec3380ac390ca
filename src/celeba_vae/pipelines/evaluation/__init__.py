"""Models compared on the test images and on the user's own photos."""

from celeba_vae.pipelines.evaluation.pipeline import (
    compare_variants,
    create_pipeline,
    evaluate_variants,
    prepare_images,
)

__all__ = ["compare_variants", "create_pipeline", "evaluate_variants", "prepare_images"]

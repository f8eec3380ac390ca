"""Models compared on the test images and on the user's own photos."""

from celeba_vae.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]

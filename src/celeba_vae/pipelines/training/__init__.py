"""Train a model for each variant."""

from celeba_vae.pipelines.training.pipeline import create_pipeline

__all__ = ["create_pipeline"]

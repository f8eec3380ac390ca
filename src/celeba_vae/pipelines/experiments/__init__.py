"""Variants trained side by side on one budget, and what their comparison says of the articles' claims."""

from celeba_vae.pipelines.experiments.pipeline import create_pipeline

__all__ = ["create_pipeline"]

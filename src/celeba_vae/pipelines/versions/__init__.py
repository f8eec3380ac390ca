"""Two versions of the metrics compared."""

from celeba_vae.pipelines.versions.pipeline import create_pipeline

__all__ = ["create_pipeline"]

"""From original images to arrays."""

from celeba_vae.pipelines.data_engineering.pipeline import create_pipeline

__all__ = ["create_pipeline"]

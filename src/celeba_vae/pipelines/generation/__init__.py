"""New faces from random points of the latent space."""

from celeba_vae.latent.provenance import remake_image
from celeba_vae.pipelines.generation.pipeline import create_pipeline

__all__ = ["create_pipeline", "remake_image"]

"""Where original images come from, each a component."""

from celeba_vae.preparation.sources.celeba import CelebaSource, FolderSource, SyntheticSource

__all__ = ["CelebaSource", "FolderSource", "SyntheticSource"]

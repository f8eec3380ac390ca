"""Where original images come from, each a component: CelebA as downloaded, any folder of images, or drawn faces."""

from celeba_vae.preparation.sources.celeba import CelebaSource
from celeba_vae.preparation.sources.drawn import SyntheticSource
from celeba_vae.preparation.sources.folder import FolderSource

__all__ = ["CelebaSource", "FolderSource", "SyntheticSource"]

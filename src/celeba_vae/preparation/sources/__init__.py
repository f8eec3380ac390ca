"""Where original images come from, each a component: CelebA as downloaded, any folder of images, or drawn faces.

A source has two methods: ``check(raw_folder)`` says quickly whether there is anything to prepare, and
``collect(raw_folder)`` gives an ``ImageCollection``. From there on nothing knows which source it was.
"""

from celeba_vae.preparation.sources.celeba import CelebaSource
from celeba_vae.preparation.sources.drawn import SyntheticSource
from celeba_vae.preparation.sources.folder import FolderSource

__all__ = ["CelebaSource", "FolderSource", "SyntheticSource"]

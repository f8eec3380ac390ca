"""Drawn faces in CelebA's form, with attributes that are true because the faces are drawn by them.

Example:
    write_synthetic_celeba(Path("data/01_raw/celeba"), count=3000, seed=0)
    paint_face(FaceTraits(smile=0.9, glasses="round"))  # a chosen face
"""

from celeba_vae.synthetic.drawn_celeba import write_synthetic_celeba
from celeba_vae.synthetic.portrait import paint_face
from celeba_vae.synthetic.random_traits import sample_traits
from celeba_vae.synthetic.traits import ATTRIBUTE_NAMES, FaceTraits, attributes_of

__all__ = [
    "ATTRIBUTE_NAMES",
    "FaceTraits",
    "attributes_of",
    "paint_face",
    "sample_traits",
    "write_synthetic_celeba",
]

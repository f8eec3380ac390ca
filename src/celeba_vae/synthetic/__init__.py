"""Drawn faces in CelebA's form, with attributes that are true because the faces are drawn by them."""

"""Drawn faces in CelebA's form."""

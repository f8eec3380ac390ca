"""Files and folders, local and remote: written whole, kept in stages, copied to a cache."""

from celeba_vae.storage.npy import Arrays, load_arrays, save_arrays
from celeba_vae.storage.places import CONNECTIONS, Place, RemotePath, copy, is_remote, readable, state_of, written

__all__ = [
    "CONNECTIONS",
    "Arrays",
    "Place",
    "RemotePath",
    "copy",
    "is_remote",
    "load_arrays",
    "readable",
    "save_arrays",
    "state_of",
    "written",
]

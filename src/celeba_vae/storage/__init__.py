"""Files and folders, local and remote: written whole, kept in stages, copied to a cache."""

from celeba_vae.storage.cache import (
    checksum,
    remove_with_checksum,
    stored_checksum,
    upload_with_checksum,
    use_cached,
)
from celeba_vae.storage.npy import Arrays, load_arrays, save_arrays
from celeba_vae.storage.places import CONNECTIONS, Place, RemotePath, copy, readable, state_of, written
from celeba_vae.storage.stages import NumpyFile, TableFile
from celeba_vae.storage.store_errors import failure, is_failure, missing_package

__all__ = [
    "CONNECTIONS",
    "Arrays",
    "NumpyFile",
    "Place",
    "RemotePath",
    "TableFile",
    "checksum",
    "copy",
    "failure",
    "is_failure",
    "load_arrays",
    "missing_package",
    "readable",
    "remove_with_checksum",
    "save_arrays",
    "state_of",
    "stored_checksum",
    "upload_with_checksum",
    "use_cached",
    "written",
]

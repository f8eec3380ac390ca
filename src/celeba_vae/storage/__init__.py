"""Files and folders, local and remote: written whole, kept in stages, copied to a cache."""

from celeba_vae.config.addresses import is_remote, protocol_of, working_folder
from celeba_vae.storage.cache import (
    checksum,
    keep_in_cache,
    remove_with_checksum,
    stored_checksum,
    upload_with_checksum,
    use_cached,
)
from celeba_vae.storage.finished_files import Arrays, NumpyFile, TableFile, load_arrays, save_arrays
from celeba_vae.storage.places import CONNECTIONS, Place, RemotePath, copy, readable, state_of, written
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
    "is_remote",
    "keep_in_cache",
    "load_arrays",
    "missing_package",
    "protocol_of",
    "readable",
    "remove_with_checksum",
    "save_arrays",
    "state_of",
    "stored_checksum",
    "upload_with_checksum",
    "use_cached",
    "working_folder",
    "written",
]

"""What an address says: of a file system elsewhere, ``s3://bucket/…``, or a path on this machine."""

import os
import re

_ADDRESS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")


def is_remote(address: str | os.PathLike) -> bool:
    """Say whether an address is one of another file system than the local one.

    Example:
        >>> is_remote("s3://bucket/celeba"), is_remote("data/01_raw"), is_remote("file:///data")
        (True, False, False)
    """
    return protocol_of(address) is not None


def protocol_of(address: str | os.PathLike) -> str | None:
    """Give what stands before ``://`` in an address; None for a path on this machine.

    Example:
        >>> protocol_of("s3://bucket/celeba")
        's3'
    """
    match = _ADDRESS.match(str(address))
    return match[1].lower() if match and match[1].lower() not in ("file", "local") else None


def working_folder(data: str, work: str) -> str:
    """Give the local folder for what needs a disk with locks: the data folder itself, or, where it is remote, ``work``.

    Configuration files name it as ``${working_folder:${globals:data},${globals:work}}``.
    """
    return work if is_remote(data) else data

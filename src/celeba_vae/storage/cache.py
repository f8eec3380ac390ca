"""Local copies of what must be on a disk to be used, and the checksums that tell whether they are those stored."""

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from celeba_vae.errors import DataError
from celeba_vae.storage.atomic import check_room, link_or_copy, written_atomically
from celeba_vae.storage.places import RemotePath, state_of, store_errors

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


def checksum(file: Path) -> str:
    """Give a local file's SHA-256; a file that has not changed is read once in a process."""
    status = file.stat()
    return _checksum(str(file.absolute()), status.st_ino, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _checksum(path: str, *_: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stored_checksum(remote: RemotePath) -> str | None:
    """Give the checksum that is stored beside a file; None where there is none."""
    try:
        return _beside(remote).read_text().split()[0]
    except (FileNotFoundError, IndexError):
        return None


def upload_with_checksum(remote: RemotePath, file: Path) -> None:
    """Upload a file, with its checksum beside it, in the form of ``sha256sum``, and keep it in the cache.

    A checksum that is there always belongs to the file: it is written last and removed first.
    """
    _beside(remote).unlink(missing_ok=True)
    remote.upload(file)
    _beside(remote).write_bytes(f"{checksum(file)}  {remote.name}\n".encode())
    with _locked_cache(remote) as folder:
        kept = folder / checksum(file) / remote.name
        if not kept.exists():
            link_or_copy(file, kept)
        _remove_others(folder, kept)


def remove_with_checksum(remote: RemotePath) -> None:
    """Remove a file and its checksum."""
    remote.unlink(missing_ok=True)
    _beside(remote).unlink(missing_ok=True)


def use_cached(remote: RemotePath, use: Callable[[Path], Result]) -> Result:
    """Give what ``use`` makes of a local copy of a file, which is downloaded unless it is in the cache.

    The cache knows it by the checksum stored beside the file, else by its size and its tag or time in the store: a file
    that has changed is downloaded anew. While ``use`` runs no other process removes the copy; what it has opened or
    mapped stays usable afterwards.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: what is downloaded is damaged, twice.
    """
    with _locked_cache(remote) as folder:
        expected = stored_checksum(remote)
        kept = folder / (expected or _state(remote)) / remote.name
        if not kept.exists():
            _download(remote, kept, expected)
        _remove_others(folder, kept)
        return use(kept)


def _download(remote: RemotePath, target: Path, expected: str | None) -> None:
    size = remote.stat().st_size
    # what a killed process had of it
    shutil.rmtree(target.parent, ignore_errors=True)
    check_room(target.parent, size, f"The local copy of {remote}", "another folder for it (work in globals.yml)")
    logger.info("Downloading %s, %s MB", remote, f"{size / 1e6:,.1f}")
    with written_atomically(target) as temporary:
        for again in (True, False):
            remote.download(temporary)
            if temporary.stat().st_size == size and expected in (None, checksum(temporary)):
                return
            if again:
                logger.warning("%s arrived damaged: downloading it once more.", remote)
        raise DataError(
            f"{remote} is damaged: downloaded twice, it is not what {_beside(remote).name} beside it says.\n"
            "Run the pipeline again that makes it, or delete both files to have it made anew."
        )


def _state(remote: RemotePath) -> str:
    remote.fs.invalidate_cache(remote.path)
    with store_errors(remote):
        state = state_of(remote.fs.info(remote.path))
    return hashlib.sha256(repr(state).encode()).hexdigest()


def _beside(remote: RemotePath) -> RemotePath:
    return remote.with_name(f"{remote.name}.sha256")


@contextmanager
def _locked_cache(remote: RemotePath) -> Iterator[Path]:
    """Give the file's folder in the cache, held against other processes."""
    cache = remote.cache or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "celeba_vae"
    address = hashlib.sha256(str(remote).encode()).hexdigest()[:16]
    folder = cache.absolute() / f"{remote.stem}-{address}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        yield folder


def _remove_others(folder: Path, kept: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and entry != kept.parent:
            shutil.rmtree(entry, ignore_errors=True)

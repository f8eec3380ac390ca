"""Files and folders at fsspec addresses, ``s3://bucket/…``: read, written whole, and copied to a local cache.

An object store has no rename and no lock, but an object appears only when its upload is complete. So a file is written
to a local one first and uploaded; of a folder, the file that marks it as complete is the last.
"""

import errno
import hashlib
import io
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeVar

import fsspec
from filelock import FileLock

from celeba_vae.errors import CelebaVaeError, DataError, SettingError
from celeba_vae.storage.atomic import check_room, link_or_copy, written_atomically

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

CHECKSUM_SUFFIX = ".sha256"
_OF_THIS_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_ADDRESS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")
# the package that each kind of address needs, and the extra that brings it
_EXTRAS = {"s3fs": "s3", "gcsfs": "gs"}
# whose exceptions mean that a store can't be reached or refuses
_CLIENTS = ("botocore.", "aiobotocore.", "aiohttp.", "gcsfs.", "google.auth.", "google.api_core.", "requests.")
# of object stores, which have no folders to make: s3fs would make a bucket instead
PROTOCOLS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss"})
# files that are fetched from a store at the same time: what takes time is waiting for each
CONNECTIONS = 16


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


@dataclass(frozen=True)
class RemotePath:
    """A file or folder at an fsspec address, with as much of pathlib's interface as is used for both.

    Args:
        protocol: What stands before ``://``.
        fs: The file system.
        path: The path there, as the file system knows it.
        cache: Local folder for copies of what must be on a disk to be used.

    Raises:
        DataError: in each method, the store can't be reached or refuses; the message says what to do.
    """

    protocol: str
    fs: fsspec.AbstractFileSystem
    path: PurePosixPath
    cache: Path | None = None

    @classmethod
    def of(cls, address: str, options: Mapping[str, Any] | None = None, cache: Path | None = None) -> "RemotePath":
        """Give the path at an address; ``options`` are the file system's own, such as credentials.

        Raises:
            SettingError: there is no such file system, its package is not installed, or no bucket is named.
        """
        protocol = protocol_of(address)
        if not _ADDRESS.sub("", address, count=1).strip("/") and protocol in PROTOCOLS:
            raise SettingError(f"{address} names no bucket: write {protocol}://BUCKET/FOLDER.")
        return cls.at(protocol, file_system(protocol, options), address, cache)

    @classmethod
    def at(cls, protocol: str, fs: fsspec.AbstractFileSystem, path: str, cache: Path | None = None) -> "RemotePath":
        """Give a path in a file system."""
        return cls(protocol, fs, PurePosixPath(fs._strip_protocol(path)), cache)

    def __str__(self) -> str:
        return f"{self.protocol}://{self.path}"

    def __truediv__(self, name: str) -> "RemotePath":
        return self._at(self.path / name)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.name

    @property
    def parent(self) -> "RemotePath":
        """The folder that it is in."""
        return self._at(self.path.parent)

    @property
    def parents(self) -> list["RemotePath"]:
        """The folders that it is in, from the innermost."""
        return [self._at(parent) for parent in self.path.parents]

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the path."""
        return self.path.parts

    def relative_to(self, other: "RemotePath") -> PurePosixPath:
        """Give the path from another."""
        return self.path.relative_to(other.path)

    def exists(self) -> bool:
        """Whether there is such a file or folder."""
        return self._do(self.fs.exists, str(self.path))

    def is_file(self) -> bool:
        """Whether there is such a file."""
        return self._do(self.fs.isfile, str(self.path))

    def is_dir(self) -> bool:
        """Whether there is such a folder."""
        return self._do(self.fs.isdir, str(self.path))

    def glob(self, pattern: str) -> list["RemotePath"]:
        """Give what matches a pattern below this folder, sorted."""
        return [self._at(PurePosixPath(path)) for path in sorted(self._do(self.fs.glob, f"{self.path}/{pattern}"))]

    def files(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Give each file below this folder: its path from here, and what the store knows of it; none without folder."""
        try:
            found = self._do(self.fs.find, str(self.path), detail=True)
        except FileNotFoundError:
            return
        root = f"{self.fs._strip_protocol(str(self.path))}/"
        for path, info in found.items():
            if path.startswith(root) and info.get("type") == "file":
                yield path.removeprefix(root), info

    def size(self) -> int:
        """Give the file's size in bytes."""
        return self._do(self.fs.info, str(self.path))["size"]

    def open(self) -> BinaryIO:
        """Give the file's content as a stream; it is read at once."""
        return io.BytesIO(self.read_bytes())

    def read_bytes(self) -> bytes:
        """Read the file."""
        with suppress(Exception):
            # given a range, s3fs does not ask for the size first: one request instead of two
            return self.fs.cat_file(str(self.path), start=0)
        # an empty file has no such range
        return self._do(self.fs.cat_file, str(self.path))

    def read_text(self, encoding: str = "utf-8") -> str:
        """Read the file as text."""
        return self.read_bytes().decode(encoding)

    def write_bytes(self, content: bytes) -> None:
        """Write the file."""
        self._write(self.fs.pipe_file, str(self.path), bytes(content))

    def upload(self, file: Path) -> None:
        """Write a local file's content."""
        self._write(self.fs.put_file, str(file), str(self.path))

    def download(self, file: Path) -> None:
        """Write the content to a local file; interrupted, it leaves a part of it."""
        self._do(self.fs.get_file, str(self.path), str(file))

    def copy_to(self, other: "RemotePath") -> None:
        """Copy the file within its file system."""
        other._write(self.fs.cp_file, str(self.path), str(other.path))

    def unlink(self) -> None:
        """Remove the file if it is there."""
        try:
            self._do(self.fs.rm_file, str(self.path))
        except FileNotFoundError:
            return

    def remove_folder(self) -> None:
        """Remove the folder and all that is in it."""
        self._do(self.fs.rm, str(self.path), recursive=True)

    def state(self) -> str:
        """Give what changes with the file's content, without reading it: its size, and its tag or time."""
        self.fs.invalidate_cache(str(self.path))
        return repr(state_of(self._do(self.fs.info, str(self.path))))

    def check(self) -> None:
        """Make sure that the store can be reached and has the bucket; the folder need not be there yet.

        Raises:
            DataError: it can't, or it has not.
        """
        self.fs.invalidate_cache()
        try:
            self._do(self.fs.ls, str(self.path), detail=False)
        except FileNotFoundError:
            # an empty folder is none; what must be there is the bucket
            self._check_bucket()

    def _check_bucket(self) -> None:
        bucket = self._at(PurePosixPath(*self.path.parts[:1]))
        try:
            bucket.fs.info(str(bucket.path))
        except PermissionError:
            # who may read and write objects need not be allowed to look at the bucket
            return
        except Exception as error:
            raise failure(bucket, error) from error

    def _at(self, path: PurePosixPath) -> "RemotePath":
        return RemotePath(self.protocol, self.fs, path, self.cache)

    def _write(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            if self.protocol not in PROTOCOLS:
                self._do(self.fs.makedirs, str(self.path.parent), exist_ok=True)
            self._do(function, *arguments)
        except FileNotFoundError as error:
            raise failure(self, error) from error
        self.fs.invalidate_cache(str(self.path))

    def _do(self, function: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        try:
            return function(*arguments, **options)
        except FileNotFoundError:
            raise
        except OSError as error:
            if error.errno in _OF_THIS_DISK:
                raise
            raise failure(self, error) from error
        except Exception as error:
            raise failure(self, error) from error


Place = Path | RemotePath


def file_system(protocol: str, options: Mapping[str, Any] | None = None) -> fsspec.AbstractFileSystem:
    """Give the file system of a protocol.

    Raises:
        SettingError: there is none, or its package is not installed.
    """
    try:
        return fsspec.filesystem(protocol, **(options or {}))
    except ImportError as error:
        raise SettingError(missing_package(error) or f"{protocol}:// can't be used: {error}") from error
    except ValueError as error:
        raise SettingError(f"{protocol}:// can't be used: {error}") from error


def missing_package(error: BaseException) -> str | None:
    """Say what to install where an address needs a package that is not there; None for any other error."""
    while error is not None:
        extra = _EXTRAS.get(getattr(error, "name", None) or "") if isinstance(error, ImportError) else None
        if extra:
            return f"{extra}:// addresses need the package {error.name}: pip install -c constraints.txt -e '.[{extra}]'"
        error = error.__cause__ or error.__context__
    return None


def is_failure(error: BaseException) -> bool:
    """Say whether an error comes from a store's client: it could not be reached, or it refused."""
    return type(error).__module__.startswith(_CLIENTS)


def failure(place: RemotePath | str, error: Exception) -> CelebaVaeError:
    """Say that a store could not be used, why, and what to do."""
    if isinstance(error, CelebaVaeError):
        return error
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return DataError(
        f"{place} can't be used: {reason[:300]}\n"
        "Check the bucket's name, the credentials (conf/local/credentials.yml, with --env NAME that of conf/NAME, or"
        " the shell's such as AWS_ACCESS_KEY_ID) and what they allow, the endpoint if it is not the provider's own, and"
        " the network. Then run again: what is finished is not made again."
    )


def state_of(info: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give what changes with a file's content, of what its store knows of it: its size, and its tag or its time."""
    keys = ("ETag", "etag", "md5Hash", "md5", "generation", "LastModified", "mtime", "updated", "created")
    mark = next((info[key] for key in keys if info.get(key)), "")
    return info.get("size"), str(mark)


# --------------------------------------------------------------------------------------------- reading and writing


@contextmanager
def written(place: Place) -> Iterator[Path]:
    """Give a local path to write a file to; it appears in its place when the block succeeds, complete."""
    if isinstance(place, RemotePath):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / place.name
            yield file
            place.upload(file)
    else:
        with written_atomically(place) as file:
            yield file


@contextmanager
def readable(place: Place) -> Iterator[Path]:
    """Give a local path to read a file from while the block lasts.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if isinstance(place, RemotePath):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / place.name
            place.download(file)
            yield file
    else:
        yield place


def copy(source: Place, target: Place) -> None:
    """Copy a file within its file system; the copy appears when it is complete."""
    if isinstance(source, RemotePath):
        source.copy_to(target)
    else:
        with written_atomically(target) as temporary:
            shutil.copyfile(source, temporary)


# -------------------------------------------------------------------------------------------------- the local cache


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


def upload_with_checksum(file: Path, remote: RemotePath) -> None:
    """Upload a file, with its checksum beside it, in the form of ``sha256sum``.

    An older checksum is removed first and the new one written last: one that is there always belongs to the file.
    """
    _beside(remote).unlink()
    remote.upload(file)
    _beside(remote).write_bytes(f"{checksum(file)}  {remote.name}\n".encode())


def remove_with_checksum(remote: RemotePath) -> None:
    """Remove a file and its checksum."""
    remote.unlink()
    _beside(remote).unlink()


def keep_in_cache(file: Path, remote: RemotePath) -> None:
    """Put a file that was just uploaded into the cache, so that it need not be downloaded."""
    folder = _cache_folder(remote)
    with _locked(folder):
        kept = folder / checksum(file) / remote.name
        if not kept.exists():
            link_or_copy(file, kept)
        _remove_others(folder, kept)


def use_cached(remote: RemotePath, use: Callable[[Path], Result]) -> Result:
    """Give what ``use`` makes of a local copy of a file, which is downloaded unless it is in the cache.

    Its name in the cache is the checksum stored beside the file, else its size and its tag or time in the store: a file
    that has changed is downloaded anew, and what an older one left is removed. While ``use`` runs no other process
    removes the copy; what it has opened or mapped stays usable afterwards.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: what is downloaded is damaged, twice.
    """
    folder = _cache_folder(remote)
    with _locked(folder):
        expected = stored_checksum(remote)
        state = remote.state()
        kept = folder / (expected or hashlib.sha256(state.encode()).hexdigest()) / remote.name
        if not kept.exists():
            _download(remote, kept, expected)
        _remove_others(folder, kept)
        return use(kept)


def _download(remote: RemotePath, target: Path, expected: str | None) -> None:
    size = remote.size()
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


def _beside(remote: RemotePath) -> RemotePath:
    return remote.parent / f"{remote.name}{CHECKSUM_SUFFIX}"


def _cache_folder(remote: RemotePath) -> Path:
    address = hashlib.sha256(str(remote).encode()).hexdigest()[:16]
    return (remote.cache or default_cache()).absolute() / f"{PurePosixPath(remote.name).stem}-{address}"


def default_cache() -> Path:
    """Give the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "celeba_vae"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        yield


def _remove_others(folder: Path, kept: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and entry != kept.parent:
            shutil.rmtree(entry, ignore_errors=True)

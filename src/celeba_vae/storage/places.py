"""Files and folders on disk or at fsspec addresses, ``s3://bucket/…``: read, written whole, copied; what goes wrong.

An object store has no rename and no lock, but an object appears only when its upload is complete. So a file is written
to a local one first and uploaded; of a folder, the file that marks it as complete is the last.
"""

import errno
import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from copy import deepcopy
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, Concatenate, ParamSpec, Self, TypeVar

from upath import UPath
from upath.extensions import ProxyUPath

from celeba_vae.errors import CelebaVaeError, DataError, SettingError
from celeba_vae.storage.atomic import written_atomically

P = ParamSpec("P")
Result = TypeVar("Result")

# the protocols of object stores, which have no folders to make: s3fs would make a bucket instead
OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss"})
# files that are fetched from a store at the same time: what takes time is waiting for each
CONNECTIONS = 16
# of this machine's disk, not the store's
_OF_THIS_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
# the package that each kind of address needs, and the extra that brings it
_EXTRAS = {"s3fs": "s3", "gcsfs": "gs"}
# whose exceptions mean that a store can't be reached or refuses
_CLIENTS = ("botocore.", "aiobotocore.", "aiohttp.", "gcsfs.", "google.auth.", "google.api_core.", "requests.")
_ADDRESS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")


def protocol_of(address: str | os.PathLike) -> str | None:
    """Give what stands before ``://`` in an address, such as ``s3``; None for a path on this machine."""
    match = _ADDRESS.match(str(address))
    return match[1].lower() if match and match[1].lower() not in ("file", "local") else None


def is_remote(address: str | os.PathLike) -> bool:
    """Say whether an address is one of another file system than the local one."""
    return protocol_of(address) is not None


def working_folder(data: str, work: str) -> str:
    """Give the local folder for what needs a disk with locks: the data folder itself, or, where it is remote, ``work``.

    Configuration files name it as ``${working_folder:${globals:data},${globals:work}}``.
    """
    return work if is_remote(data) else data


@contextmanager
def store_errors(place: object) -> Iterator[None]:
    """Raise what goes wrong with a place in a store as DataError; a missing file or a full disk here stays itself."""
    try:
        yield
    except Exception as error:
        if isinstance(error, FileNotFoundError) or getattr(error, "errno", None) in _OF_THIS_DISK:
            raise
        raise failure(place, error) from error


def missing_package(error: BaseException) -> str | None:
    """Say what to install where an address needs a package that is not there; None for any other error."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, ImportError) and (extra := _EXTRAS.get(link.name or "")):
            return f"{extra}:// addresses need the package {link.name}: pip install -c constraints.txt -e '.[{extra}]'"
        # one that was raised from None, too
        link = link.__cause__ or link.__context__
    return None


def is_failure(error: BaseException) -> bool:
    """Say whether an error comes from a store's client: it could not be reached, or it refused."""
    return type(error).__module__.startswith(_CLIENTS)


def failure(place: object, error: Exception) -> CelebaVaeError:
    """Say that a store could not be used, why, and what to do."""
    if isinstance(error, CelebaVaeError):
        return error
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return DataError(
        f"{str(place).rstrip('/')} can't be used: {reason[:300]}\n"
        "Check the bucket's name, the credentials (conf/local/credentials.yml, with --env NAME that of conf/NAME, or"
        " the shell's such as AWS_ACCESS_KEY_ID) and what they allow, the endpoint if it is not the provider's own, and"
        " the network. Then run again: what is finished is not made again."
    )


def _telling(method: Callable[Concatenate[Any, P], Result]) -> Callable[Concatenate[Any, P], Result]:
    """Let a method of a place raise its store's errors as ``store_errors`` does."""

    @wraps(method)
    def call(place: Any, *arguments: P.args, **options: P.kwargs) -> Result:
        with store_errors(place):
            return method(place, *arguments, **options)

    return call


class RemotePath(ProxyUPath):
    """A file or folder at an fsspec address: universal-pathlib's path, with errors that say what to do.

    A file is read and written as a whole, by one request. ``options`` are the file system's own, such as credentials;
    ``cache`` is a local folder for copies of what must be on a disk to be used, here and below.

    Raises:
        SettingError: there is no such file system, its package is not installed, or no bucket is named.
        DataError: in each method, the store can't be reached or refuses.
    """

    __slots__ = ("cache",)

    def __init__(self, address: str, options: Mapping[str, Any] | None = None, cache: Path | None = None) -> None:
        protocol = protocol_of(address)
        below = address.partition("://")[2]
        if protocol in OBJECT_STORES and not below.strip("/"):
            raise SettingError(f"{address} names no bucket: write {protocol}://BUCKET/FOLDER.")
        try:
            super().__init__(f"{protocol}://{below}", **deepcopy(dict(options or {})))
            self.fs  # noqa: B018  a missing package is said now, not when it is first used
        except (ImportError, ValueError) as error:
            raise SettingError(missing_package(error) or f"{protocol}:// can't be used: {error}") from error
        self.cache = cache

    def _from_upath(self, upath: UPath) -> Self:
        place = super()._from_upath(upath)
        place.cache = self.cache
        return place

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), dict(self.storage_options), self.cache)

    exists = _telling(ProxyUPath.exists)
    is_dir = _telling(ProxyUPath.is_dir)
    is_file = _telling(ProxyUPath.is_file)
    rmdir = _telling(ProxyUPath.rmdir)
    stat = _telling(ProxyUPath.stat)

    @_telling
    def glob(self, pattern: str, **options: Any) -> Iterator[Self]:
        """Give what matches a pattern below this folder, sorted."""
        return iter(sorted(super().glob(pattern, **options)))

    def files(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Give each file below this folder: its path from here, and what the store knows of it; none without folder."""
        found: Mapping[str, Any] = {}
        with suppress(FileNotFoundError), store_errors(self):
            found = self.fs.find(self.path, detail=True)
        root = f"{self.path.rstrip('/')}/"
        for path, info in found.items():
            if path.startswith(root) and info.get("type") == "file":
                yield path.removeprefix(root), info

    def read_bytes(self) -> bytes:
        """Read the file."""
        with suppress(Exception):
            # given a range, s3fs does not ask for the size first: one request instead of two
            return self.fs.cat_file(self.path, start=0)
        with store_errors(self):
            # an empty file has no such range
            return self.fs.cat_file(self.path)

    def read_text(self, encoding: str | None = "utf-8", errors: str | None = None, newline: str | None = None) -> str:
        """Read the file as text."""
        return io.TextIOWrapper(self.open(), encoding, errors, newline).read()

    def open(self, mode: str = "rb", *_: Any, **__: Any) -> BinaryIO:
        """Give the file's content as a stream of bytes; it is read at once."""
        return io.BytesIO(self.read_bytes())

    def write_bytes(self, data: bytes) -> int:
        """Write the file."""
        with self.being_written():
            self.fs.pipe_file(self.path, bytes(data))
        return len(data)

    def upload(self, file: Path) -> None:
        """Write a local file's content."""
        with self.being_written():
            self.fs.put_file(str(file), self.path)

    @_telling
    def download(self, file: Path) -> None:
        """Write the content to a local file; interrupted, it leaves a part of it."""
        self.fs.get_file(self.path, str(file))

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file."""
        with suppress(FileNotFoundError) if missing_ok else nullcontext(), store_errors(self):
            self.fs.rm_file(self.path)

    @contextmanager
    def being_written(self) -> Iterator[None]:
        """Make folders to write into where there are such; raises DataError where what is done meanwhile fails."""
        try:
            with store_errors(self):
                if self.protocol not in OBJECT_STORES:
                    self.fs.makedirs(self.parent.path, exist_ok=True)
                yield
        except FileNotFoundError as error:
            # what is not there then is the bucket
            raise failure(self, error) from error
        self.fs.invalidate_cache(self.path)

    def check(self) -> None:
        """Raise DataError where the store can't be reached or lacks the bucket; the folder need not be there yet."""
        self.fs.invalidate_cache()
        with suppress(FileNotFoundError), store_errors(self):
            self.fs.ls(self.path, detail=False)
            return
        # an empty folder is none; what must be there is the bucket
        bucket = [self, *self.parents][-1]
        try:
            bucket.fs.info(bucket.path)
        except PermissionError:
            # who may read and write objects need not be allowed to look at the bucket
            return
        except Exception as error:
            raise failure(bucket, error) from error


Place = Path | RemotePath


def state_of(info: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give what changes with a file's content, of what its store knows of it: its size, and its tag or its time."""
    keys = ("ETag", "etag", "md5Hash", "md5", "generation", "LastModified", "mtime", "updated", "created")
    mark = next((info[key] for key in keys if info.get(key)), "")
    return info.get("size"), str(mark)


@contextmanager
def written(place: Place, upload: Callable[[RemotePath, Path], None] = RemotePath.upload) -> Iterator[Path]:
    """Give a local path to write a file to; it appears in its place when the block succeeds, complete."""
    if isinstance(place, RemotePath):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / place.name
            yield file
            upload(place, file)
    else:
        with written_atomically(place) as file:
            yield file


@contextmanager
def readable(place: Place) -> Iterator[Path]:
    """Give a local path to read a file from while the block lasts; raises FileNotFoundError where there is none."""
    if isinstance(place, RemotePath):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / place.name
            place.download(file)
            yield file
    else:
        yield place


def copy(source: Place, target: Place) -> None:
    """Copy a file within its file system; the copy appears when it is complete."""
    if isinstance(source, RemotePath) and isinstance(target, RemotePath):
        with target.being_written():
            source.fs.cp_file(source.path, target.path)
    else:
        with readable(source) as file, written(target) as temporary:
            shutil.copyfile(file, temporary)

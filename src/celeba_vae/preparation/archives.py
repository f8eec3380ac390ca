"""Reading members of a zip archive in place, by any number of threads at once, in little memory.

``zipfile`` finds the members, but has one position in the file for all readers. Here each is read at its own.
"""

import io
import os
import struct
import zipfile
import zlib
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from celeba_vae.errors import DataError

_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# of a local header: its signature and what is not needed, then how long name and extra fields are that follow it
_LOCAL = struct.Struct("<4s22x2H")
# what a local header may hold beyond its fixed part, read along with the content; longer ones cost a second read
_LOCAL_SLACK = 256
_MEMBER = struct.Struct("<3QL2H")
_PACKED = np.dtype("<u8,<u8,<u8,<u4,<u2,<u2")


class ZipMember(NamedTuple):
    """Where a member's content is and how it is packed."""

    offset: int
    packed_size: int
    size: int
    crc: int
    method: int
    flags: int


class ZipDirectory:
    """What an archive holds: the members' names with "/", and the numbers of a ``ZipMember`` for each, in 32 bytes.

    It takes the place of ``ZipFile.NameToInfo`` and keeps no ``ZipInfo``: of 200,000 members, they take 100 MB.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._packed = bytearray()

    def __setitem__(self, name: str, info: zipfile.ZipInfo) -> None:
        # tools on Windows write "folder\\image.jpg", others "./folder/image.jpg"
        self.names.append(name.replace("\\", "/").removeprefix("./"))
        self._packed += _MEMBER.pack(
            info.header_offset, info.compress_size, info.file_size, info.CRC, info.compress_type, info.flag_bits
        )

    @property
    def members(self) -> np.ndarray:
        """A record a member."""
        return np.frombuffer(self._packed, _PACKED)


def fault_of(members: np.ndarray) -> str | None:
    """Say why none of these members can be read, where that is how the archive was packed; None: some may be."""
    method, flags = members["f4"], members["f5"]
    if len(members) and (flags & _ENCRYPTED).all():
        return "is encrypted"
    if len(members) and not np.isin(method, _METHODS).any():
        return f"is packed by a method that is not read here ({method[0]})"
    return None


class _PackedZipFile(zipfile.ZipFile):
    """A zip file whose members are packed while they are found."""

    directory: ZipDirectory

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "filelist":
            value = deque(maxlen=0)
        elif name == "NameToInfo":
            value = self.directory = ZipDirectory()
        super().__setattr__(name, value)


class ZipArchive:
    """A zip archive, opened for reading; unpickled, it is opened again, once in a process.

    ``name`` is what messages call it, by default its path. Raises DataError when it can't be read.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        self.path = Path(path)
        self.name = name or str(path)
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise DataError(f"{self.name} can't be read: {error.strerror or error}.") from error

    def __reduce__(self) -> tuple[Callable[..., "ZipArchive"], tuple[Path, int, int]]:
        status = os.fstat(self._file.fileno())
        return _opened, (self.path.absolute(), status.st_size, status.st_mtime_ns)

    def directory(self) -> ZipDirectory:
        """List the members in their order. Raises DataError when it can't be read, is not complete, or is damaged."""
        try:
            with _PackedZipFile(self._file) as archive:
                return archive.directory
        except OSError as error:
            raise DataError(f"{self.name} can't be read: {error.strerror or error}.") from error
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise DataError(
                f"{self.name} is damaged or was not downloaded to its end: its directory of contents can't be read."
                " Download it again."
            ) from error

    def read(self, member: ZipMember) -> bytes:
        """Give a member's content; it may be called from many threads at once.

        Raises:
            BadZipFile: the content is damaged, encrypted or packed by an unusual method.
            OSError: the archive can't be read any more.
        """
        data = os.pread(self._file.fileno(), _LOCAL.size + _LOCAL_SLACK + member.packed_size, member.offset)
        start = _content_start(data)
        packed = data[start : start + member.packed_size]
        if len(packed) < member.packed_size:
            packed = os.pread(self._file.fileno(), member.packed_size, member.offset + start)
        return _unpack(packed, member)

    def open(self, name: str, member: ZipMember) -> BinaryIO:
        """Open a member as a stream, for what is too large to be read at once."""
        file = self.path.open("rb")
        file.seek(member.offset + _content_start(os.pread(file.fileno(), _LOCAL.size, member.offset)))
        info = zipfile.ZipInfo(name)
        info.compress_type = member.method
        info.compress_size = member.packed_size
        info.file_size = member.size
        info.CRC = member.crc
        return io.BufferedReader(zipfile.ZipExtFile(file, "r", info, close_fileobj=True))


@lru_cache(maxsize=4)
def _opened(path: Path, size: int, changed: int) -> ZipArchive:
    """Open an archive again, which must be of that size and time of the last change."""
    archive = ZipArchive(path)
    status = os.fstat(archive._file.fileno())
    if (status.st_size, status.st_mtime_ns) != (size, changed):
        raise DataError(f"{path} is not the archive that it was: its size or the time of its last change differs.")
    return archive


def _content_start(header: bytes) -> int:
    if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
        raise zipfile.BadZipFile("the archive does not hold it where its directory says")
    _, name_size, extra_size = _LOCAL.unpack_from(header)
    return _LOCAL.size + name_size + extra_size


def _unpack(packed: bytes, member: ZipMember) -> bytes:
    if member.flags & _ENCRYPTED:
        raise zipfile.BadZipFile("it is encrypted in the archive")
    if member.method == zipfile.ZIP_STORED:
        data = packed
    elif member.method == zipfile.ZIP_DEFLATED:
        try:
            data = zlib.decompress(packed, wbits=-15, bufsize=max(1, member.size))
        except zlib.error as error:
            raise zipfile.BadZipFile(f"damaged in the archive: {error}") from error
    else:
        raise zipfile.BadZipFile(f"packed by a method that is not read here ({member.method}): pack it again")
    if len(data) != member.size or zlib.crc32(data) != member.crc:
        raise zipfile.BadZipFile("damaged in the archive: its checksum is wrong")
    return data

"""Reading members of a zip archive in place, by any number of threads at once, in little memory.

The standard library's ``zipfile`` keeps half a kilobyte a member and one position in the file for all readers; for an
archive of 200,000 images that is 100 MB and a queue. Here a member is a few numbers, read at its own position.
Format: PKWARE's APPNOTE, sections 4.3 and 4.5.3 (zip64).
"""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from celeba_vae.errors import DataError

STORED, DEFLATED = 0, 8
_ENCRYPTED = 0x1
_UTF8 = 0x800
_IN_ZIP64 = 0xFFFFFFFF
_END = struct.Struct("<4s4H2LH")
_END_ZIP64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_ZIP64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
# what a local header may hold beyond its fixed part, read along with the content; longer ones cost a second read
_LOCAL_SLACK = 256


class ZipMember(NamedTuple):
    """Where a member's content is and how it is packed."""

    name: str
    offset: int
    packed_size: int
    size: int
    crc: int
    method: int
    flags: int


class ZipArchive:
    """A zip archive, opened for reading; unpickled, it is opened again, once in a process.

    Args:
        path: The archive.
        name: What messages call it; by default the path.

    Raises:
        DataError: it can't be read, or is no complete zip archive.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        self.path = Path(path)
        self.name = name or str(path)
        try:
            self._file = self.path.open("rb")
            self._start, self._end, self._shift = _find_directory(self._file)
        except OSError as error:
            raise DataError(f"{self.name} can't be read: {error.strerror or error}.") from error
        except (struct.error, zipfile.BadZipFile) as error:
            raise self._incomplete() from error

    def __reduce__(self) -> tuple[Callable[..., "ZipArchive"], tuple[Path, int, int]]:
        status = os.fstat(self._file.fileno())
        return _opened, (self.path.absolute(), status.st_size, status.st_mtime_ns)

    def members(self) -> Iterator[ZipMember]:
        """Give the members one by one, as the archive's directory lists them.

        Raises:
            DataError: the directory is damaged.
        """
        with self.path.open("rb", buffering=2**16) as file:
            file.seek(self._start)
            # not by their count: archivers that do without zip64 store it modulo 65,536
            while file.tell() < self._end:
                try:
                    yield _read_entry(file, self._shift)
                except (struct.error, zipfile.BadZipFile) as error:
                    raise self._incomplete() from error

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

    def open(self, member: ZipMember) -> BinaryIO:
        """Open a member as a stream, for what is too large to be read at once."""
        file = self.path.open("rb")
        header = os.pread(file.fileno(), _LOCAL.size, member.offset)
        file.seek(member.offset + _content_start(header))
        info = zipfile.ZipInfo(member.name)
        info.compress_type, info.compress_size = member.method, member.packed_size
        info.file_size, info.CRC = member.size, member.crc
        return io.BufferedReader(zipfile.ZipExtFile(file, "r", info, close_fileobj=True))

    def _incomplete(self) -> DataError:
        return DataError(
            f"{self.name} is damaged or was not downloaded to its end: its directory of contents can't be read."
            " Download it again."
        )


@lru_cache(maxsize=4)
def _opened(path: Path, size: int, changed: int) -> ZipArchive:
    """Open an archive again, which must be of that size and time of the last change."""
    archive = ZipArchive(path)
    status = os.fstat(archive._file.fileno())
    if (status.st_size, status.st_mtime_ns) != (size, changed):
        raise DataError(f"{path} is not the archive that it was: its size or the time of its last change differs.")
    return archive


def _find_directory(file: BinaryIO) -> tuple[int, int, int]:
    """Give where the directory begins and ends, and how far the archive is shifted in its file."""
    length = file.seek(0, os.SEEK_END)
    # the last record is followed by a comment of at most 65,535 bytes
    tail_start = max(0, length - _END.size - 2**16)
    file.seek(tail_start)
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0:
        raise zipfile.BadZipFile("no end of the directory")
    *_, count, size, offset, _ = _END.unpack_from(tail, end)
    end += tail_start
    if _IN_ZIP64 in (size, offset) or count == 0xFFFF:
        file.seek(end - _LOCATOR_ZIP64.size)
        signature, _, end_zip64, _ = _LOCATOR_ZIP64.unpack(file.read(_LOCATOR_ZIP64.size))
        if signature == b"PK\6\7":
            file.seek(end_zip64)
            signature, *_, count, size, offset = _END_ZIP64.unpack(file.read(_END_ZIP64.size))
            if signature != b"PK\6\6":
                raise zipfile.BadZipFile("no end of the zip64 directory")
            end = end_zip64
    shift = end - size - offset
    if shift < 0:
        raise zipfile.BadZipFile("the directory lies beyond the file")
    return offset + shift, end, shift


def _read_entry(file: BinaryIO, shift: int) -> ZipMember:
    fields = _ENTRY.unpack(file.read(_ENTRY.size))
    signature, _, _, flags, method, _, _, crc, packed_size, size, name_size, extra_size, comment_size, *_, offset = (
        fields
    )
    if signature != b"PK\1\2":
        raise zipfile.BadZipFile("no entry of the directory")
    name = file.read(name_size).decode("utf-8" if flags & _UTF8 else "cp437", errors="replace")
    extra = file.read(extra_size)
    if comment_size:
        file.seek(comment_size, os.SEEK_CUR)
    if _IN_ZIP64 in (packed_size, size, offset):
        size, packed_size, offset = _zip64_fields(extra, size, packed_size, offset)
    return ZipMember(name, offset + shift, packed_size, size, crc, method, flags)


def _zip64_fields(extra: bytes, *fields: int) -> list[int]:
    """Replace the fields that did not fit into 32 bits by the zip64 block's, which holds just these, in order."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            large = iter(struct.unpack_from(f"<{size // 8}Q", extra, at + 4))
            return [next(large, field) if field == _IN_ZIP64 else field for field in fields]
        at += 4 + size
    return list(fields)


def _content_start(header: bytes) -> int:
    if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
        raise zipfile.BadZipFile("the archive does not hold it where its directory says")
    *_, name_size, extra_size = _LOCAL.unpack_from(header)
    return _LOCAL.size + name_size + extra_size


def _unpack(packed: bytes, member: ZipMember) -> bytes:
    if member.flags & _ENCRYPTED:
        raise zipfile.BadZipFile("it is encrypted in the archive")
    if member.method == STORED:
        data = packed
    elif member.method == DEFLATED:
        try:
            data = zlib.decompress(packed, wbits=-15, bufsize=max(1, member.size))
        except zlib.error as error:
            raise zipfile.BadZipFile(f"damaged in the archive: {error}") from error
    else:
        raise zipfile.BadZipFile(f"packed by a method that is not read here ({member.method}): pack it again")
    if len(data) != member.size or zlib.crc32(data) != member.crc:
        raise zipfile.BadZipFile("damaged in the archive: its checksum is wrong")
    return data

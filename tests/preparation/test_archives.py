import os
import struct
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from celeba_vae.errors import DataError
from celeba_vae.preparation.archives import ZipArchive, ZipMember

CONTENT = {f"folder/{i:03d}.bin": os.urandom(i * 7) for i in range(200)}


def write_zip(file: Path, method: int = zipfile.ZIP_STORED, comment: bytes = b"") -> Path:
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.comment = comment
        for name, data in CONTENT.items():
            archive.writestr(name, data)
    return file


def members_of(archive: ZipArchive) -> dict[str, ZipMember]:
    directory = archive.directory()
    return {n: ZipMember(*member.item()) for n, member in zip(directory.names, directory.members, strict=True)}


def read_all(file: Path) -> dict[str, bytes]:
    archive = ZipArchive(file)
    return {name: archive.read(member) for name, member in members_of(archive).items()}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("comment", [b"", b"from somewhere" * 1000])
def test_members_are_what_was_packed(tmp_path: Path, method: int, comment: bytes) -> None:
    assert read_all(write_zip(tmp_path / "a.zip", method, comment)) == CONTENT


def test_many_threads_read_one_archive(tmp_path: Path) -> None:
    archive = ZipArchive(write_zip(tmp_path / "a.zip", zipfile.ZIP_DEFLATED))
    members = members_of(archive)
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(archive.read, [*members.values()] * 20))
    assert read == [CONTENT[name] for name in members] * 20


def test_an_archive_behind_other_bytes_and_long_local_headers_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(b"#!/bin/sh\n" * 100)
    with zipfile.ZipFile(file, "a") as archive:
        for name, data in CONTENT.items():
            info = zipfile.ZipInfo(name)
            # longer than what is read along with the content
            info.extra = struct.pack("<2H", 0x7777, 600) + bytes(600)
            archive.writestr(info, data)
    assert read_all(file) == CONTENT


def test_more_members_than_16_bits_can_count(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for i in range(66_000):
            archive.writestr(f"{i}", b"")
    assert ZipArchive(file).directory().names == [str(i) for i in range(66_000)]


def test_a_member_takes_little_memory_while_the_directory_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    names = [f"img_align_celeba/img_align_celeba/{i:06d}.jpg" for i in range(5000)]
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    tracemalloc.start()
    assert ZipArchive(file).directory().names == names
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300 * len(names)


def test_fields_beyond_32_bits_are_taken_from_the_zip64_block(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive, archive.open("large", "w", force_zip64=True) as member:
        member.write(b"content")
    # a directory whose entry says, as that of a member beyond 4 GiB: look into the zip64 block
    data = file.read_bytes()
    start, end = data.index(b"PK\1\2"), data.rindex(b"PK\5\6")
    entry = bytearray(data[start:end])
    size, offset = struct.pack("<L", 7), struct.pack("<L", 0)
    assert entry[20:28] == size * 2
    assert entry[42:46] == offset
    entry[20:28] = b"\xff" * 8
    entry[42:46] = b"\xff" * 4
    entry[30:32] = struct.pack("<H", 28)
    entry += struct.pack("<2H3Q", 1, 24, 7, 7, 0)
    record = bytearray(data[end:])
    record[12:16] = struct.pack("<L", len(entry))
    file.write_bytes(data[:start] + entry + record)
    assert zipfile.ZipFile(file).read("large") == b"content"
    assert read_all(file) == {"large": b"content"}


def test_a_stream_gives_the_same_as_reading_at_once(tmp_path: Path) -> None:
    archive = ZipArchive(write_zip(tmp_path / "a.zip", zipfile.ZIP_DEFLATED))
    name = "folder/150.bin"
    with archive.open(name, members_of(archive)[name]) as stream:
        assert stream.read(10) + stream.read() == CONTENT[name]


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_truncated_archive_is_one_clear_error(tmp_path: Path, share: float) -> None:
    file = write_zip(tmp_path / "a.zip")
    os.truncate(file, int(file.stat().st_size * share))
    with pytest.raises(DataError, match=rf"{file} is damaged or was not downloaded .* again"):
        read_all(file)


def test_a_damaged_directory_is_one_clear_error(tmp_path: Path) -> None:
    file = write_zip(tmp_path / "a.zip")
    data = bytearray(file.read_bytes())
    at = data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)
    data[at : at + 46] = bytes(46)
    file.write_bytes(data)
    with pytest.raises(DataError, match="is damaged"):
        read_all(file)
    with pytest.raises(DataError, match="can't be read: No such file"):
        ZipArchive(tmp_path / "nowhere.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_is_told_from_the_others(tmp_path: Path, method: int) -> None:
    file = write_zip(tmp_path / "a.zip", method)
    members = members_of(ZipArchive(file))
    damaged = "folder/100.bin"
    data = bytearray(file.read_bytes())
    data[members[damaged].offset + 200] ^= 0xFF
    file.write_bytes(data)
    with pytest.raises(zipfile.BadZipFile, match="damaged in the archive"):
        ZipArchive(file).read(members[damaged])
    for name, other in members.items():
        if name != damaged:
            assert ZipArchive(file).read(other) == CONTENT[name]


def test_an_unusual_method_is_named(tmp_path: Path) -> None:
    archive = ZipArchive(write_zip(tmp_path / "a.zip", zipfile.ZIP_BZIP2))
    member = members_of(archive)["folder/005.bin"]
    with pytest.raises(zipfile.BadZipFile, match="method that is not read here"):
        archive.read(member)
    with pytest.raises(zipfile.BadZipFile, match="encrypted"):
        archive.read(member._replace(flags=1))


def test_a_count_that_an_archiver_cut_to_16_bits_hides_no_member(tmp_path: Path) -> None:
    """Without zip64 records the count is stored modulo 65,536: here 44 instead of 200, as for 65,580."""
    file = write_zip(tmp_path / "a.zip")
    data = bytearray(file.read_bytes())
    end = data.rfind(b"PK\5\6")
    assert struct.unpack_from("<2H", data, end + 8) == (200, 200)
    struct.pack_into("<2H", data, end + 8, 44, 44)
    file.write_bytes(data)
    assert read_all(file) == CONTENT

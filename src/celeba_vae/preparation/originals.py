"""Collections of original images, in a local or remote folder or a zip archive: their names, and how to read one."""

import bisect
import hashlib
import os
import struct
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Self

import numpy as np

from celeba_vae.errors import DataError
from celeba_vae.preparation.archives import ZipArchive, ZipMember
from celeba_vae.preparation.decoding import BadImageError
from celeba_vae.preparation.lists import ListFile, Partition
from celeba_vae.preparation.names import pack_names
from celeba_vae.storage import CONNECTIONS, RemotePath, state_of

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
# the numbers of a ZipMember
_MEMBER = struct.Struct("<Q3L2H")


@dataclass(frozen=True)
class ImageCollection(ABC):
    """Original images by name, read one at a time.

    Args:
        image_ids: The images' names, sorted.
        state: A hash of the names and of what changes with an image (size, time): equal states, equal images.
        partition: What CelebA's partition file says; None without that file.
        attributes: CelebA's attribute list, where there is one.

    ``readers`` is how many threads keep reading busy, where that is not one a processor.
    """

    readers: ClassVar[int | None] = None

    image_ids: Sequence[str] | np.ndarray
    state: str
    partition: Partition | None = None
    attributes: ListFile | None = None

    @abstractmethod
    def read(self, image_id: str) -> bytes:
        """Give the bytes of an image's file. It may be called from many threads at once.

        Raises:
            OSError: the file can't be read.
            BadImageError: what holds the image is damaged.
        """

    def subset(self, image_ids: np.ndarray) -> Self:
        """Give a collection of some of these images, without the lists, that is small enough to be pickled and sent.

        Another process, perhaps on another machine, reads them: by absolute paths. A collection that keeps more than
        its images' names for each of them overrides this.

        Args:
            image_ids: The images' names, sorted.
        """
        return replace(self, image_ids=image_ids, partition=None, attributes=None)


@dataclass(frozen=True, kw_only=True)
class FolderCollection(ImageCollection):
    """Images in a folder and the folders below it; their names are paths relative to it."""

    folder: Path

    def read(self, image_id: str) -> bytes:
        """Give the bytes of an image's file."""
        with open(f"{self.folder}/{image_id}", "rb", buffering=0) as file:
            return file.read()

    def subset(self, image_ids: np.ndarray) -> Self:
        """Give a collection of some of these images."""
        return replace(super().subset(image_ids), folder=self.folder.absolute())

    @classmethod
    def of(cls, folder: Path, **annotations: Any) -> "FolderCollection":
        """Collect the images below a folder; hidden files and folders are passed over.

        Raises:
            DataError: a folder can't be read, or a name is no text.
        """
        state = _State()
        try:
            names = pack_names(state.note(file) for file in scan_images(folder))
        except UnicodeEncodeError as error:
            name = os.fsencode(error.object)
            raise DataError(f"{folder} holds a file whose name is not valid UTF-8, {name!r}: rename it.") from error
        return cls(image_ids=np.sort(names), state=state.text, folder=folder, **annotations)


@dataclass(frozen=True, kw_only=True)
class RemoteFolderCollection(ImageCollection):
    """Images in a folder at an fsspec address and the folders below it; their names are paths relative to it."""

    readers = CONNECTIONS
    folder: RemotePath

    def read(self, image_id: str) -> bytes:
        """Give the bytes of an image's file.

        Raises:
            FileNotFoundError: there is no such file.
            DataError: the store can't be reached or refuses.
        """
        return (self.folder / image_id).read_bytes()

    @classmethod
    def of(cls, folder: RemotePath, **annotations: Any) -> "RemoteFolderCollection":
        """Collect the images below a folder; hidden files and folders are passed over."""
        state = _State()
        names = pack_names(state.note((name, *state_of(info))) for name, info in list_images(folder))
        # a long listing is not kept
        folder.fs.invalidate_cache()
        return cls(image_ids=np.sort(names), state=state.text, folder=folder, **annotations)


@dataclass(frozen=True, kw_only=True)
class ZipCollection(ImageCollection):
    """Images in one folder of a zip archive; they are read there, nothing is unpacked.

    Args:
        archive: The archive.
        members: Where each image is, the numbers of a ``ZipMember`` packed.
    """

    archive: ZipArchive
    members: np.ndarray

    def read(self, image_id: str) -> bytes:
        """Give the bytes of an image."""
        member = self.members[bisect.bisect_left(self.image_ids, image_id)]
        try:
            return self.archive.read(ZipMember(image_id, *_MEMBER.unpack(member)))
        except zipfile.BadZipFile as error:
            raise BadImageError("damaged", str(error)) from error

    def subset(self, image_ids: np.ndarray) -> Self:
        """Give a collection of some of these images; the archive is opened again where it arrives."""
        members = self.members[np.searchsorted(self.image_ids, image_ids)]
        return replace(super().subset(image_ids), members=members)

    @classmethod
    def of(cls, archive: ZipArchive, folder: str, **annotations: Any) -> "ZipCollection":
        """Collect the images in a folder of an archive, given as it stands there: "img_align_celeba/" or ""."""
        state, packed = _State(), bytearray()

        def names() -> Iterator[str]:
            for member in archive.members():
                if is_image_in(folder, member.name):
                    packed.extend(_MEMBER.pack(*member[1:]))
                    yield state.note(member)[len(folder) :]

        image_ids = pack_names(names())
        members = np.frombuffer(packed, f"V{_MEMBER.size}")
        order = np.argsort(image_ids, stable=True)
        # of members of one name the last counts, as for every unpacker
        last = np.append(image_ids[order][1:] != image_ids[order][:-1], True)
        order = order[last[: len(order)]]
        return cls(image_ids=image_ids[order], members=members[order], archive=archive, state=state.text, **annotations)


class _State:
    """The exclusive or of all files' hashes: files need not be sorted, nor kept."""

    def __init__(self) -> None:
        self._state = 0

    def note(self, file: tuple) -> str:
        """Take in a file, given as its name and what changes with its content; give the name."""
        text = repr(file).encode(errors="surrogateescape")
        self._state ^= int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())
        return file[0]

    @property
    def text(self) -> str:
        return f"{self._state:016x}"


def is_image_in(folder: str, member: str) -> bool:
    """Whether a member of an archive is an image that lies directly in a folder; hidden ones are passed over."""
    name = member[len(folder) :]
    return member.startswith(folder) and "/" not in name and has_image_name(name)


def image_folder_of(member: str) -> str | None:
    """Give the folder of an archive's member if it is an image, ending in "/" or empty; None for all else."""
    folder, slash, name = member.rpartition("/")
    return folder + slash if has_image_name(name) and not folder.startswith("__MACOSX") else None


def has_image_name(name: str) -> bool:
    """Whether a file's name is that of an image, and not hidden."""
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")


def scan_images(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Give (path relative to the folder, bytes, time of the last change) of each image file below it, in any order."""
    waiting = [""]
    while waiting:
        below = waiting.pop()
        for entry in entries(folder / below):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{below}{entry.name}/")
            elif is_image(entry):
                size, changed = _size_and_time(entry)
                yield below + entry.name, size, changed


def list_images(folder: RemotePath) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give each image file below a folder, but for hidden ones: its path from there, and what the store knows of it."""
    for name, info in folder.files():
        if has_image_name(PurePosixPath(name).name) and not is_hidden(name):
            yield name, info


def is_hidden(name: str) -> bool:
    """Whether a relative path is that of a hidden file or lies in a hidden folder."""
    return name.startswith(".") or "/." in name


def entries(folder: Path) -> Iterator[os.DirEntry]:
    """Give what a folder holds, but for hidden names; nothing when it is not there.

    Raises:
        DataError: the folder can't be read.
    """
    try:
        with os.scandir(folder) as found:
            yield from (entry for entry in found if not entry.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise DataError(f"{folder} can't be read: {error.strerror}.") from error


def is_image(entry: os.DirEntry) -> bool:
    """Whether an entry of a folder is a file with an image's name."""
    # a broken link counts: reading it will say what is wrong
    return has_image_name(entry.name) and (entry.is_file() or (entry.is_symlink() and not entry.is_dir()))


def _size_and_time(entry: os.DirEntry) -> tuple[int, int]:
    try:
        status = entry.stat()
    except OSError:
        # a broken link: reading it will say what is wrong
        return -1, -1
    return status.st_size, status.st_mtime_ns

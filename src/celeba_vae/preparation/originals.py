"""Collections of original images, in a local or remote folder or a zip archive: their names, and how to read one."""

import bisect
import hashlib
import os
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Self

import numpy as np

from celeba_vae.errors import DataError
from celeba_vae.preparation.archives import ZipArchive, ZipDirectory, ZipMember, fault_of
from celeba_vae.preparation.decoding import BadImageError
from celeba_vae.preparation.list_files import ListFile
from celeba_vae.storage import CONNECTIONS, Place, RemotePath, state_of

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class ImageCollection(ABC):
    """Original images by name, read one at a time.

    Args:
        image_ids: The images' names, sorted.
        state: A hash of the names and of what changes with an image (size, time): equal states, equal images.
        partition: CelebA's partition file, where there is one.
        attributes: CelebA's attribute list, where there is one.
        readers: How many threads keep reading busy, where that is not one a processor.
    """

    readers: ClassVar[int | None] = None

    image_ids: Sequence[str]
    state: str
    partition: ListFile | None = None
    attributes: ListFile | None = None

    @abstractmethod
    def read(self, image_id: str) -> bytes:
        """Give the bytes of an image's file. It may be called from many threads at once.

        Raises:
            OSError: the file can't be read.
            BadImageError: what holds the image is damaged.
        """

    def subset(self, image_ids: Sequence[str]) -> Self:
        """Give a collection of some of these images, sorted, without the lists: small enough to be pickled and sent.

        Another process, perhaps on another machine, reads them: by absolute paths. A collection that keeps more than
        its images' names for each of them overrides this.
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

    @classmethod
    def of(cls, folder: Path, **fields: Any) -> Self:
        """Collect the images below a folder; hidden files and folders are passed over. ``fields`` are the class's.

        Raises:
            DataError: a folder can't be read, or a name is no text.
        """
        try:
            image_ids, state = _names_and_state(_images_on_disk(folder))
        except UnicodeEncodeError as error:
            name = os.fsencode(error.object)
            raise DataError(f"{folder} holds a file whose name is not valid UTF-8, {name!r}: rename it.") from error
        return cls(image_ids=image_ids, state=state, folder=folder.absolute(), **fields)


@dataclass(frozen=True, kw_only=True)
class RemoteFolderCollection(ImageCollection):
    """Images in a folder at an fsspec address and the folders below it; their names are paths relative to it."""

    readers = CONNECTIONS
    folder: RemotePath

    def read(self, image_id: str) -> bytes:
        """Give the bytes of an image's file. Raises DataError when the store can't be reached or refuses."""
        return (self.folder / image_id).read_bytes()

    @classmethod
    def of(cls, folder: RemotePath) -> Self:
        """Collect the images below a folder; hidden files and folders are passed over."""
        image_ids, state = _names_and_state(_remote_images(folder))
        # a long listing is not kept
        folder.fs.invalidate_cache()
        return cls(image_ids=image_ids, state=state, folder=folder)


@dataclass(frozen=True, kw_only=True)
class ZipCollection(ImageCollection):
    """Images in one folder of a zip archive; ``members`` says where each is, packed as in a ``ZipDirectory``."""

    archive: ZipArchive
    members: np.ndarray

    def read(self, image_id: str) -> bytes:
        """Give the bytes of an image."""
        try:
            return self.archive.read(ZipMember(*self.members[self._position(image_id)].item()))
        except zipfile.BadZipFile as error:
            raise BadImageError("damaged", str(error)) from error

    def subset(self, image_ids: Sequence[str]) -> Self:
        """Give a collection of some of these images; the archive is opened again where it arrives."""
        members = self.members[[self._position(image_id) for image_id in image_ids]]
        return replace(super().subset(image_ids), members=members)

    def _position(self, image_id: str) -> int:
        return bisect.bisect_left(self.image_ids, image_id)

    @classmethod
    def of(cls, archive: ZipArchive, directory: ZipDirectory, folder: str, below: bool = False) -> Self:
        """Collect the images in a folder of an archive, given as it stands there: "img_align_celeba/" or "".

        ``below``: those in the folders in it, too; their names are paths relative to it.
        """
        start = len(folder)
        inside = [
            name.startswith(folder)
            and (below or "/" not in name[start:])
            and image_folder_of(name) is not None
            and not is_hidden(name)
            for name in directory.names
        ]
        names = np.array([name[start:] for name in compress(directory.names, inside)], object)
        order = np.argsort(names, kind="stable")
        # of members of one name the last counts, as for every unpacker
        order = order[np.append(names[order][1:], "") != names[order]]
        members = directory.members[np.flatnonzero(inside)[order]]
        if fault := fault_of(members):
            raise DataError(f"{archive.name} {fault}: unpack it where it lies, then move it away.")
        marks = (member.tobytes() for member in members)
        image_ids, state = _names_and_state(zip(names[order], marks, strict=True))
        return cls(image_ids=image_ids, members=members, archive=archive, state=state)


def _names_and_state(files: Iterable[tuple]) -> tuple[list[str], str]:
    """Give files' names, sorted, and a hash of all, each given as its name and what changes with its content."""
    names, state = [], 0
    for name, *marks in files:
        names.append(name)
        # the exclusive or: in any order the same, and nothing but names is kept
        state ^= int.from_bytes(hashlib.blake2b(name.encode() + repr(marks).encode(), digest_size=8).digest())
    return sorted(names), f"{state:016x}"


def collect_folder(folder: Place) -> ImageCollection:
    """Collect the images below a local or a remote folder. Raises DataError as ``FolderCollection.of`` does."""
    return RemoteFolderCollection.of(folder) if isinstance(folder, RemotePath) else FolderCollection.of(folder)


def holds_images(folder: Place) -> bool:
    """Whether there is an image in a folder or below it."""
    images = _remote_images(folder) if isinstance(folder, RemotePath) else _images_on_disk(folder)
    return next(images, None) is not None


def _images_on_disk(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Give (path relative to the folder, bytes, time of the last change) of each image file below it, in any order."""
    waiting = [""]
    while waiting:
        below = waiting.pop()
        for entry in entries(folder / below):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{below}{entry.name}/")
            elif is_image(entry):
                try:
                    status = entry.stat()
                    size, changed = status.st_size, status.st_mtime_ns
                except OSError:
                    # a broken link: reading it will say what is wrong
                    size = changed = -1
                yield below + entry.name, size, changed


def _remote_images(folder: RemotePath) -> Iterator[tuple[Any, ...]]:
    """Give (path relative to the folder, and what the store knows of its content) of each image file below it."""
    for name, info in folder.files():
        if has_image_name(PurePosixPath(name).name) and not is_hidden(name):
            yield name, *state_of(info)


def image_folder_of(member: str) -> str | None:
    """Give the folder of an archive's member if it is an image, ending in "/" or empty; None for all else."""
    folder, slash, name = member.rpartition("/")
    return folder + slash if has_image_name(name) and not folder.startswith("__MACOSX") else None


def has_image_name(name: str) -> bool:
    """Whether a file's name is that of an image, and not hidden."""
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")


def is_hidden(name: str) -> bool:
    """Whether a relative path is that of a hidden file or lies in a hidden folder."""
    return name.startswith(".") or "/." in name


def entries(folder: Path) -> Iterator[os.DirEntry]:
    """Give what a folder holds, but for hidden names; nothing when it is not there. Raises DataError if unreadable."""
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

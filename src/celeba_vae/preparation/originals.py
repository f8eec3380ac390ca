"""Collections of original images, in a local or remote folder or a zip archive: their names, and how to read one."""

import bisect
import hashlib
import os
import zipfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from celeba_vae.errors import DataError
from celeba_vae.preparation.archives import ZipArchive, ZipDirectory, ZipMember, fault_of
from celeba_vae.preparation.decoding import BadImageError
from celeba_vae.preparation.list_files import ListFile
from celeba_vae.preparation.listing import images_at_address, images_on_disk, is_image_member
from celeba_vae.storage import CONNECTIONS, Place, RemotePath


@dataclass(frozen=True)
class ImageCollection(ABC):
    """Original images by name, read one at a time.

    Args:
        image_ids: The images' names, sorted.
        state: A hash of the names and of what changes with an image (size, time): equal states, equal images.
        partition: CelebA's partition file, where there is one.
        attributes: CelebA's attribute list, where there is one.
        passed_over: How many files beside them are no images by their names, by suffix.
        readers: How many threads keep reading busy, where that is not one a processor.
    """

    readers: ClassVar[int | None] = None

    image_ids: Sequence[str]
    state: str
    partition: ListFile | None = None
    attributes: ListFile | None = None
    passed_over: Mapping[str, int] = field(default_factory=dict)

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
        passed_over: Counter[str] = Counter()
        try:
            image_ids, state = _names_and_state(images_on_disk(folder, passed_over))
        except UnicodeEncodeError as error:
            name = os.fsencode(error.object)
            raise DataError(f"{folder} holds a file whose name is not valid UTF-8, {name!r}: rename it.") from error
        return cls(image_ids=image_ids, state=state, folder=folder.absolute(), passed_over=passed_over, **fields)


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
        passed_over: Counter[str] = Counter()
        image_ids, state = _names_and_state(images_at_address(folder, passed_over))
        # a long listing is not kept
        folder.fs.invalidate_cache()
        return cls(image_ids=image_ids, state=state, folder=folder, passed_over=passed_over)


@dataclass(frozen=True, kw_only=True)
class ZipCollection(ImageCollection):
    """Images in a folder of a zip archive; ``members`` says where each is, packed as in a ``ZipDirectory``."""

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
        passed_over: Counter[str] = Counter()
        inside = [
            name.startswith(folder) and (below or "/" not in name[start:]) and is_image_member(name, start, passed_over)
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
        return cls(image_ids=image_ids, members=members, archive=archive, state=state, passed_over=passed_over)


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

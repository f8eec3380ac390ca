"""Where original images come from: CelebA as downloaded, any folder of images, or drawn faces.

A source is a component with two methods: ``check(raw_folder)`` says quickly whether there is anything to prepare, and
``collect(raw_folder)`` gives an ``ImageCollection``. From there on nothing knows which source it was.
"""

import hashlib
import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from celeba_vae.errors import DataError
from celeba_vae.files import written_atomically

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
CELEBA_IMAGES = "img_align_celeba"
_NO_CELEBA = """\
No CelebA images in {folder}.
  Expected there: the folder img_align_celeba/ with 000001.jpg, 000002.jpg, ...,
  and, if you have them, list_eval_partition.txt and list_attr_celeba.txt.
  They come from the project page "Large-scale CelebFaces Attributes (CelebA) Dataset",
  mmlab.ie.cuhk.edu.hk/projects/CelebA.html, or from Kaggle's jessicali9530/celeba-dataset.
  Its terms allow non-commercial research only.
  Without it, `make demo` works now, on drawn faces."""


@dataclass(frozen=True)
class ImageCollection(ABC):
    """Original images by name, read one at a time.

    Args:
        image_ids: The images' names, sorted.
        state: A hash of the names and of what changes with an image (size, time): equal states, equal images.
        partition: The values of CelebA's partition file by image name, as they stand there; None without that file.
        attributes_file: CelebA's attribute file, where there is one.
    """

    image_ids: Sequence[str]
    state: str
    partition: Mapping[str, str] | None = None
    attributes_file: Path | None = None

    @abstractmethod
    def read(self, image_id: str) -> bytes:
        """Give the bytes of an image's file. It may be called from many threads at once.

        Raises:
            OSError: the file can't be read.
        """


@dataclass(frozen=True, kw_only=True)
class FolderCollection(ImageCollection):
    """Images in a folder and the folders below it; their names are paths relative to it."""

    folder: Path

    def read(self, image_id: str) -> bytes:
        """Give the bytes of an image's file."""
        with open(f"{self.folder}/{image_id}", "rb", buffering=0) as file:
            return file.read()

    @classmethod
    def of(cls, folder: Path, **annotations: Any) -> "FolderCollection":
        """Collect the images below a folder; hidden files and folders are passed over."""
        names, state = [], 0
        for file in _scan(folder):
            names.append(file[0])
            # the exclusive or of all files' hashes: files need not be sorted, nor kept
            state ^= int.from_bytes(hashlib.blake2b(repr(file).encode(), digest_size=8).digest())
        return cls(image_ids=sorted(names), state=f"{state:016x}", folder=folder, **annotations)


class Source(BaseModel):
    """Base of the built-in sources."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CelebaSource(Source):
    """CelebA as it is downloaded: ``img_align_celeba/``, nested or not, and the lists beside it or a folder deeper."""

    folder: str = Field("celeba", description="The folder with CelebA, below 01_raw or absolute")

    def check(self, raw_folder: Path) -> None:
        """Raise DataError when there are no images, or more than one folder of them."""
        _find_celeba_images(Path(raw_folder) / self.folder)

    def collect(self, raw_folder: Path) -> ImageCollection:
        """Collect the images with their partition.

        Raises:
            DataError: there are no images, more than one folder of them, or the partition file can't be read.
        """
        return _collect_celeba(Path(raw_folder) / self.folder)


class FolderSource(Source):
    """Any folder of JPEG, PNG or WebP images, nested or not, of any size."""

    folder: str = Field(description="The folder with the images, below 01_raw or absolute")

    def check(self, raw_folder: Path) -> None:
        """Raise DataError when the folder holds no image."""
        folder = Path(raw_folder) / self.folder
        if next(_scan(folder), None) is None:
            raise DataError(
                f"No images in {folder}. Put JPEG, PNG or WebP files there, or name another folder:"
                " data_engineering.source.folder."
            )

    def collect(self, raw_folder: Path) -> ImageCollection:
        """Collect the images. Raises DataError when there are none."""
        self.check(raw_folder)
        return FolderCollection.of(Path(raw_folder) / self.folder)


class SyntheticSource(Source):
    """Drawn faces: drawn once, in CelebA's form, and read like CelebA from then on."""

    count: PositiveInt = Field(3000, description="Faces to draw")
    seed: int = Field(42, ge=0, description="Seed of the faces")
    folder: str = Field("synthetic", description="The folder to draw into, below 01_raw or absolute")

    def check(self, raw_folder: Path) -> None:
        """Nothing can be missing: what is not there will be drawn."""

    def collect(self, raw_folder: Path) -> ImageCollection:
        """Draw the faces unless they are there, then collect them like CelebA.

        Raises:
            DataError: the folder holds something that was not drawn here.
        """
        folder = Path(raw_folder) / self.folder
        _draw_once(folder, self.count, self.seed)
        return _collect_celeba(folder)


# ------------------------------------------------------------------------------------------------------------- CelebA


def _collect_celeba(folder: Path) -> FolderCollection:
    images = _find_celeba_images(folder)
    partition_file = _find_list(folder, "list_eval_partition")
    return FolderCollection.of(
        images,
        partition=read_partition(partition_file) if partition_file else None,
        attributes_file=_find_list(folder, "list_attr_celeba"),
    )


def _find_celeba_images(folder: Path) -> Path:
    """Find the one folder called img_align_celeba, up to two folders deep, that holds images."""
    found = {
        candidate
        for depth in ("", "*/", "*/*/")
        for candidate in folder.glob(depth + CELEBA_IMAGES)
        if any(_is_image(entry) for entry in _entries(candidate))
    }
    if not found:
        raise DataError(_NO_CELEBA.format(folder=folder))
    if len(found) > 1:
        listed = ", ".join(sorted(map(str, found)))
        raise DataError(f"More than one folder of CelebA images: {listed}. Remove all but one of them.")
    return found.pop()


def _find_list(folder: Path, name: str) -> Path | None:
    for pattern in (f"{name}.txt", f"{name}.csv", f"*/{name}.txt", f"*/{name}.csv"):
        found = sorted(folder.glob(pattern))
        if found:
            return found[0]
    return None


def read_partition(file: Path) -> dict[str, str]:
    """Read CelebA's partition file, ``.txt`` or ``.csv``: each image's name and its value as it stands there.

    Raises:
        DataError: a line does not hold a name and a value.
    """
    partition = {}
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), start=1):
        words = line.replace(",", " ").split()
        if not words or words[0] == "image_id":
            continue
        if len(words) != 2:
            raise DataError(f"{file}, line {number}: expected an image's name and 0, 1 or 2, found '{line.strip()}'.")
        partition[words[0]] = words[1]
    return partition


# -------------------------------------------------------------------------------------------------------- drawn faces

_MARKER = "drawn.json"
# raise it when the drawing changes: faces drawn before are then drawn again
_DRAWING = 1


def _draw_once(folder: Path, count: int, seed: int) -> None:
    wanted = {"count": count, "seed": seed, "drawing": _DRAWING}
    marker = folder / _MARKER
    drawn_here = marker.is_file()
    if drawn_here and json.loads(marker.read_text()) == wanted:
        return
    if not drawn_here and folder.exists() and any(folder.iterdir()):
        raise DataError(
            f"{folder} holds files that were not drawn by the source 'synthetic', which would replace them."
            " Move them, or name another folder: data_engineering.source.folder."
        )
    from celeba_vae.imaging.synthetic_faces import write_synthetic_celeba

    with written_atomically(folder) as temporary:
        write_synthetic_celeba(temporary, count=count, seed=seed)
        (temporary / _MARKER).write_text(json.dumps(wanted))
        if drawn_here:
            shutil.rmtree(folder)


# -------------------------------------------------------------------------------------------------------------- files


def _scan(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Give (path relative to the folder, bytes, time of the last change) of each image file below it, in any order."""
    waiting = [""]
    while waiting:
        below = waiting.pop()
        for entry in _entries(folder / below):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{below}{entry.name}/")
            elif _is_image(entry):
                size, changed = _size_and_time(entry)
                yield below + entry.name, size, changed


def _entries(folder: Path) -> Iterator[os.DirEntry]:
    """Give what a folder holds, but for hidden names; nothing when it is not there."""
    try:
        with os.scandir(folder) as entries:
            yield from (entry for entry in entries if not entry.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise DataError(f"{folder} can't be read: {error.strerror}.") from error


def _is_image(entry: os.DirEntry) -> bool:
    return entry.name.lower().endswith(IMAGE_SUFFIXES) and not entry.is_dir()


def _size_and_time(entry: os.DirEntry) -> tuple[int, int]:
    try:
        status = entry.stat()
    except OSError:
        # a broken link: reading it will say what is wrong
        return -1, -1
    return status.st_size, status.st_mtime_ns

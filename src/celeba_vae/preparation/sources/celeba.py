"""Where original images come from: CelebA as downloaded, any folder of images, or drawn faces.

A source is a component with two methods: ``check(raw_folder)`` says quickly whether there is anything to prepare, and
``collect(raw_folder)`` gives an ``ImageCollection``. From there on nothing knows which source it was.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from celeba_vae.config import is_remote, protocol_of
from celeba_vae.errors import DataError
from celeba_vae.preparation.archives import ZipArchive
from celeba_vae.preparation.lists import ListFile, read_partition
from celeba_vae.preparation.originals import (
    FolderCollection,
    ImageCollection,
    RemoteFolderCollection,
    ZipCollection,
    entries,
    has_image_name,
    image_folder_of,
    is_hidden,
    is_image,
    list_images,
    scan_images,
)
from celeba_vae.storage import CONNECTIONS, Place, RemotePath
from celeba_vae.storage.atomic import written_atomically
from celeba_vae.storage.cache import use_cached
from celeba_vae.storage.threads import map_in_threads

CELEBA_IMAGES = "img_align_celeba"
LISTS = ("list_eval_partition", "list_attr_celeba")
# folders below the one that is named in which images and lists are looked for
_DEPTH = 3
_NO_CELEBA = """\
No CelebA images in {folder}.
  Expected there: the folder img_align_celeba/ with 000001.jpg, 000002.jpg, ..., or img_align_celeba.zip,
  and, if you have them, list_eval_partition.txt and list_attr_celeba.txt; or Kaggle's archive.zip, which holds all.
  They come from the project page "Large-scale CelebFaces Attributes (CelebA) Dataset",
  mmlab.ie.cuhk.edu.hk/projects/CelebA.html, or from Kaggle's jessicali9530/celeba-dataset.
  Its terms allow non-commercial research only.
  Without it, `make demo` works now, on drawn faces."""


class Source(BaseModel):
    """Base of the built-in sources."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CelebaSource(Source):
    """CelebA as it is downloaded: ``img_align_celeba/``, nested or not, its zip, or Kaggle's archive; and the lists.

    Archives are read in place. The lists stand beside the images, up to two folders deeper, or in the archive.
    """

    folder: str = Field("celeba", description="The folder with CelebA, below 01_raw, absolute or an address (s3://…)")

    def check(self, raw_folder: Place) -> None:
        """Raise DataError when there are no images, more than one folder or archive of them, or a damaged archive."""
        _find_celeba(_below(raw_folder, self.folder), quick=True)

    def collect(self, raw_folder: Place) -> ImageCollection:
        """Collect the images with their partition.

        Raises:
            DataError: there are no images, more than one folder or archive of them, or something can't be read.
        """
        return _collect_celeba(_below(raw_folder, self.folder))


class FolderSource(Source):
    """Any folder of JPEG, PNG or WebP images, nested or not, of any size."""

    folder: str = Field(description="The folder with the images, below 01_raw, absolute or an address (s3://…)")

    def check(self, raw_folder: Place) -> None:
        """Raise DataError when the folder holds no image."""
        folder = _below(raw_folder, self.folder)
        images = list_images(folder) if isinstance(folder, RemotePath) else scan_images(folder)
        if next(images, None) is None:
            raise DataError(
                f"No images in {folder}. Put JPEG, PNG or WebP files there, or name another folder:"
                " data_engineering.source.folder."
            )

    def collect(self, raw_folder: Place) -> ImageCollection:
        """Collect the images. Raises DataError when there are none."""
        self.check(raw_folder)
        return _collect_folder(_below(raw_folder, self.folder))


class SyntheticSource(Source):
    """Drawn faces: drawn once, in CelebA's form, and read like CelebA from then on."""

    count: PositiveInt = Field(3000, description="Faces to draw")
    seed: int = Field(42, ge=0, description="Seed of the faces")
    folder: str = Field("synthetic", description="The folder to draw into, below 01_raw, absolute or an address")

    def check(self, raw_folder: Place) -> None:
        """Nothing can be missing: what is not there will be drawn."""

    def collect(self, raw_folder: Place) -> ImageCollection:
        """Draw the faces unless they are there, then collect them like CelebA.

        Raises:
            DataError: the folder holds something that was not drawn here.
        """
        folder = _below(raw_folder, self.folder)
        _draw_once(folder, self.count, self.seed)
        return _collect_celeba(folder)


def _below(raw_folder: Place, folder: str) -> Place:
    """Give the folder that a source names: below the folder of originals unless it says where.

    Raises:
        DataError: it names an address that can't be reached.
    """
    remote = raw_folder if isinstance(raw_folder, RemotePath) else None
    if is_remote(folder):
        if remote and remote.protocol == protocol_of(folder):
            # with its credentials
            place = remote.with_segments(folder)
        else:
            place = RemotePath(folder)
        place.check()
        return place
    if remote and not Path(folder).is_absolute():
        return remote / folder
    return Path(folder) if remote else Path(raw_folder) / folder


def _collect_folder(folder: Place, **annotations: Any) -> ImageCollection:
    if isinstance(folder, RemotePath):
        return RemoteFolderCollection.of(folder, **annotations)
    return FolderCollection.of(folder, **annotations)


# ------------------------------------------------------------------------------------------------------------- CelebA


def _collect_celeba(folder: Place) -> ImageCollection:
    images, lists = _find_celeba(folder)
    partition = lists.get("list_eval_partition")
    return images.collect(
        partition=read_partition(partition) if partition else None,
        attributes=lists.get("list_attr_celeba"),
    )


@dataclass(frozen=True)
class _Images:
    """A folder of CelebA's images: on disk or remote, or (``archive``) with the lists in an archive.

    ``place`` is what messages call it.
    """

    place: Place
    folder: str = ""
    archive: ZipArchive | None = None
    lists: Mapping[str, ListFile] = field(default_factory=dict)

    def collect(self, **annotations: Any) -> ImageCollection:
        if self.archive:
            return ZipCollection.of(self.archive, self.folder, **annotations)
        return _collect_folder(self.place, **annotations)


def _find_celeba(folder: Place, quick: bool = False) -> tuple[_Images, Mapping[str, ListFile]]:
    """Find the one folder of images, or archive of them, and the lists by name, up to two folders deep.

    Raises:
        DataError: there are no images, more than one folder or archive of them, or an archive is damaged.
    """
    found, lists = _search_remote(folder, quick) if isinstance(folder, RemotePath) else _search(folder, quick)
    if not found:
        raise DataError(_NO_CELEBA.format(folder=folder))
    if len(found) > 1:
        listed = "".join(f"\n  {place}" for place in sorted(str(images.place) for images in found))
        raise DataError(
            f"More than one folder or archive of CelebA images:{listed}\nKeep one of them, move the others away."
        )
    (images,) = found
    return images, {**images.lists, **lists}


def _search(folder: Path, quick: bool) -> tuple[list[_Images], dict[str, ListFile]]:
    found: list[_Images] = []
    lists: dict[str, ListFile] = {}
    for below in _folders(folder, _DEPTH):
        if below.name == CELEBA_IMAGES and any(map(is_image, entries(below))):
            found.append(_Images(below))
            continue
        for entry in sorted(entries(below), key=lambda entry: entry.name):
            file = Path(entry.path)
            if entry.name.lower().endswith(".zip") and entry.is_file():
                found += _images_in(ZipArchive(file), quick)
            elif _is_list(entry.name) and entry.is_file():
                lists.setdefault(file.stem, ListFile(str(file), partial(file.open, "rb")))
    return found, lists


def _search_remote(folder: RemotePath, quick: bool) -> tuple[list[_Images], dict[str, ListFile]]:
    """Search one listing of all files as ``_search`` goes from folder to folder; archives are copied to the cache."""
    folders: dict[PurePosixPath, None] = {}
    others: list[PurePosixPath] = []
    for name, _ in folder.files():
        file = PurePosixPath(name)
        if is_hidden(name) or len(file.parts) > _DEPTH + 1:
            continue
        if (file.parent.name or folder.name) == CELEBA_IMAGES and has_image_name(file.name):
            folders[file.parent] = None
        elif file.name.lower().endswith(".zip") or _is_list(file.name):
            others.append(file)
    # what lies in a folder of images belongs to it
    others = [file for file in sorted(others) if not folders.keys() & set(file.parents)]
    found = [_Images(folder / str(below)) for below in folders if not folders.keys() & set(below.parents)]
    lists: dict[str, ListFile] = {}
    for file in others:
        place = folder / str(file)
        if _is_list(file.name):
            lists.setdefault(file.stem, ListFile(str(place), place.open))
        else:
            archive = use_cached(place, partial(ZipArchive, name=str(place)))
            found += [replace(images, place=place / images.folder) for images in _images_in(archive, quick)]
    return found, lists


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    """Give a folder and those below it; a folder of images is not searched to its end."""
    yield folder
    if depth:
        below = []
        for entry in entries(folder):
            if folder.name == CELEBA_IMAGES and is_image(entry):
                return
            if entry.is_dir():
                below.append(folder / entry.name)
        for each in sorted(below):
            yield from _folders(each, depth - 1)


def _images_in(archive: ZipArchive, quick: bool) -> list[_Images]:
    """Give the folders of CelebA's images in an archive: those of that name, or all when the archive has that name.

    ``quick`` stops at the first image, before it has seen all lists.
    """
    has_that_name = archive.path.stem == CELEBA_IMAGES
    folders: dict[str, None] = {}
    lists: dict[str, ListFile] = {}
    for member in archive.members():
        folder = image_folder_of(member.name)
        if folder is None:
            if _is_list(name := PurePosixPath(member.name).name):
                lists[Path(name).stem] = ListFile(f"{archive.name}/{member.name}", partial(archive.open, member))
        elif has_that_name or f"/{folder}".endswith(f"/{CELEBA_IMAGES}/"):
            folders[folder] = None
            if quick:
                break
    return [_Images(archive.path / folder, folder, archive, lists) for folder in folders]


def _is_list(name: str) -> bool:
    return Path(name).suffix in {".txt", ".csv"} and Path(name).stem in LISTS


# -------------------------------------------------------------------------------------------------------- drawn faces

_MARKER = "drawn.json"
# raise it when the drawing changes: faces drawn before are then drawn again
_DRAWING = 1


def _draw_once(folder: Place, count: int, seed: int) -> None:
    wanted = json.dumps({"count": count, "seed": seed, "drawing": _DRAWING})
    marker = folder / _MARKER
    drawn_here = marker.is_file()
    if drawn_here and marker.read_text() == wanted:
        return
    if not drawn_here and _holds_something(folder):
        raise DataError(
            f"{folder} holds files that were not drawn by the source 'synthetic', which would replace them."
            " Move them, or name another folder: data_engineering.source.folder."
        )
    from celeba_vae.synthetic import write_synthetic_celeba

    with _replaced_whole(folder, drawn_here) as temporary:
        write_synthetic_celeba(temporary, count=count, seed=seed)
        (temporary / _MARKER).write_text(wanted)


def _holds_something(folder: Place) -> bool:
    if isinstance(folder, RemotePath):
        return next(folder.files(), None) is not None
    return folder.exists() and any(folder.iterdir())


@contextmanager
def _replaced_whole(folder: Place, there: bool) -> Iterator[Path]:
    """Give a local folder to fill; its content takes the place of what is in ``folder``, the marker last."""
    if isinstance(folder, RemotePath):
        with tempfile.TemporaryDirectory() as temporary:
            drawn = Path(temporary) / folder.name
            yield drawn
            if there:
                (folder / _MARKER).unlink()
                folder.rmdir(recursive=True)
            files = [file for file in drawn.rglob("*") if file.is_file() and file.name != _MARKER]
            upload = partial(_upload_below, drawn, folder)
            for _ in map_in_threads(upload, files, CONNECTIONS):
                pass
            upload(drawn / _MARKER)
    else:
        with written_atomically(folder) as temporary:
            yield temporary
            if there:
                shutil.rmtree(folder)


def _upload_below(root: Path, folder: RemotePath, file: Path) -> None:
    (folder / file.relative_to(root).as_posix()).upload(file)

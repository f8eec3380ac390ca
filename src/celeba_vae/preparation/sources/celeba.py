"""CelebA as it is downloaded: where its images and lists are, in folders or in archives, here or at an address."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pydantic import Field

from celeba_vae.config import Options
from celeba_vae.errors import DataError
from celeba_vae.preparation.archives import ZipArchive, ZipMember
from celeba_vae.preparation.listing import entries, has_image_name, image_folder_of, is_hidden, is_image
from celeba_vae.preparation.lists import ListFile
from celeba_vae.preparation.originals import ImageCollection, ZipCollection, collect_folder
from celeba_vae.preparation.sources.folder import source_folder
from celeba_vae.storage import Place, RemotePath
from celeba_vae.storage.cache import use_cached

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


class CelebaSource(Options):
    """CelebA as it is downloaded: ``img_align_celeba/``, nested or not, its zip, or Kaggle's archive; and the lists.

    Archives are read in place. The lists stand beside the images, up to two folders deeper, or in the archive.
    """

    folder: str = Field("celeba", description="The folder with CelebA, below 01_raw, absolute or an address (s3://…)")

    def check(self, raw_folder: Place) -> None:
        """Raise DataError when there are no images, more than one folder or archive of them, or a damaged archive."""
        _find_celeba(source_folder(raw_folder, self.folder))

    def collect(self, raw_folder: Place) -> ImageCollection:
        """Collect the images with their lists. Raises DataError as ``check`` does, and when something can't be read."""
        images = _find_celeba(source_folder(raw_folder, self.folder))
        partition, attributes = map(images.lists.get, LISTS)
        return replace(images.collect(), partition=partition, attributes=attributes)


class _Images(NamedTuple):
    """A folder of CelebA's images: what messages call it, what collects them, and the lists in its archive."""

    place: Place
    collect: Callable[[], ImageCollection]
    lists: Mapping[str, ListFile]


def _find_celeba(folder: Place) -> _Images:
    """Find the one folder of images, or archive of them, and the lists by name. Raises DataError as ``check`` does."""
    found, lists = _search(folder)
    if not found:
        raise DataError(_NO_CELEBA.format(folder=folder))
    if len(found) > 1:
        listed = "".join(f"\n  {place}" for place in sorted(str(images.place) for images in found))
        raise DataError(
            f"More than one folder or archive of CelebA images:{listed}\nKeep one of them, move the others away."
        )
    (images,) = found
    return images._replace(lists={**images.lists, **lists})


def _search(folder: Place) -> tuple[list[_Images], dict[str, ListFile]]:
    folders: set[PurePosixPath] = set()
    others: list[PurePosixPath] = []
    for file in _files(folder):
        if (file.parent.name or folder.name) == CELEBA_IMAGES and has_image_name(file.name):
            folders.add(file.parent)
        elif file.suffix.lower() == ".zip" or _is_list(file):
            others.append(file)
    # what lies in a folder of images belongs to it
    outermost = [folder / str(below) for below in folders if not folders & set(below.parents)]
    found = [_Images(place, partial(collect_folder, place), {}) for place in outermost]
    others = [file for file in others if not folders & set(file.parents)]
    lists: dict[str, ListFile] = {}
    # the files of a folder before those of the folders in it
    for file in sorted(others, key=lambda file: (file.parent.parts, file.name)):
        place = folder / str(file)
        if _is_list(file):
            lists.setdefault(file.stem, ListFile.at(place))
        elif isinstance(place, RemotePath):
            found += _images_in(use_cached(place, partial(ZipArchive, name=str(place))), place)
        else:
            found += _images_in(ZipArchive(place), place)
    return found, lists


def _local_files(folder: Path, below: PurePosixPath) -> Iterator[PurePosixPath]:
    """Give the files below a folder, but for hidden ones; of a folder of images one will do."""
    for entry in entries(folder / below):
        file = below / entry.name
        if is_image(entry):
            yield file
            if (below.name or folder.name) == CELEBA_IMAGES:
                return
        elif entry.is_file():
            yield file
        elif entry.is_dir() and len(file.parts) <= _DEPTH:
            yield from _local_files(folder, file)


def _files(folder: Place) -> Iterator[PurePosixPath]:
    """Give the paths from a folder to the files in it and in the folders below it, to that depth."""
    if not isinstance(folder, RemotePath):
        return _local_files(folder, PurePosixPath())
    files = (PurePosixPath(name) for name, _ in folder.files() if not is_hidden(name))
    return (file for file in files if len(file.parts) <= _DEPTH + 1)


def _images_in(archive: ZipArchive, place: Place) -> list[_Images]:
    """Give the folders of CelebA's images in an archive: those of that name, or all when the archive has that name."""
    has_that_name = archive.path.stem == CELEBA_IMAGES
    folders: dict[str, None] = {}
    lists: dict[str, ListFile] = {}
    directory = archive.directory()
    for name, member in zip(directory.names, directory.members, strict=True):
        folder = image_folder_of(name)
        if folder is None:
            file = PurePosixPath(name)
            if _is_list(file):
                lists[file.stem] = ListFile(
                    f"{archive.name}/{name}", partial(archive.open, name, ZipMember(*member.item()))
                )
        elif has_that_name or f"/{folder}".endswith(f"/{CELEBA_IMAGES}/"):
            folders[folder] = None
    return [_Images(place / folder, partial(ZipCollection.of, archive, directory, folder), lists) for folder in folders]


def _is_list(file: PurePosixPath) -> bool:
    return file.suffix in {".txt", ".csv"} and file.stem in LISTS

"""Any folder or zip of images, and where the folder is that a source names."""

import zipfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import Field

from celeba_vae.config import Options
from celeba_vae.config.wording import printable
from celeba_vae.errors import DataError
from celeba_vae.preparation.archives import ZipArchive
from celeba_vae.preparation.listing import files_below, images_at_address, images_on_disk, in_words, is_image_member
from celeba_vae.preparation.originals import ImageCollection, ZipCollection, collect_folder
from celeba_vae.storage import Place, RemotePath, is_remote
from celeba_vae.storage.cache import use_cached
from celeba_vae.storage.places import protocol_of

# not read in place
_OTHER_ARCHIVES = (".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst")
_KINDS = "JPEG, PNG, WebP, BMP, TIFF, GIF or AVIF files"
_NAMED = 5


class FolderSource(Options):
    """Any JPEG, PNG, WebP, BMP, TIFF, GIF or AVIF images, of any size: in a folder, nested or not, or in a zip."""

    folder: str = Field(
        description="The folder or the zip with the images, or a folder in a zip (faces.zip/train), below 01_raw,"
        " absolute or an address (s3://…)"
    )

    def check(self, raw_folder: Place) -> None:
        """Raise DataError when there is no image, or the zip can't be read."""
        _find(source_folder(raw_folder, self.folder))

    def collect(self, raw_folder: Place) -> ImageCollection:
        """Collect the images. Raises DataError as ``check`` does, and when something can't be read."""
        return _find(source_folder(raw_folder, self.folder))()


def _find(place: Place) -> Callable[[], ImageCollection]:
    """Find images in a folder, else in the one zip that it holds; give what collects them."""
    if in_zip := _in_zip(place):
        return _in_archive(*in_zip)
    passed_over: Counter[str] = Counter()
    if isinstance(place, RemotePath):
        images = images_at_address(place, passed_over)
    else:
        images = images_on_disk(place, passed_over)
    if next(images, None) is not None:
        return partial(collect_folder, place)
    names = sorted(_names(place)) if passed_over else []
    zips = [name for name in names if name.lower().endswith(".zip")]
    if len(zips) == 1:
        return _in_archive(place / zips[0], "")
    raise DataError(_no_images(place, names, zips, passed_over))


def _in_zip(place: Place) -> tuple[Place, str] | None:
    """Give the zip that a path leads to or into, and the folder in it, ending in "/" or empty; None: to none."""
    for file in (place, *place.parents):
        if file.suffix.lower() == ".zip" and file.is_file():
            return file, "".join(f"{part}/" for part in place.parts[len(file.parts) :])
    if isinstance(place, Path) and place.is_file() and zipfile.is_zipfile(place):
        return place, ""
    return None


def _in_archive(place: Place, folder: str) -> Callable[[], ImageCollection]:
    if isinstance(place, RemotePath):
        archive = use_cached(place, partial(ZipArchive, name=str(place)))
    else:
        archive = ZipArchive(place)
    directory = archive.directory()
    passed_over: Counter[str] = Counter()
    inside = (name for name in directory.names if name.startswith(folder))
    if not any(is_image_member(name, len(folder), passed_over) for name in inside):
        raise DataError(
            f"No images in {place}{f', folder {folder}' if folder else ''}: {in_words(passed_over) or 'nothing there'}."
            f" A zip of {_KINDS} is read as it is; unpack what is packed in it, or name another:"
            " data_engineering.source.folder."
        )
    return partial(ZipCollection.of, archive, directory, folder, below=True)


def _names(folder: Place) -> list[str]:
    if isinstance(folder, RemotePath):
        return [name for name, _ in folder.files()]
    return [name for name, _ in files_below(folder)]


def _no_images(place: Place, names: list[str], zips: list[str], passed_over: Counter[str]) -> str:
    if place.is_file():
        end = ": that is a file, and no zip. Unpack it into a folder and name that"
    elif len(zips) > 1:
        end = f", but {len(zips)} zips: {_listed(zips)}. Name one of them"
    elif packed := [name for name in names if name.lower().endswith(_OTHER_ARCHIVES)]:
        end = f": there is {_listed(packed)}. Unpack it there, or name another folder"
    else:
        there = in_words(passed_over) or ("the folder is empty" if place.is_dir() else "there is no such folder")
        end = f": {there}. Put {_KINDS} or one zip of them there, or name another folder"
    return printable(f"No images in {place}{end}: data_engineering.source.folder.")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")


def source_folder(raw_folder: Place, folder: str) -> Place:
    """Give the folder that a source names: below the folder of originals unless it says where.

    Raises DataError when it names an address that can't be reached.
    """
    if is_remote(folder):
        if isinstance(raw_folder, RemotePath) and raw_folder.protocol == protocol_of(folder):
            # with its credentials
            place = raw_folder.with_segments(folder)
        else:
            place = RemotePath(folder)
        place.check()
        return place
    # an absolute path is of this machine, wherever the folder of originals is
    return Path(folder) if Path(folder).is_absolute() else raw_folder / folder

"""What lies in a folder or an archive that is to hold CelebA, by the paths of its files."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from celeba_vae.preparation.listing import entries, has_image_name, is_folder, is_hidden
from celeba_vae.storage import Place, RemotePath

CELEBA_IMAGES = "img_align_celeba"
PNG_EDITION = "img_align_celeba_png"
IN_THE_WILD = "img_celeba"
LISTS = ("list_eval_partition", "list_attr_celeba")
# how sure it is that images are CelebA's, see ``ImageFolder``
NAMED, OTHER_EDITION, LIKELY, UNLIKELY = range(4)
# what folders and shards that are a split of their own are called
SPLIT_NAMES = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "test": 2, "testing": 2}
# folders below the one that is named in which images and lists are looked for
DEPTH = 4
_LIST_SUFFIXES = (".txt", ".csv", ".tsv")


class Contents:
    """The files of a folder or an archive, called ``top``: of images, how many lie in which folder; all others by path.

    Args:
        images: The number of images in each folder, by its path: "" or "img_align_celeba/train". Of those that
            ``numbered`` has, not all are counted.
        numbered: Those of these folders that hold an image with a name of CelebA's form.
        others: The paths of all other files, those of outer folders first.
    """

    def __init__(self, top: str, files: Iterable[str]) -> None:
        self.top = top
        self.images: Counter[str] = Counter()
        self.numbered: set[str] = set()
        others = []
        for path in files:
            folder, _, name = path.rpartition("/")
            if has_image_name(name):
                self.images[folder] += 1
                if is_numbered(name):
                    self.numbered.add(folder)
            elif name:
                others.append(path)
        self.others = sorted(others, key=lambda path: (path.split("/")[:-1], path))

    @classmethod
    def of_folder(cls, folder: Place) -> "Contents":
        """See what lies in a folder and the folders below it, hidden ones left out; links are followed once."""
        if isinstance(folder, RemotePath):
            names = (name for name, _ in folder.files() if not is_hidden(name))
            return cls(folder.name, (name for name in names if name.count("/") <= DEPTH))
        return cls(folder.name, _files_on_disk(folder))

    @classmethod
    def of_archive(cls, top: str, members: Iterable[str]) -> "Contents":
        """See what lies in an archive, without what is hidden and what a Mac adds."""
        return cls(top, (name for name in members if not is_hidden(name) and not name.startswith("__MACOSX/")))

    def with_suffix(self, suffix: str) -> list[str]:
        """Give the paths of the files that are no images and have this suffix, in any capitals."""
        return [path for path in self.others if path.lower().endswith(suffix)]

    def lists(self) -> dict[str, str]:
        """Give the paths of CelebA's lists, by their names: those of outer folders and of the very name first."""
        found: dict[str, str] = {}
        for exact in (True, False):
            for path in self.others:
                stem, suffix = os.path.splitext(path.rpartition("/")[2].lower())
                for name in LISTS:
                    # a second download is "list_eval_partition (1).txt"
                    if suffix in _LIST_SUFFIXES and (stem == name if exact else stem.startswith(name)):
                        found.setdefault(name, path)
        return found


def is_numbered(name: str) -> bool:
    """Whether an image's name has CelebA's form: six digits and a suffix."""
    return name[:6].isdigit() and name[6:7] == "."


def _files_on_disk(folder: Path) -> Iterator[str]:
    seen: set[tuple[int, int]] = set()
    waiting = [""]
    for below in waiting:
        try:
            status = os.stat(folder / below)
        except OSError:
            continue
        # where links lead to a folder that was there before, or back to the top
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        folders = []
        recognised = False
        for entry in entries(folder / below):
            # of 200,000 images one will do
            if recognised and has_image_name(entry.name) and not is_folder(entry):
                continue
            if is_folder(entry):
                folders.append(f"{below}{entry.name}/")
            else:
                yield below + entry.name
                recognised = recognised or (has_image_name(entry.name) and is_numbered(entry.name))
        if below.count("/") < DEPTH:
            waiting += sorted(folders)


class ImageFolder(NamedTuple):
    """A folder whose images, and those of the folders below it, belong together.

    Args:
        folder: Its path, "" or "img_align_celeba".
        images: How many images.
        rank: How sure it is that they are CelebA's: by the folder's name, by that of the PNG edition, only by the
            images' names or the lists beside them, or not at all.
    """

    folder: str
    images: int
    rank: int


def image_folders(contents: Contents, lists_are_beside: bool = False) -> list[ImageFolder]:
    """Give the folders of images: the outermost with CelebA's name, the folder of train/, val/, test/, or each alone.

    ``lists_are_beside``: lists in any folder stand beside images right in the top one.
    """
    together: dict[tuple[str, int], list[str]] = defaultdict(list)
    for folder in contents.images:
        together[_claim_of(contents.top, folder)].append(folder)
    beside = {path.rpartition("/")[0] for path in contents.lists().values()}
    if beside and lists_are_beside:
        beside.add("")
    found = []
    for (claim, rank), folders in together.items():
        if rank == UNLIKELY and kind_of(claim) is None:
            has_its_name = claim.rpartition("/")[2].lower().startswith(CELEBA_IMAGES)
            if claim in beside or has_its_name or not contents.numbered.isdisjoint(folders):
                rank = LIKELY
        found.append(ImageFolder(_common(folders, claim), sum(contents.images[folder] for folder in folders), rank))
    # what lies below images that are taken for CelebA's by less than their folder's name would be taken along
    likely = [f"{images.folder}/".lstrip("/") for images in found if images.rank == LIKELY]
    return sorted(
        images._replace(rank=min(images.rank, LIKELY)) if f"{images.folder}/".startswith(tuple(likely)) else images
        for images in found
    )


def _claim_of(top: str, folder: str) -> tuple[str, int]:
    """Give the folder that the images in a folder belong to, and the rank that its name gives it."""
    parts = _parts(folder)
    for end, part in enumerate([top, *parts]):
        if part.lower() in (CELEBA_IMAGES, PNG_EDITION):
            return "/".join(parts[:end]), NAMED if part.lower() == CELEBA_IMAGES else OTHER_EDITION
    return "/".join(parts[: _first_split(parts)]), UNLIKELY


def _common(folders: list[str], claim: str) -> str:
    """Give the folder that all these lie in, below the one that claims them, but above the splits' own folders."""
    parts = _parts(os.path.commonpath(folders))
    return "/".join(parts[: _first_split(parts, start=len(_parts(claim)))])


def _parts(folder: str) -> list[str]:
    return folder.split("/") if folder else []


def _first_split(parts: list[str], start: int = 0) -> int | None:
    return next((place for place in range(start, len(parts)) if parts[place].lower() in SPLIT_NAMES), None)


def kind_of(folder: str) -> str | None:
    """Say what a folder's images are where its name tells that they are not CelebA's aligned faces."""
    for part in folder.lower().split("/"):
        if part == IN_THE_WILD:
            return "in the wild"
        if "mask" in part or "landmark" in part:
            return "masks" if "mask" in part else "landmarks"
    return None

"""What lies where CelebA is to be, but is not read as CelebA, in words that say what to do with it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import PurePosixPath

from celeba_vae.config.wording import printable
from celeba_vae.preparation.sources.contents import CELEBA_IMAGES, LISTS, Contents, ImageFolder, kind_of
from celeba_vae.storage import Place, RemotePath

# how many things are told of in one message, and how many kinds of files are counted
_TOLD = 3
_COUNTED = 6
_ARCHIVE = re.compile(
    r"\.(7z|rar|tar|tgz|tbz2?|txz|tzst|gz|bz2|xz|zst|lz4|lzma|iso)(\.\d+)?$|\.zip\.\d+$|\.[rz]\d\d$", re.IGNORECASE
)
_RECORDS = re.compile(
    r"\.(tfrecords?|arrow|h5|hdf5|mdb|lmdb|npz|npy|pkl|pickle|pth?|beton|rec|feather|mat|avro)(-\d+-of-\d+)?$",
    re.IGNORECASE,
)
_UNFINISHED = re.compile(r"\.(crdownload|part|partial|download|incomplete|aria2|tmp)$", re.IGNORECASE)
_NO_IMAGES = re.compile(r"(.*/)?([^/]*(landmarks|bbox|identity)|list_)[^/]*$", re.IGNORECASE)
_A_LIST = re.compile(rf"(.*/)?({'|'.join(LISTS)})[^/]*$", re.IGNORECASE)


def of_archive(contents: Contents, place: Place, within: str = "") -> Iterator[str]:
    """Name an archive that is not read, or one in the archive ``within``, and say where to unpack it."""
    packed = _matching(_ARCHIVE, contents)
    if within:
        packed += [*contents.with_suffix(".zip"), *contents.with_suffix(".parquet")]
        yield from _there_is(packed, f"unpack {within} into {place}", f" in {within}")
    else:
        yield from _there_is(packed, f"unpack {{it}} into {place}")


def of_files(contents: Contents, place: Place) -> Iterator[str]:
    """Name files that are not complete, and those of which each holds many images."""
    yield from _there_is(_matching(_UNFINISHED, contents), f"download {{it}} to the end into {place}")
    remedy = f"unpack the images in {{it}} into {place / CELEBA_IMAGES}, as .jpg or .png files"
    yield from _there_is(_matching(_RECORDS, contents), remedy)


def of_images(images: ImageFolder, there: Place, place: Place) -> str:
    """Say why a folder of images is not taken for CelebA's, and what to do if it is."""
    target = place / CELEBA_IMAGES
    match kind_of(images.folder):
        case "in the wild":
            return f"There is a folder {there}, images in the wild, not aligned: unpack the aligned ones into {target}."
        case None:
            return (
                f"There are {images.images:,} images in {there}, not named as CelebA's and no list beside them: if they"
                f" are CelebA's, move them into {target}; else read them by the source 'folder'."
            )
        case kind:
            return f"There are {images.images:,} {kind} in {there}, no faces: unpack the images into {target}."


def of_lists(contents: Contents, place: Place) -> Iterator[str]:
    """Name lists, which hold no images."""
    remedy = f"it holds no images: unpack those into {place / CELEBA_IMAGES}"
    yield from _there_is(_matching(_NO_IMAGES, contents), remedy)


def unread_files(contents: Contents) -> list[str]:
    """Give the paths of the files that one might think are read."""
    return [path for kind in (_ARCHIVE, _UNFINISHED, _RECORDS, _A_LIST) for path in _matching(kind, contents)]


def unread_lists(contents: Contents, found: Iterable[str]) -> list[str]:
    """Give the paths of files called as the lists that were not found, in a form that is not read."""
    names = tuple(set(LISTS) - set(found))
    return [path for path in _matching(_A_LIST, contents) if path.rpartition("/")[2].lower().startswith(names)]


def first_of(sentences: Iterable[str]) -> str:
    """Give the first of these sentences, a line each."""
    return "".join(f"\n  {printable(sentence)}" for sentence in islice(sentences, _TOLD))


def seen(folder: Place, contents: Contents) -> str:
    """Count what lies there by suffix: "images in masks/, 2 .txt"."""
    images = [f"images in {folder}/" if folder else "images" for folder in sorted(contents.images)]
    suffixes = Counter(PurePosixPath(path).suffix.lower() or "without suffix" for path in contents.others)
    counted = [f"{count:,} {suffix}" for suffix, count in suffixes.most_common(_COUNTED)]
    more = ["more"] if len(images) > _COUNTED or len(suffixes) > _COUNTED else []
    nothing = "nothing" if isinstance(folder, RemotePath) or folder.is_dir() else "no such folder"
    return printable(", ".join([*images[:_COUNTED], *counted, *more]) or nothing)


def _matching(kind: re.Pattern, contents: Contents) -> list[str]:
    return [path for path in contents.others if kind.search(path)]


def _there_is(paths: Sequence[str], remedy: str, where: str = "") -> Iterator[str]:
    """Name the file that most likely holds the images, and say how many more there are."""
    if paths:
        first = min(paths, key=lambda path: (CELEBA_IMAGES not in path.lower(), path))
        more, it = (f" and {len(paths) - 1:,} more of this kind", "them") if len(paths) > 1 else ("", "it")
        yield f"There is a {first}{more}{where}: {remedy.format(it=it)}."

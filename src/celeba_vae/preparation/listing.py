"""What folders, addresses and archives hold: the images by their names, and how many files are none."""

import heapq
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from celeba_vae.errors import DataError
from celeba_vae.preparation.decoding import SUFFIXES
from celeba_vae.storage import RemotePath, state_of

# what tells files apart in a count: not the numbers that some end in
_SUFFIX = re.compile(r"\.(?!\d+$)[a-z0-9_+~-]{1,12}")
_NO_SUFFIX = "without a suffix"
# how images begin
_IMAGE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}WEBP|II\*\0|MM\0\*|.{4}ftypavi[fs]|BM.{4}\0{4}", re.DOTALL
)
_BROKEN_LINKS = "broken links"
_NAMED_SUFFIXES = 6


def images_on_disk(folder: Path, passed_over: Counter[str]) -> Iterator[tuple[str, int, int]]:
    """Give (path relative to the folder, bytes, time of the last change) of each image file below it, in any order.

    What is no image is counted by suffix while they are given. Only files without a suffix are opened for that.
    """
    for name, entry in files_below(folder):
        if is_image(entry) or _is_image_without_suffix(entry):
            try:
                status = entry.stat()
                size, changed = status.st_size, status.st_mtime_ns
            except OSError:
                # a broken link: reading it will say what is wrong
                size = changed = -1
            yield name, size, changed
        else:
            # such a link may have been one to a folder
            passed_over[suffix_of(entry.name) if os.path.exists(entry.path) else _BROKEN_LINKS] += 1


def images_at_address(folder: RemotePath, passed_over: Counter[str]) -> Iterator[tuple[Any, ...]]:
    """Give (path relative to the folder, and what the store knows of its content) of each image file below it."""
    for name, info in folder.files():
        if not is_hidden(name):
            if has_image_name(name):
                yield name, *state_of(info)
            else:
                passed_over[suffix_of(name)] += 1


def files_below(folder: Path) -> Iterator[tuple[str, os.DirEntry]]:
    """Give each file below a folder, its path from there and its entry, in any order, but for hidden ones.

    Links are followed. A folder is entered once: where a link leads to one that is there itself, or back to the top, or
    where two lead to the same, the others give nothing.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [""]
    links: list[str] = []
    while waiting or links:
        # all links after all folders, in order: so names do not depend on the order in which the system lists them
        below = waiting.pop() if waiting else heapq.heappop(links)
        try:
            status = os.stat(folder / below)
        except OSError:
            # gone, or not to be read, which entries says
            status = None
        if status is not None:
            identity = status.st_dev, status.st_ino
            if identity in seen:
                continue
            seen.add(identity)
        for entry in entries(folder / below):
            if not is_folder(entry):
                yield below + entry.name, entry
            elif entry.is_symlink():
                heapq.heappush(links, f"{below}{entry.name}/")
            else:
                waiting.append(f"{below}{entry.name}/")


def is_folder(entry: os.DirEntry) -> bool:
    """Whether an entry of a folder is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:
        # a link that leads to itself
        return False


def image_folder_of(member: str) -> str | None:
    """Give the folder of an archive's member if it is an image, ending in "/" or empty; None for all else."""
    folder, slash, name = member.rpartition("/")
    return folder + slash if has_image_name(name) and not folder.startswith("__MACOSX") else None


def has_image_name(name: str) -> bool:
    """Whether a file's name is that of an image, and not hidden."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def is_image_member(name: str, start: int, passed_over: Counter[str]) -> bool:
    """Whether an archive's member is an image, by its path from ``start`` on; what is no image is counted by suffix."""
    below = name[start:]
    if below.endswith("/") or not below or is_hidden(below) or name.startswith("__MACOSX/"):
        return False
    if has_image_name(below):
        return True
    passed_over[suffix_of(below)] += 1
    return False


def suffix_of(name: str) -> str:
    """Give a file's suffix as ``passed_over`` counts it."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if _SUFFIX.fullmatch(suffix) else _NO_SUFFIX


def in_words(passed_over: Mapping[str, int]) -> str:
    """Write what is passed over as "3 .txt, 1 without a suffix", the most frequent first; empty where nothing is."""
    most_first = sorted(passed_over.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{count:,} {suffix}" for suffix, count in most_first[:_NAMED_SUFFIXES]]
    more = sum(count for _, count in most_first[_NAMED_SUFFIXES:])
    return ", ".join([*parts, f"{more:,} others"] if more else parts)


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
    return has_image_name(entry.name) and is_file(entry)


def _is_image_without_suffix(entry: os.DirEntry) -> bool:
    """Whether an entry of a folder is a file without a suffix that begins as images do."""
    if suffix_of(entry.name) != _NO_SUFFIX or not os.path.isfile(entry.path):
        return False
    try:
        with open(entry.path, "rb", buffering=0) as file:
            return _IMAGE.match(file.read(16)) is not None
    except OSError:
        return False


def is_file(entry: os.DirEntry) -> bool:
    """Whether an entry of a folder is a file, or a link to anything but a folder: reading it will say what is wrong."""
    return (entry.is_symlink() and not is_folder(entry)) or entry.is_file()

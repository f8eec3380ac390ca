"""Writing files and folders so that a killed process never leaves half an output under the final name."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celeba_vae.errors import DataError


@contextmanager
def written_atomically(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; put the file or folder written there in place when the block succeeds.

    Its name starts with a dot and keeps the suffix, by which writers choose their format. A file may be there already,
    a folder must not.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}-{uuid.uuid4().hex[:8]}{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def check_room(folder: Path, needed: int, contents: str, instead: str) -> None:
    """Raise DataError where a disk has no room for ``needed`` bytes in a folder, which may not be there yet.

    ``contents`` says what needs them and ``instead`` what needs fewer, in words.
    """
    folder = folder.absolute()
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    if needed > free:
        raise DataError(
            f"{contents} need {needed / 1e9:,.2f} GB more in {folder}, but only {free / 1e9:,.2f} GB are free. Make"
            f" room, choose {instead}, or put the data folder on another disk (conf/base/globals.yml)."
        )


def link_or_copy(source: Path, target: Path) -> None:
    """Put ``source`` under the name ``target`` at once: a hard link, or a copy where the file system has no links."""
    with written_atomically(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)

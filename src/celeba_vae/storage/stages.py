"""Long stages that can be run again: each has a fingerprint, a folder of its own, and a mark that it is finished."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
from filelock import FileLock, Timeout

from celeba_vae.errors import CelebaVaeError
from celeba_vae.storage.atomic import written_atomically

_FINISHED = "finished.json"
_BEGUN_FRESH = "begun_fresh"


def fingerprint(content: Mapping[str, Any]) -> str:
    """Hash JSON-able values that determine a stage's result to 16 hexadecimal digits; their order is no matter."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()


def content_of(array: np.ndarray) -> str:
    """Hash an array's type, shape and content, block by block; for a stage's identity. It may be memory-mapped."""
    return f"{len(array)} rows, content {_digest(f'{array.dtype} {array.shape}', array)}"


def images_content(images: np.ndarray) -> str:
    """Hash images' shape and content, block by block; it tells what a training was made with."""
    return f"{len(images)} images, content {_digest(repr(images.shape), images)}"


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Name each value that differs between two nested mappings, as ``data_engineering.crop: 148 -> 178``."""
    found = []
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += differences(before, after, f"{prefix}{key}.")
        elif before != after:
            found.append(f"{prefix}{key}: {before} -> {after}")
    return found


def changes_since_newest(
    folder: Path, identity: Mapping[str, Any], having: str = "identity.json", except_for: Path | None = None
) -> list[str]:
    """Name what differs between ``identity`` and the newest stage in a folder, in its keys; nothing where one agrees.

    A stage without a file or folder of the pattern ``having`` does not count, nor does ``except_for``.
    """
    keys = json.loads(json.dumps(identity))
    files = [file for file in Path(folder).glob("*/identity.json") if file.parent != except_for]
    files = [file for file in files if next(file.parent.glob(having), None)]
    found = []
    for file in sorted(files, key=lambda file: file.stat().st_mtime_ns):
        before = json.loads(file.read_text())
        found = differences({key: before.get(key) for key in keys}, keys)
        if not found:
            break
    return found


def end_fresh_run(folder: Path) -> None:
    """Let ``fresh`` start the finished stages in a folder, or in folders in it, anew again, at the end of a run.

    Until then they are what the run has made already, so that it goes on behind them after an interruption.
    """
    for mark in [*folder.glob(f"*/{_BEGUN_FRESH}"), *folder.glob(f"*/*/{_BEGUN_FRESH}")]:
        if (mark.parent / _FINISHED).exists():
            mark.unlink()


def _digest(form: str, array: np.ndarray) -> str:
    digest = hashlib.sha256(form.encode())
    for first in range(0, len(array), 1024):
        digest.update(np.ascontiguousarray(array[first : first + 1024]).data)
    return digest.hexdigest()[:16]


class Stage:
    """The working folder of one long stage, ``<folder>/<fingerprint>/``, held against other processes while it is open.

    Use it as a context manager, which raises CelebaVaeError where another process works in the folder. ``identity`` is
    what determines the result: data, parameters and the format of the code's working files, as JSON-able values.
    ``path`` keeps whatever the stage needs to go on after it was killed.

    ``fresh`` starts anew. What was there is put aside, as ``<fingerprint>_replaced``, until the new stage is finished.
    A stage that was begun so goes on with ``fresh`` as without, until ``end_fresh_run``.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], fresh: bool = False) -> None:
        self.folder = Path(folder)
        # as it is read back: a tuple is a list in JSON
        self.identity = json.loads(json.dumps(identity))
        self.path = self.folder / fingerprint(identity)
        self.fresh = fresh
        self._lock = FileLock(self._lock_file(self.path), timeout=0)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            raise CelebaVaeError(
                f"Another process is working in {self.path}. Wait until it has ended, or stop it, then run again."
            ) from None
        if self.fresh and not (self.path / _BEGUN_FRESH).exists():
            if self.path.exists():
                shutil.rmtree(self._replaced, ignore_errors=True)
                self.path.rename(self._replaced)
            self.path.mkdir()
            (self.path / _BEGUN_FRESH).touch()
        self.path.mkdir(exist_ok=True)
        for leftover in self.path.glob("**/.*"):
            # what a killed process was writing
            if leftover.is_file():
                leftover.unlink()
        self._write("identity.json", self.identity)
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    @property
    def result(self) -> dict[str, Any] | None:
        """What ``finish`` was given, or None while the stage is unfinished."""
        file = self.path / _FINISHED
        return json.loads(file.read_text()) if file.exists() else None

    def finish(self, result: Mapping[str, Any]) -> None:
        """Mark the stage as finished and keep a small JSON-able ``result`` beside its files."""
        self._write(_FINISHED, result)
        shutil.rmtree(self._replaced, ignore_errors=True)

    def changes_since_last(self) -> list[str]:
        """Name what differs from the newest other stage in the same folder; empty when there is none."""
        return changes_since_newest(self.folder, self.identity, except_for=self.path)

    def remove_others(self) -> None:
        """Remove the other stages in the same folder, but for those that a process is working in."""
        for file in self.folder.glob("*/identity.json"):
            other = file.parent
            if other != self.path:
                with suppress(Timeout), FileLock(self._lock_file(other), timeout=0):
                    shutil.rmtree(other)

    @property
    def _replaced(self) -> Path:
        return self.path.with_name(f"{self.path.name}_replaced")

    def _lock_file(self, path: Path) -> Path:
        return self.folder / f".{path.name}.lock"

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        with written_atomically(self.path / name) as temporary:
            temporary.write_text(json.dumps(content, indent=1, sort_keys=True))

"""From a collection of originals to one array a split: by threads, range by range, so that it can go on after a kill.

Every image of a split has its place in the split's array from the start. A range of rows is decoded, written, and then
entered in the journal, a file of its own; so ranges can be prepared in any order, by anyone, and again. At the end the
places of images that could not be used are filled from the end of the array, which is cut to its true length.
"""

import hashlib
import json
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from celeba_vae.config import DataEngineeringConfig
from celeba_vae.errors import DataError
from celeba_vae.files import written_atomically
from celeba_vae.imaging.cropping import ImagePreparer, describe_crop
from celeba_vae.imaging.decoding import BadImageError
from celeba_vae.imaging.sources import ImageCollection
from celeba_vae.imaging.splits import SPLITS
from celeba_vae.npy import NpyRows, kept_order
from celeba_vae.stages import Stage

logger = logging.getLogger(__name__)

# raise it when the same originals and parameters give other arrays: what was prepared before is then prepared again
FORMAT = 1
RANGE_ROWS = 256
RANGE_BYTES = 8 * 2**20
SECONDS_BETWEEN_LOG_LINES = 10
HINTS = {
    "too small": "choose a smaller data_engineering.crop",
    "missing": "set data_engineering.split.by to counts to use the images that are there",
    "unreadable": "make them readable and run again with --params data_engineering.fresh=true",
    "no split": "set data_engineering.split.by to counts to do without the partition file",
}


@dataclass(frozen=True)
class PreparedImages:
    """What preparation gives.

    Args:
        files: The finished ``.npy`` file of each split: uint8 (images, height, width, 3).
        index: A row an original: image_id, split, row in the split's array (-1: left out), status, reason.
        seconds: How long it took when it was prepared.
    """

    files: dict[str, Path]
    index: pd.DataFrame
    seconds: float

    @property
    def counts(self) -> dict[str, int]:
        """Images in each split's array."""
        used = self.index.loc[self.index["row"] >= 0, "split"].value_counts()
        return {split: int(used.get(split, 0)) for split in SPLITS}


@dataclass(frozen=True)
class BadImage:
    """An image that can't be used, and why."""

    image_id: str
    status: str
    reason: str


@dataclass(frozen=True)
class RowRange:
    """Consecutive rows of one split's array, and the images that belong there."""

    split: str
    start: int
    image_ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.image_ids)


def prepare_images(
    originals: ImageCollection, splits: pd.DataFrame, config: DataEngineeringConfig, folder: Path
) -> PreparedImages:
    """Crop and resize the originals into one array a split, or hand on what an earlier run finished.

    Args:
        originals: The images.
        splits: What ``assign_splits`` gives for them.
        config: Crop, size, threads, and the share of bad images that is bearable.
        folder: Keeps the working files, and the finished arrays until something changes.

    Raises:
        DataError: more than ``max_bad_share`` of the images can't be used, none is left to train on, or the arrays
            can't be written.
        CelebaVaeError: another process is preparing the same images.
    """
    try:
        with Stage(folder, _identity(originals, config), config.fresh) as stage:
            return _prepare_in_stage(stage, originals, splits, config)
    except OSError as error:
        raise DataError(
            f"The prepared images can't be written to {folder}: {error.strerror or error}."
            " What was prepared so far is kept: put that right and run again."
        ) from error


def _prepare_in_stage(
    stage: Stage, originals: ImageCollection, splits: pd.DataFrame, config: DataEngineeringConfig
) -> PreparedImages:
    arrays = {
        split: NpyRows(stage.path / f"{split}_images.npy", int((splits["split"] == split).sum()), config.image_shape)
        for split in SPLITS
    }
    result = stage.result
    if result is not None and all(arrays[split].is_complete(count) for split, count in result["counts"].items()):
        logger.info("Nothing has changed: the images are those prepared before (%s).", _in_words(result["counts"]))
    else:
        if changes := stage.changes_since_last():
            logger.info("Preparing the images again, because this has changed: %s.", "; ".join(changes))
        if result is not None or not all(array.path.exists() for array in arrays.values()):
            _start_over(stage.path, arrays)
        result = _prepare(originals, splits, config, arrays, _Journal(stage.path / "ranges"))
        stage.finish(result)
        stage.remove_others()
    bad = [BadImage(*image) for image in result["bad"]]
    _check_share(bad, splits, config.max_bad_share)
    files = {split: array.path for split, array in arrays.items()}
    return PreparedImages(files, index_images(splits, bad), result["seconds"])


def index_images(splits: pd.DataFrame, bad: Sequence[BadImage]) -> pd.DataFrame:
    """Complete the table of splits: status and reason of the bad images, and the row of all others in their arrays."""
    index = splits.copy()
    by_name = {image.image_id: image for image in bad}
    is_bad = index["image_id"].isin(by_name)
    found = [by_name[image_id] for image_id in index.loc[is_bad, "image_id"]]
    index.loc[is_bad, "status"] = [image.status for image in found]
    index.loc[is_bad, "reason"] = [image.reason for image in found]
    rows = np.full(len(index), -1)
    for split in SPLITS:
        places = np.flatnonzero(index["split"] == split)
        order = kept_order(_kept(index, split))
        rows[places[order]] = np.arange(len(order))
    index.insert(2, "row", rows)
    return index


def _identity(originals: ImageCollection, config: DataEngineeringConfig) -> dict[str, Any]:
    partition = hashlib.blake2b(digest_size=8)
    for image_id, value in (originals.partition or {}).items():
        partition.update(f"{image_id} {value}\n".encode())
    return {
        "format": FORMAT,
        "images": {"count": len(originals.image_ids), "state": originals.state},
        "partition": None if originals.partition is None else partition.hexdigest(),
        "data_engineering": config.model_dump(mode="json", include={"crop", "image_size", "split"}),
    }


def _start_over(folder: Path, arrays: Mapping[str, NpyRows]) -> None:
    """Make empty arrays and forget what the journal says; interrupted, it leaves an array missing and begins again."""
    for array in arrays.values():
        array.path.unlink(missing_ok=True)
    shutil.rmtree(folder / "ranges", ignore_errors=True)
    (folder / "finished.json").unlink(missing_ok=True)
    for array in arrays.values():
        array.allocate()


def _prepare(
    originals: ImageCollection,
    splits: pd.DataFrame,
    config: DataEngineeringConfig,
    arrays: Mapping[str, NpyRows],
    journal: "_Journal",
) -> dict[str, Any]:
    """Prepare the ranges that the journal does not hold, then cut the arrays to the images that can be used."""
    start = time.perf_counter()
    prepare = ImagePreparer(config.crop, *config.image_shape[:2])

    def prepare_range(rows: RowRange) -> list[BadImage]:
        bad = _prepare_range(rows, originals, prepare, arrays[rows.split])
        journal.enter(rows, bad)
        return bad

    ranges = _ranges(splits, config.image_shape)
    remaining = [rows for rows in ranges if not journal.holds(rows)]
    bad = _left_out_by_split(splits)
    bad += [image for rows in ranges if journal.holds(rows) for image in journal.read(rows)]
    _check_share(bad, splits, config.max_bad_share)
    for found in _run(prepare_range, remaining, sum(map(len, ranges)), config.workers):
        bad += found
        _check_share(bad, splits, config.max_bad_share)

    index = index_images(splits, bad)
    for split, array in arrays.items():
        array.keep(_kept(index, split))
    result = {
        "bad": sorted([image.image_id, image.status, image.reason] for image in bad),
        "counts": {split: int(_kept(index, split).sum()) for split in SPLITS},
        "seconds": round(time.perf_counter() - start, 3),
    }
    if not result["counts"]["train"]:
        raise DataError(f"None of the {len(splits):,} images is left to train on. {_listed(bad)}")
    _log_summary(
        result, config, images_now=sum(map(len, remaining)), bytes_=sum(a.path.stat().st_size for a in arrays.values())
    )
    return result


def _ranges(splits: pd.DataFrame, image_shape: tuple[int, int, int]) -> list[RowRange]:
    step = max(1, min(RANGE_ROWS, RANGE_BYTES // int(np.prod(image_shape))))
    ranges = []
    for split in SPLITS:
        image_ids = splits.loc[splits["split"] == split, "image_id"].tolist()
        ranges += [RowRange(split, i, image_ids[i : i + step]) for i in range(0, len(image_ids), step)]
    return ranges


def _prepare_range(
    rows: RowRange, originals: ImageCollection, prepare: ImagePreparer, array: NpyRows
) -> list[BadImage]:
    """Prepare the images of a range and write them; the row of an image that can't be used stays black."""
    block = np.zeros((len(rows), *array.row_shape), np.uint8)
    bad = []
    for row, image_id in zip(block, rows.image_ids, strict=True):
        try:
            row[...] = prepare(_read(originals, image_id))
        except BadImageError as error:
            bad.append(BadImage(image_id, error.status, error.reason))
    array.write(rows.start, block)
    return bad


def _read(originals: ImageCollection, image_id: str) -> bytes:
    try:
        return originals.read(image_id)
    except OSError as error:
        raise BadImageError("unreadable", error.strerror or str(error)) from error


def _run(
    prepare_range: Callable[[RowRange], list[BadImage]], ranges: Sequence[RowRange], total: int, workers: int | None
) -> Iterator[list[BadImage]]:
    """Prepare ranges in threads; give the bad images of each, in order, and show the progress."""
    waiting = sum(map(len, ranges))
    if waiting < total:
        logger.info("Going on: %s of %s images were prepared before.", f"{total - waiting:,}", f"{total:,}")
    pool = ThreadPoolExecutor(workers or os.cpu_count())
    try:
        with tqdm(total=total, initial=total - waiting, unit=" images", desc="Preparing", disable=None) as bar:
            log_progress = _ProgressLog(waiting)
            for rows, bad in zip(ranges, pool.map(prepare_range, ranges), strict=True):
                yield bad
                bar.update(len(rows))
                log_progress.update(len(rows))
    finally:
        pool.shutdown(cancel_futures=True)


class _ProgressLog:
    """A line in the log now and then."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._start = self._last = time.perf_counter()

    def update(self, count: int) -> None:
        self._done += count
        now = time.perf_counter()
        if now - self._last >= SECONDS_BETWEEN_LOG_LINES:
            self._last = now
            speed = self._done / (now - self._start)
            logger.info(
                "%s of %s images, %s images/s, %.0f s left",
                f"{self._done:,}",
                f"{self._total:,}",
                f"{speed:,.0f}",
                (self._total - self._done) / speed,
            )


class _Journal:
    """Which ranges are done, and the bad images of each: a file a range, there only when its rows are written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = {file.name for file in folder.glob("*.json")}

    def holds(self, rows: RowRange) -> bool:
        return self._file(rows).name in self._done

    def read(self, rows: RowRange) -> list[BadImage]:
        return [BadImage(*image) for image in json.loads(self._file(rows).read_text())]

    def enter(self, rows: RowRange, bad: Sequence[BadImage]) -> None:
        with written_atomically(self._file(rows)) as temporary:
            temporary.write_text(json.dumps([astuple(image) for image in bad]))

    def _file(self, rows: RowRange) -> Path:
        return self._folder / f"{rows.split}-{rows.start:08d}.json"


# ------------------------------------------------------------------------------------------------------------- details


def _kept(index: pd.DataFrame, split: str) -> np.ndarray:
    """Which of a split's images can be used: bool, one an image."""
    return (index.loc[index["split"] == split, "status"] == "ok").to_numpy()


def _left_out_by_split(splits: pd.DataFrame) -> list[BadImage]:
    left_out = splits[splits["status"].isin(["missing", "no split"])]
    return [BadImage(*row) for row in left_out[["image_id", "status", "reason"]].itertuples(index=False)]


def _check_share(bad: Sequence[BadImage], splits: pd.DataFrame, max_share: float) -> None:
    expected = int((splits["status"] != "unused").sum())
    if len(bad) > max_share * expected:
        raise DataError(
            f"At least {len(bad):,} of {expected:,} images can't be used, more than"
            f" data_engineering.max_bad_share = {max_share:.2%}. {_listed(bad)}"
        )


def _listed(bad: Sequence[BadImage], count: int = 10) -> str:
    """Name the first bad images with their reasons, and what to do about the most frequent kind."""
    lines = [f"\n  {image.image_id}: {image.status}: {image.reason}" for image in bad[:count]]
    more = f"\n  and {len(bad) - count:,} more" if len(bad) > count else ""
    status = Counter(image.status for image in bad).most_common(1)[0][0] if bad else ""
    remedy = HINTS.get(status, "repair or remove them")
    return f"The first are:{''.join(lines)}{more}\nTo go on, {remedy}, or raise data_engineering.max_bad_share."


def _in_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[split]:,} {split}" for split in SPLITS)


def _log_summary(result: Mapping[str, Any], config: DataEngineeringConfig, images_now: int, bytes_: int) -> None:
    height, width, _ = config.image_shape
    logger.info(
        "Prepared %s images, %s bad: crop %s, size %dx%d, %s MB, %.1f s, %s images/s.",
        _in_words(result["counts"]),
        f"{len(result['bad']):,}",
        describe_crop(config.crop),
        width,
        height,
        f"{bytes_ / 1e6:,.1f}",
        result["seconds"],
        f"{images_now / result['seconds']:,.0f}",
    )

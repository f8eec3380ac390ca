"""From a collection of originals to one array a split, range by range, so that it can go on after a kill.

Every image of a split has its place in the split's array from the start. A range of rows is decoded, written, and then
entered in the journal, a file of its own; so ranges can be prepared in any order, by anyone, and again: by threads of
this process, or by the workers of a cluster. At the end the places of images that could not be used are filled from the
end of the array, which is cut to its true length.
"""

import json
import logging
import shutil
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from celeba_vae.config import DataEngineeringConfig
from celeba_vae.errors import DataError
from celeba_vae.preparation.cropping import ImagePreparer, describe_crop
from celeba_vae.preparation.dask import prepare_on_cluster
from celeba_vae.preparation.index import COLUMNS, NO_ATTRIBUTES, SPLITS, BadImage, ImageIndex, write_csv
from celeba_vae.preparation.lists import Attributes, read_attributes
from celeba_vae.preparation.names import pack_names
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.preparation.ranges import (
    FORMAT,
    UNREADABLE,
    PreparedRange,
    RangePreparer,
    RangeTask,
    RowRange,
    journal_file,
    sum_of,
)
from celeba_vae.storage.atomic import check_room, written_atomically
from celeba_vae.storage.npy import NpyRows
from celeba_vae.storage.stages import Stage
from celeba_vae.storage.threads import map_in_threads

logger = logging.getLogger(__name__)

RANGE_ROWS = 256
RANGE_BYTES = 8 * 2**20
TABLE_ROWS = 4096
SECONDS_BETWEEN_LOG_LINES = 10
HINTS = {
    "too small": "choose a smaller data_engineering.crop",
    "missing": "set data_engineering.split.by to counts to use the images that are there",
    UNREADABLE: "make them readable and run again",
    "no split": "set data_engineering.split.by to counts to do without the partition file",
    NO_ATTRIBUTES: "repair the attribute list or remove it to do without attributes",
}


@dataclass(frozen=True)
class PreparedImages:
    """What preparation gives.

    Args:
        arrays: The finished ``.npy`` file of each split: uint8 (images, height, width, 3).
        attributes: A ``.csv`` file for each split, a row an image in the array's order: image_id and a column an
            attribute, 1 or -1, 0 where it is not known. Without an attribute list it has no rows.
        index_file: A ``.csv`` file with a row an original: image_id, split, row in the split's array (-1: left out),
            status, reason.
        index: The same in memory.
        means: The mean of each split's images, uint8 (height, width, 3); no entry for a split without images.
        seconds: How long it took when it was prepared.
    """

    arrays: dict[str, Path]
    attributes: dict[str, Path]
    index_file: Path
    index: ImageIndex
    means: dict[str, np.ndarray]
    seconds: float


def prepare_images(
    originals: ImageCollection, index: ImageIndex, config: DataEngineeringConfig, folder: Path
) -> PreparedImages:
    """Crop and resize the originals into one array a split, or hand on what an earlier run finished.

    Args:
        originals: The images.
        index: What ``assign_splits`` gives for them.
        config: Crop, size, threads or cluster, and the share of bad images that is bearable.
        folder: Keeps the working files, and the finished arrays until something changes.

    Raises:
        DataError: more than ``max_bad_share`` of the images can't be used, none is left to train on, or the arrays
            can't be written or do not fit on the disk.
        ClusterError: workers, or their scheduler, can't be used.
        CelebaVaeError: another process is preparing the same images.
    """
    try:
        with Stage(folder.absolute(), _identity(originals, config), config.fresh) as stage:
            return _prepare_in_stage(stage, originals, index, config)
    except OSError as error:
        raise DataError(
            f"The prepared images can't be written to {folder}: {error.strerror or error}."
            " What was prepared so far is kept: put that right and run again."
        ) from error


def _prepare_in_stage(
    stage: Stage, originals: ImageCollection, index: ImageIndex, config: DataEngineeringConfig
) -> PreparedImages:
    arrays = {
        split: NpyRows(stage.path / f"{split}_images.npy", len(index.places(split)), config.image_shape)
        for split in SPLITS
    }
    tables = _Tables(stage.path, originals.attributes.state if originals.attributes else None)
    result = stage.result
    if result is not None and all(arrays[split].is_complete(count) for split, count in result["counts"].items()):
        logger.info("Nothing has changed: the images are those prepared before (%s).", _in_words(result["counts"]))
        attributes = None if tables.are_written() else _read_attributes(originals)
    else:
        attributes = _read_attributes(originals)
        if changes := stage.changes_since_last():
            logger.info("Preparing the images again, because this has changed: %s.", "; ".join(changes))
        _check_share(index.with_bad(_attribute_faults(attributes, index)), config.max_bad_share)
        needed = sum(array.missing_bytes() for array in arrays.values())
        check_room(stage.path, needed, "The prepared images", "a smaller data_engineering.image_size")
        if result is not None or not all(array.path.exists() for array in arrays.values()):
            tables.forget()
            _start_over(stage.path, arrays)
        result = _prepare(stage.path, originals, index, config, arrays)
        stage.finish(result)
        stage.remove_others()
    index = index.with_bad(BadImage(*image) for image in result["bad"])
    if not tables.are_written():
        index = index.with_bad(_attribute_faults(attributes, index))
        tables.write(index, attributes)
    index = index.with_bad(tables.bad())
    _check_share(index, config.max_bad_share)
    return PreparedImages(
        arrays={split: array.path for split, array in arrays.items()},
        attributes=tables.attributes,
        index_file=tables.index,
        index=index,
        means=dict(zip(SPLITS, np.load(_means_file(stage.path)), strict=True)),
        seconds=result["seconds"],
    )


def _identity(originals: ImageCollection, config: DataEngineeringConfig) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "images": f"{len(originals.image_ids):,} images (names, sizes and times {originals.state})",
        "partition": originals.partition.state if originals.partition else None,
        "data_engineering": config.model_dump(mode="json", include={"crop", "image_size", "split"}),
    }


def _start_over(folder: Path, arrays: Mapping[str, NpyRows]) -> None:
    """Make empty arrays and forget what the journal says; interrupted, it leaves an array missing and begins again."""
    for array in arrays.values():
        array.path.unlink(missing_ok=True)
    shutil.rmtree(folder / "ranges", ignore_errors=True)
    _means_file(folder).unlink(missing_ok=True)
    (folder / "finished.json").unlink(missing_ok=True)
    for array in arrays.values():
        array.allocate()


def _prepare(
    folder: Path,
    originals: ImageCollection,
    index: ImageIndex,
    config: DataEngineeringConfig,
    arrays: Mapping[str, NpyRows],
) -> dict[str, Any]:
    """Prepare the ranges that the journal does not hold, then cut the arrays to the images that can be used."""
    start = time.perf_counter()
    journal = _Journal(folder / "ranges")
    ranges = _ranges(index, config.image_shape)
    if not _means_file(folder).exists():
        journal.forget_unreadable(ranges)
    remaining = [rows for rows in ranges if not journal.holds(rows)]

    split_index = index
    index = index.with_bad(image for rows in ranges if journal.holds(rows) for image in journal.read(rows))
    _check_share(index, config.max_bad_share)
    if not _means_file(folder).exists():
        sums = {split: np.zeros(config.image_shape, np.int64) for split in SPLITS}
        for rows in ranges:
            if journal.holds(rows):
                sums[rows.split] += sum_of(arrays[rows.split].read(rows.start, len(rows)))
        prepare = RangePreparer(arrays, journal.folder, ImagePreparer(config.crop, *config.image_shape[:2]))
        tasks = (RangeTask(rows, index.image_ids[rows.positions], originals) for rows in remaining)
        # closed before the arrays are cut: from then on no worker may write
        with closing(_run(prepare, tasks, config, originals.readers)) as prepared:
            for rows, (bad, sum_) in _with_progress(prepared, sum(map(len, remaining)), sum(map(len, ranges))):
                sums[rows.split] += sum_
                if bad:
                    index = index.with_bad(bad)
                    _check_share(index, config.max_bad_share)
        _write_means(_means_file(folder), sums, index.counts)

    # only now are rows moved: until here a range that the journal holds is where it was written
    for split, array in arrays.items():
        array.keep(index.kept(split))
    result = {
        "bad": sorted(image for position, image in index.bad.items() if position not in split_index.bad),
        "counts": index.counts,
        "seconds": round(time.perf_counter() - start, 3),
    }
    if not result["counts"]["train"]:
        raise DataError(f"None of the {len(index.image_ids):,} images is left to train on. {_listed(index)}")
    _log_summary(
        index,
        config,
        images_now=sum(map(len, remaining)),
        bytes_=sum(array.path.stat().st_size for array in arrays.values()),
        seconds=result["seconds"],
    )
    return result


def _means_file(folder: Path) -> Path:
    return folder / "means.npy"


def _write_means(file: Path, sums: Mapping[str, np.ndarray], counts: Mapping[str, int]) -> None:
    """Write the mean image of each split, uint8 (splits, height, width, 3); black for a split without images."""
    means = [np.rint(sums[split] / max(1, counts[split])).astype(np.uint8) for split in SPLITS]
    with written_atomically(file) as temporary:
        np.save(temporary, np.stack(means))


def _ranges(index: ImageIndex, image_shape: tuple[int, int, int]) -> list[RowRange]:
    step = max(1, min(RANGE_ROWS, RANGE_BYTES // int(np.prod(image_shape))))
    return [
        RowRange(split, start, positions[start : start + step])
        for split in SPLITS
        for positions in [index.places(split)]
        for start in range(0, len(positions), step)
    ]


def _run(
    prepare: RangePreparer, tasks: Iterator[RangeTask], config: DataEngineeringConfig, readers: int | None
) -> Generator[tuple[RowRange, PreparedRange]]:
    """Prepare ranges in threads or on the cluster that the parameters name; give each with what became of it."""
    if config.cluster.scheduler:
        return prepare_on_cluster(prepare, tasks, config.cluster, config.workers)

    def prepare_range(task: RangeTask) -> tuple[RowRange, PreparedRange]:
        return task.rows, prepare(task)

    return map_in_threads(prepare_range, tasks, config.workers or readers)


def _with_progress(
    prepared: Iterable[tuple[RowRange, PreparedRange]], waiting: int, total: int
) -> Iterator[tuple[RowRange, PreparedRange]]:
    """Hand ranges on and show how many images they have been, of those waiting."""
    if waiting < total:
        logger.info("Going on: %s of %s images were prepared before.", f"{total - waiting:,}", f"{total:,}")
    with tqdm(total=total, initial=total - waiting, unit=" images", desc="Preparing", disable=None) as bar:
        log_progress = _ProgressLog(waiting)
        for rows, result in prepared:
            yield rows, result
            bar.update(len(rows))
            log_progress.update(len(rows))


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
    """Which ranges are done, and the bad images of each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._done = {file.name for file in folder.glob("*.json")}

    def holds(self, rows: RowRange) -> bool:
        """Whether the range was done when the journal was opened."""
        return self._file(rows).name in self._done

    def read(self, rows: RowRange) -> list[BadImage]:
        return [BadImage(*image) for image in json.loads(self._file(rows).read_text())]

    def forget_unreadable(self, ranges: Iterable[RowRange]) -> None:
        """Forget ranges with images that could not be read: a disk may be back, a permission given."""
        for rows in ranges:
            if self.holds(rows) and any(image.status == UNREADABLE for image in self.read(rows)):
                self._file(rows).unlink()
                self._done.discard(self._file(rows).name)

    def _file(self, rows: RowRange) -> Path:
        return journal_file(self.folder, rows)


# ------------------------------------------------------------------------------------------------------------- tables


def _read_attributes(originals: ImageCollection) -> Attributes | None:
    if originals.attributes is None:
        logger.info("There is no attribute list (list_attr_celeba): the tables of attributes stay empty.")
        return None
    return read_attributes(originals.attributes, pack_names(originals.image_ids))


def _attribute_faults(attributes: Attributes | None, index: ImageIndex) -> list[BadImage]:
    faults = attributes.faults if attributes else {}
    return [BadImage(i, NO_ATTRIBUTES, fault) for i, fault in sorted(faults.items()) if index.splits[i] >= 0]


class _Tables:
    """The index and each split's attributes as ``.csv`` files; ``tables.json`` is there when they are complete."""

    def __init__(self, folder: Path, attributes_state: str | None) -> None:
        self.index = folder / "image_index.csv"
        self.attributes = {split: folder / f"{split}_attributes.csv" for split in SPLITS}
        self._mark = folder / "tables.json"
        self._state = attributes_state

    def are_written(self) -> bool:
        """Whether they are complete, from the same attribute list."""
        files = [self._mark, self.index, *self.attributes.values()]
        return all(file.exists() for file in files) and json.loads(self._mark.read_text())["state"] == self._state

    def bad(self) -> list[BadImage]:
        """Give the images without attributes."""
        return [BadImage(*image) for image in json.loads(self._mark.read_text())["bad"]]

    def forget(self) -> None:
        """Let them be written again."""
        self._mark.unlink(missing_ok=True)

    def write(self, index: ImageIndex, attributes: Attributes | None) -> None:
        """Write them all."""
        self.forget()
        write_csv(self.index, COLUMNS, index.records())
        for split, file in self.attributes.items():
            records = _attribute_records(index, split, attributes) if attributes else []
            write_csv(file, ["image_id", *(attributes.names if attributes else ())], records)
        bad = [image for image in index.bad.values() if image.status == NO_ATTRIBUTES]
        with written_atomically(self._mark) as temporary:
            temporary.write_text(json.dumps({"state": self._state, "bad": bad}))


def _attribute_records(index: ImageIndex, split: str, attributes: Attributes) -> Iterator[list]:
    """Give image_id and attributes of the image in each row of a split's array."""
    positions = index.positions(split)
    for start in range(0, len(positions), TABLE_ROWS):
        block = positions[start : start + TABLE_ROWS]
        for image_id, values in zip(index.image_ids[block], attributes.of(block).tolist(), strict=True):
            yield [image_id, *values]


# ------------------------------------------------------------------------------------------------------------- details


def _check_share(index: ImageIndex, max_share: float) -> None:
    expected = index.expected
    if len(index.bad) > max_share * expected:
        raise DataError(
            f"At least {len(index.bad):,} of {expected:,} images can't be used, more than"
            f" data_engineering.max_bad_share = {max_share:.2%}. {_listed(index)}"
        )


def _listed(index: ImageIndex, count: int = 10) -> str:
    """Name the first bad images with their reasons, and what to do about the most frequent kind."""
    bad = sorted(index.bad.values())
    lines = [f"\n  {index.image_ids[image.position]}: {image.status}: {image.reason}" for image in bad[:count]]
    more = f"\n  and {len(bad) - count:,} more" if len(bad) > count else ""
    status = Counter(image.status for image in bad).most_common(1)[0][0] if bad else ""
    remedy = HINTS.get(status, "repair or remove them")
    return f"The first are:{''.join(lines)}{more}\nTo go on, {remedy}, or raise data_engineering.max_bad_share."


def _in_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[split]:,} {split}" for split in SPLITS)


def _log_summary(
    index: ImageIndex, config: DataEngineeringConfig, images_now: int, bytes_: int, seconds: float
) -> None:
    height, width, _ = config.image_shape
    logger.info(
        "Prepared %s images, %s bad: crop %s, size %dx%d, %s MB, %.1f s, %s images/s.",
        _in_words(index.counts),
        f"{len(index.bad):,}",
        describe_crop(config.crop),
        width,
        height,
        f"{bytes_ / 1e6:,.1f}",
        seconds,
        f"{images_now / seconds:,.0f}",
    )

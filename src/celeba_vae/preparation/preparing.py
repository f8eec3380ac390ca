"""From a collection of originals to one array a split, as a stage that goes on after a kill.

Every image of a split has its place in the split's array from the start. A range of rows is decoded, written, and then
entered in the journal, a file of its own; so ranges can be prepared in any order, by anyone (threads of this process,
or Dask's workers), and again. At the end the places of images that could not be used are filled from the end of the
array, which is cut to its true length.
"""

import logging
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from celeba_vae.config import DataEngineeringConfig, SplitConfig
from celeba_vae.errors import DataError
from celeba_vae.preparation.cropping import ImagePreparer, crop_box
from celeba_vae.preparation.dask import prepare_with_dask
from celeba_vae.preparation.decoding import decode
from celeba_vae.preparation.forms import Forms, add_forms, from_json, looks, oddities, to_json, used_crop
from celeba_vae.preparation.index import SPLITS, UNREADABLE, BadImage, ImageIndex, RowRange, check_share, listed
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.preparation.prepared_files import PreparedTables, SplitArrays
from celeba_vae.preparation.rows import FORMAT, PreparedRange, RangePreparer, RangeTask
from celeba_vae.storage.stages import Stage
from celeba_vae.storage.threads import map_in_threads

logger = logging.getLogger(__name__)

RANGE_ROWS = 256
RANGE_BYTES = 8 * 2**20
SECONDS_BETWEEN_LOG_LINES = 10
_WITHOUT = {
    "validation": "training can't stop early (early_stopping_patience), nor tell the best weights (use_weights: best)",
    "test": "evaluation can only use training images, which models have seen",
}


@dataclass(frozen=True)
class PreparedImages:
    """What preparation gives, by split where there is one of each.

    Args:
        arrays: The finished ``.npy`` files: uint8 (images, height, width, 3).
        attributes: ``.csv`` files, a row an image in the array's order: image_id and a column an attribute, 1 or -1, 0
            where it is not known. Without an attribute list they have no rows.
        index_file: A ``.csv`` file with a row an original: image_id, split, row in the split's array (-1: left out),
            status, reason.
        index: The same in memory.
        means: The mean images, uint8 (height, width, 3); black for a split without images.
        forms: How many originals have which size and colours.
        seconds: How long it took when it was prepared.
    """

    arrays: dict[str, Path]
    attributes: dict[str, Path]
    index_file: Path
    index: ImageIndex
    means: dict[str, np.ndarray]
    forms: Forms
    seconds: float

    def summary(self, originals: ImageCollection, config: DataEngineeringConfig) -> dict[str, Any]:
        """Say in JSON's types what was prepared from what, and how."""
        first = self.index.image_ids[np.argmax(self.index.rows >= 0)]
        height, width, _ = decode(originals.read(first)).shape
        return {
            "images": self.index.counts,
            "statuses": self.index.statuses,
            "passed_over": dict(originals.passed_over),
            "forms": looks(self.forms),
            "warnings": oddities(self.forms, config.crop),
            "source": config.source.model_dump(mode="json"),
            "split": config.split.model_dump(mode="json"),
            "split_by": self.index.by,
            "crop": config.crop,
            "crop_box_of_first_image": crop_box(config.crop, width=width, height=height),
            "image_shape": list(config.image_shape),
            "bytes": sum(file.stat().st_size for file in self.arrays.values()),
            "seconds": self.seconds,
        }


def prepare_images(
    originals: ImageCollection, index: ImageIndex, config: DataEngineeringConfig, folder: Path
) -> PreparedImages:
    """Crop and resize the originals into one array a split, or hand on what an earlier run finished.

    ``index`` is what ``assign_splits`` gives for them. ``folder`` keeps the working files, and the finished arrays
    until something changes.

    Raises:
        DataError: more than ``max_bad_share`` of the images can't be used, none is left to train on, or the arrays
            can't be written or do not fit on the disk.
        ClusterError: workers, or their scheduler, can't be used.
        CelebaVaeError: another process is preparing the same images.
    """
    identity = {
        "format": FORMAT,
        "images": f"{len(originals.image_ids):,} images (names, sizes and times {originals.state})",
        "partition": originals.partition.state if originals.partition and index.by == "partition" else None,
        "data_engineering": config.model_dump(mode="json", include={"crop", "image_size", "split"}),
    }
    try:
        with Stage(folder.absolute(), identity, config.fresh) as stage:
            return _prepare_in_stage(stage, originals, index, config)
    except OSError as error:
        raise DataError(
            f"The prepared images can't be written to {folder}: {error.strerror or error}."
            " What was prepared so far is kept: put that right and run again."
        ) from error


def _prepare_in_stage(
    stage: Stage, originals: ImageCollection, index: ImageIndex, config: DataEngineeringConfig
) -> PreparedImages:
    arrays = SplitArrays(stage.path, index, config.image_shape)
    tables = PreparedTables(stage.path, originals)
    result = stage.result
    if result is not None and arrays.are_cut(result["counts"]):
        logger.info("Nothing has changed: the images are those prepared before (%s).", _in_words(result["counts"]))
    else:
        if changes := stage.changes_since_last():
            logger.info("Preparing the images again, because this has changed: %s.", "; ".join(changes))
        check_share(tables.with_faults(index), config.max_bad_share)
        arrays.check_room()
        if result is not None or not arrays.exist():
            tables.forget()
            arrays.start_over()
        result = _prepare(arrays, originals, index, config)
        stage.finish(result)
        stage.remove_others()
    index = tables.write_once(index.with_bad(BadImage(*image) for image in result["bad"]))
    check_share(index, config.max_bad_share)
    _say_what_is_empty(index, config.split)
    forms = from_json(result["forms"])
    for oddity in oddities(forms, config.crop):
        logger.warning(oddity)
    return PreparedImages(
        arrays={split: array.path for split, array in arrays.files.items()},
        attributes=tables.attributes,
        index_file=tables.index,
        index=index,
        means=arrays.means(),
        forms=forms,
        seconds=result["seconds"],
    )


def _prepare(
    arrays: SplitArrays, originals: ImageCollection, index: ImageIndex, config: DataEngineeringConfig
) -> dict[str, Any]:
    """Give what the stage is to keep: the images that can't be used, the images of each split, and the seconds."""
    start = time.perf_counter()
    filled, forms, images = _fill(arrays, originals, index, config)
    seconds = time.perf_counter() - start
    if not filled.counts["train"]:
        raise DataError(
            f"None of the {len(originals.image_ids):,} images is left to train on. {listed(filled, filled.faulty)}"
        )
    height, width, _ = config.image_shape
    logger.info(
        "Prepared %s images, %s bad: crop %s, size %dx%d, %s MB, %.1f s, %s images/s.",
        _in_words(filled.counts),
        f"{len(filled.faulty):,}",
        used_crop(forms, config.crop),
        width,
        height,
        f"{sum(array.path.stat().st_size for array in arrays.files.values()) / 1e6:,.1f}",
        seconds,
        f"{images / seconds:,.0f}",
    )
    return {
        "bad": sorted(image for position, image in filled.bad.items() if position not in index.bad),
        "counts": filled.counts,
        "forms": to_json(forms),
        "seconds": round(seconds, 3),
    }


def _say_what_is_empty(index: ImageIndex, split: SplitConfig) -> None:
    counts = index.counts
    for name, consequence in _WITHOUT.items():
        asked_for = index.by == "counts" and getattr(split, name) == 0
        if not counts[name] and not asked_for:
            logger.warning("There are no %s images: %s.", name, consequence)


def _in_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[split]:,} {split}" for split in SPLITS)


def _fill(
    arrays: SplitArrays, originals: ImageCollection, index: ImageIndex, config: DataEngineeringConfig
) -> tuple[ImageIndex, Forms, int]:
    """Prepare the ranges that the journal does not hold, then cut the arrays to the images that can be used.

    Give the index with the images that can't be used, the forms of all, and how many images were prepared now.
    """
    filled = arrays.are_filled()
    done: list[RowRange] = []
    known: list[BadImage] = []
    remaining: list[RowRange] = []
    forms: Forms = Counter()
    for rows in index.ranges(max(1, min(RANGE_ROWS, RANGE_BYTES // math.prod(config.image_shape)))):
        entered = arrays.journal.entered(rows)
        # what could not be read is tried again: a disk may be back, a permission given
        if entered is None or (not filled and any(image.status == UNREADABLE for image in entered[0])):
            remaining.append(rows)
        else:
            done.append(rows)
            known += entered[0]
            add_forms(forms, entered[1])
    index = index.with_bad(known)
    check_share(index, config.max_bad_share)
    if not filled:
        sums = arrays.sums(done)
        prepare = RangePreparer(arrays.files, arrays.journal, ImagePreparer(config.crop, *config.image_shape[:2]))
        tasks = (RangeTask(rows, index.image_ids[rows.positions].tolist(), originals) for rows in remaining)
        if config.cluster.scheduler:
            prepared = prepare_with_dask(prepare, tasks, config.cluster, config.workers)
        else:
            threads = config.workers or originals.readers
            prepared = map_in_threads(lambda task: (task.rows, prepare(task)), tasks, threads)
        # closed before the arrays are cut: from then on no worker may write
        with closing(prepared):
            for rows, (bad, sum_, more) in _with_progress(prepared, sum(map(len, done)), sum(map(len, remaining))):
                sums[rows.split] += sum_
                add_forms(forms, more)
                if bad:
                    index = index.with_bad(bad)
                    check_share(index, config.max_bad_share)
        arrays.write_means(sums, index.counts)
    # only now are rows moved: until here a range that the journal holds is where it was written
    arrays.cut(index)
    return index, forms, sum(map(len, remaining))


def _with_progress(
    prepared: Iterable[tuple[RowRange, PreparedRange]], before: int, waiting: int
) -> Iterator[tuple[RowRange, PreparedRange]]:
    """Hand ranges on and show how far they are: a bar, and a line in the log now and then."""
    total = before + waiting
    if before:
        logger.info("Going on: %s of %s images were prepared before.", f"{before:,}", f"{total:,}")
    done = 0
    start = last = time.perf_counter()
    with tqdm(total=total, initial=before, unit=" images", desc="Preparing", disable=None) as bar:
        for rows, result in prepared:
            yield rows, result
            bar.update(len(rows))
            done += len(rows)
            now = time.perf_counter()
            if now - last >= SECONDS_BETWEEN_LOG_LINES:
                last = now
                speed = done / (now - start)
                logger.info(
                    "%s of %s images, %s images/s, %.0f s left",
                    f"{done:,}",
                    f"{waiting:,}",
                    f"{speed:,.0f}",
                    (waiting - done) / speed,
                )

"""Filling the arrays range by range, in any order and by anyone: threads of this process, or Dask's workers."""

import logging
import math
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing

from tqdm import tqdm

from celeba_vae.config import DataEngineeringConfig
from celeba_vae.preparation.cropping import ImagePreparer
from celeba_vae.preparation.dask import prepare_with_dask
from celeba_vae.preparation.index import ImageIndex, RowRange, check_share
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.preparation.rows import PreparedRange, RangePreparer, RangeTask
from celeba_vae.preparation.split_arrays import SplitArrays
from celeba_vae.storage.threads import map_in_threads

logger = logging.getLogger(__name__)

RANGE_ROWS = 256
RANGE_BYTES = 8 * 2**20
SECONDS_BETWEEN_LOG_LINES = 10


def fill_arrays(
    arrays: SplitArrays, originals: ImageCollection, index: ImageIndex, config: DataEngineeringConfig
) -> tuple[ImageIndex, int]:
    """Prepare the ranges that the journal does not hold, then cut the arrays to the images that can be used.

    Returns:
        The index with the images that can't be used, and how many images were prepared now.

    Raises:
        DataError: more than ``max_bad_share`` of the images can't be used.
        ClusterError: workers, or their scheduler, can't be used.
    """
    ranges = index.ranges(max(1, min(RANGE_ROWS, RANGE_BYTES // math.prod(config.image_shape))))
    if not arrays.are_filled():
        arrays.journal.forget_unreadable(ranges)
    done, remaining = arrays.journal.sorted_out(ranges)
    waiting = sum(map(len, remaining))
    index = index.with_bad(arrays.journal.bad_images(done))
    check_share(index, config.max_bad_share)
    if not arrays.are_filled():
        sums = arrays.sums(done)
        prepare = RangePreparer(arrays.files, arrays.journal, ImagePreparer(config.crop, *config.image_shape[:2]))
        tasks = (RangeTask(rows, index.image_ids[rows.positions].tolist(), originals) for rows in remaining)
        # closed before the arrays are cut: from then on no worker may write
        with closing(_prepared(prepare, tasks, config, originals.readers)) as prepared:
            for rows, (bad, sum_) in _with_progress(prepared, waiting, sum(map(len, ranges))):
                sums[rows.split] += sum_
                if bad:
                    index = index.with_bad(bad)
                    check_share(index, config.max_bad_share)
        arrays.write_means(sums, index.counts)
    # only now are rows moved: until here a range that the journal holds is where it was written
    arrays.cut(index)
    return index, waiting


def _prepared(
    prepare: RangePreparer, tasks: Iterator[RangeTask], config: DataEngineeringConfig, readers: int | None
) -> Generator[tuple[RowRange, PreparedRange]]:
    """Prepare ranges in threads or with the Dask workers that the parameters name; give each with what became of it."""
    if config.cluster.scheduler:
        return prepare_with_dask(prepare, tasks, config.cluster, config.workers)

    def prepare_range(task: RangeTask) -> tuple[RowRange, PreparedRange]:
        return task.rows, prepare(task)

    return map_in_threads(prepare_range, tasks, config.workers or readers)


def _with_progress(
    prepared: Iterable[tuple[RowRange, PreparedRange]], waiting: int, total: int
) -> Iterator[tuple[RowRange, PreparedRange]]:
    """Hand ranges on and show how far they are: a bar, and a line in the log now and then."""
    if waiting < total:
        logger.info("Going on: %s of %s images were prepared before.", f"{total - waiting:,}", f"{total:,}")
    done = 0
    start = last = time.perf_counter()
    with tqdm(total=total, initial=total - waiting, unit=" images", desc="Preparing", disable=None) as bar:
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

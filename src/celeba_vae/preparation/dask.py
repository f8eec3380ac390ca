"""Ranges of rows prepared by Dask's workers: processes on this machine, or on any that see the same folders.

A worker is sent a range at a time with that range's image names, writes the rows and the journal itself, and gives back
the bad images and the sum. Only a few ranges a thread are under way, so that neither the scheduler nor this process
grows with the number of images. A worker that dies leaves nothing behind that counts: another prepares its ranges.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from celeba_vae.config import ClusterConfig
from celeba_vae.errors import ClusterError, SettingError
from celeba_vae.preparation.dask_cluster import (
    INSTALL_COMMAND,
    KEPT,
    LOCAL,
    SECONDS_BETWEEN_LOOKS,
    SECONDS_TO_CONNECT,
    Workers,
    connected,
    workers_in_words,
)
from celeba_vae.preparation.dask_worker import RangeError, SentOrder, pickled, prepare_range, sent_order
from celeba_vae.preparation.index import RowRange
from celeba_vae.preparation.rows import PreparedRange, RangePreparer, RangeTask

if TYPE_CHECKING:
    from distributed import Client, Future

logger = logging.getLogger(__name__)

# one is prepared while the next is on its way
RANGES_A_THREAD = 2
RANGES_GATHERED = 64
SAMPLE_IMAGES = 8


def check_dask(config: ClusterConfig) -> None:
    """Look for Dask where the parameters ask for it.

    Raises:
        SettingError: it is not installed.
    """
    if config.scheduler:
        try:
            import distributed  # noqa: F401
        except ImportError as error:
            raise SettingError(
                f"data_engineering.cluster.scheduler is {config.scheduler}, which needs Dask ({error}):"
                f" {INSTALL_COMMAND}. Without it, scheduler: none lets this process prepare the images."
            ) from error


def prepare_with_dask(
    prepare: RangePreparer, tasks: Iterator[RangeTask], config: ClusterConfig, threads: int | None
) -> Generator[tuple[RowRange, PreparedRange]]:
    """Prepare ranges with Dask's workers; give each with what became of it, in the order in which they are finished.

    Args:
        prepare: Prepares a range.
        tasks: The ranges, taken as they are needed.
        config: Which scheduler.
        threads: Threads of a local cluster, of all its processes together; None: one per processor.

    Raises:
        ClusterError: scheduler or workers can't be reached, don't see the folders, have other versions, or fail.
        SettingError: Dask is not installed.
    """
    first = next(tasks, None)
    if first is None:
        return
    check_dask(config)
    with _permit(prepare.journal.folder.parent) as permit:
        prepare = replace(prepare, permit=permit, synchronous=config.scheduler != LOCAL)
        order = sent_order(prepare, first.first(SAMPLE_IMAGES))
        try:
            with connected(config, threads) as client:
                workers = Workers(client, config)
                workers.check(order)
                yield from _results(client, workers, order, chain([first], tasks))
        except OSError as error:
            raise ClusterError(
                f"The connection to the Dask scheduler {config.scheduler} broke: {error}. {KEPT}"
            ) from error


@contextmanager
def _permit(folder: Path) -> Iterator[Path]:
    """Give a file that is there until no rows may be written any more.

    A worker that was given up, behind a broken network, may come back when rows have been moved. The name is hidden and
    new each time: what a killed run left is removed when the next one begins.
    """
    permit = folder / f".permit-{uuid.uuid4().hex}"
    permit.touch()
    try:
        yield permit
    finally:
        permit.unlink(missing_ok=True)


def _results(
    client: "Client", workers: Workers, order: SentOrder, tasks: Iterator[RangeTask]
) -> Iterator[tuple[RowRange, PreparedRange]]:
    """Keep the workers' threads busy, no more; give each range with its result when it is there."""
    run = uuid.uuid4().hex[:8]
    done: SimpleQueue[Future] = SimpleQueue()
    under_way: dict[Future, RangeTask] = {}
    images: Counter[str] = Counter()
    while True:
        for task in islice(tasks, max(0, RANGES_A_THREAD * workers.threads - len(under_way))):
            key = f"prepare-{task.rows.name}-{run}"
            future = client.submit(prepare_range, *order, pickled(task.to_send()), key=key)
            future.add_done_callback(done.put)
            under_way[future] = task
        if not under_way:
            break
        futures = _next(done)
        if any(future.status == "error" for future in futures):
            raise _failure(under_way)
        for future, (worker, result) in _gathered(client, futures, done):
            task = under_way.pop(future)
            images[worker] += len(task.rows)
            yield task.rows, result
        workers.look()
    logger.info("Prepared by %s.", workers_in_words(images, "images"))


def _next(done: SimpleQueue["Future"]) -> list["Future"]:
    """Give the futures that are done, after waiting for one, but not for ever."""
    futures = []
    try:
        futures.append(done.get(timeout=SECONDS_BETWEEN_LOOKS))
        while len(futures) < RANGES_GATHERED:
            futures.append(done.get_nowait())
    except Empty:
        pass
    return futures


def _gathered(
    client: "Client", futures: list["Future"], done: SimpleQueue["Future"]
) -> list[tuple["Future", tuple[str, PreparedRange]]]:
    """Give futures with their results; what was lost with its worker is made again, and waited for again."""
    if not futures:
        return []
    try:
        results = client.sync(partial(client.gather, asynchronous=True), futures, callback_timeout=SECONDS_TO_CONNECT)
        return list(zip(futures, results, strict=True))
    except CancelledError as error:
        # what becomes of all when the scheduler hangs up
        raise ConnectionError(str(error)) from error
    except Exception as error:
        if not isinstance(error, TimeoutError) and all(future.status != "error" for future in futures):
            raise
        for future in futures:
            future.add_done_callback(done.put)
        return []


def _failure(under_way: Mapping["Future", RangeTask]) -> ClusterError:
    """Put into words why ranges failed: the fault of a worker, or of images that no worker lived through."""
    from distributed import KilledWorker

    failed = [(task, future.exception()) for future, task in under_way.items() if future.status == "error"]
    killed = [str(task) for task, error in failed if isinstance(error, KilledWorker)]
    task, error = failed[0]
    if killed:
        told = (
            "Workers died one after the other while they were to prepare these images, which are to be tried no more:"
            f" {'; '.join(killed)}. Look at their logs: was memory short, or does one of the images bring the decoder"
            " down?"
        )
    elif isinstance(error, RangeError):
        told = f"Of the {task}, the worker {error.worker} {error.problem}."
    else:
        told = f"Workers can't prepare the {task}: {type(error).__name__}: {error}."
    failure = ClusterError(f"{told} {KEPT}")
    failure.__cause__ = error
    return failure

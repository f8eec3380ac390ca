"""Ranges of rows prepared by Dask's workers: processes on this machine, or on any that see the same folders.

A worker is sent a range at a time with that range's image names, writes the rows and the journal itself, and gives back
the bad images and the sum. Only a few ranges a thread are under way, so that neither the scheduler nor this process
grows with the number of images. A worker that dies leaves nothing behind that counts: another prepares its ranges.
"""

import logging
import os
import tempfile
import time
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
from typing import TYPE_CHECKING, NoReturn

from celeba_vae.config import ClusterConfig
from celeba_vae.errors import ClusterError, SettingError
from celeba_vae.preparation.dask_worker import RangeError, SentOrder, find_problem, pickled, prepare_range, sent_order
from celeba_vae.preparation.index import RowRange
from celeba_vae.preparation.rows import PreparedRange, RangePreparer, RangeTask

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

logger = logging.getLogger(__name__)

LOCAL = "local"
INSTALL_COMMAND = "pip install -c constraints.txt -e '.[dask]'"
KEPT = "What was prepared so far is kept: the same command goes on."
SECONDS_TO_CONNECT = 10.0
SECONDS_BETWEEN_LOOKS = 1.0
NAMED_WORKERS = 10
# one is prepared while the next is on its way
RANGES_A_THREAD = 2
RANGES_GATHERED = 64


def check_dask(config: ClusterConfig) -> None:
    """Raise SettingError when the parameters ask for Dask, but it is not installed."""
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

    The tasks are taken as they are needed. A local cluster has so many threads in all its processes together, by
    default one per processor.

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
        order = sent_order(prepare, first)
        try:
            with _connected(config, threads) as client:
                workers = _Workers(client, config)
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


@contextmanager
def _connected(config: ClusterConfig, threads: int | None) -> Iterator["Client"]:
    """Connect to the scheduler, or start one with its workers for as long as the block lasts."""
    from distributed import Client

    # it tells every step; what matters is told here
    package = logging.getLogger("distributed")
    level = package.level
    package.setLevel(logging.ERROR)
    try:
        if config.scheduler == LOCAL:
            with _local_cluster(config, threads) as cluster, Client(cluster, set_as_default=False) as client:
                yield client
        else:
            with _client_of(str(config.scheduler), config.timeout) as client:
                yield client
    finally:
        package.setLevel(level)


def _client_of(scheduler: str, timeout: float) -> "Client":
    import dask
    from distributed import Client

    if scheduler.startswith("tls:") and not dask.config.get("distributed.comm.tls.ca-file", None):
        raise ClusterError(
            f"{scheduler} needs certificates, and Dask's configuration names none (distributed.comm.tls.ca-file"
            " and distributed.comm.tls.client). See Dask's documentation of TLS, or use a tcp:// address."
        )
    seconds = min(timeout, SECONDS_TO_CONNECT)
    try:
        return Client(scheduler, timeout=seconds, set_as_default=False)
    except OSError as error:
        raise ClusterError(
            f"No Dask scheduler answers at {scheduler} within {seconds:g} seconds. Start one there (dask"
            " scheduler), or set data_engineering.cluster.scheduler to its address, to local or to none."
        ) from error


@contextmanager
def _local_cluster(config: ClusterConfig, threads: int | None) -> Iterator["LocalCluster"]:
    import dask
    from distributed import LocalCluster
    from distributed.deploy.utils import nprocesses_nthreads

    threads = threads or os.cpu_count() or 1
    processes = config.processes or nprocesses_nthreads(threads)[0]
    with tempfile.TemporaryDirectory(prefix="celeba-vae-", ignore_cleanup_errors=True) as folder:
        try:
            with dask.config.set({"temporary-directory": folder}):
                cluster = LocalCluster(
                    n_workers=processes,
                    threads_per_worker=max(1, threads // processes),
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                    # a terminal's Ctrl-C reaches all processes: these are ended by this one
                    preload=["import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"],
                )
        except Exception as error:
            raise ClusterError(
                f"The {processes} worker processes of a local cluster can't be started: {error}."
            ) from error
        with cluster:
            yield cluster


class _Workers:
    """The workers that the scheduler knows of, looked at once a second; the first look waits until there is one.

    Raises ClusterError when there has been none for too long.
    """

    def __init__(self, client: "Client", config: ClusterConfig) -> None:
        self._client = client
        self._config = config
        self.threads: dict[str, int] = {}
        self._last_there = time.monotonic()
        self._look()
        while not self.threads:
            time.sleep(min(SECONDS_BETWEEN_LOOKS, config.timeout) / 10)
            self._look()
        logger.info("Preparing with %s, %d threads in all.", _in_words(self.threads), sum(self.threads.values()))

    def check(self, order: SentOrder) -> None:
        """Let each worker look whether it can carry out an order. Raises ClusterError when one can't."""
        found = self._client.run(find_problem, *order, on_error="return")
        for worker, problem in sorted(found.items()):
            if isinstance(problem, str):
                raise ClusterError(f"The worker {worker} {problem}.")
            # one that has gone meanwhile is no matter
            if isinstance(problem, Exception) and not isinstance(problem, OSError):
                raise ClusterError(
                    f"The worker {worker} can't use celeba-vae ({type(problem).__name__}: {problem}). Install the same"
                    f" version there: {INSTALL_COMMAND}."
                )

    def look(self) -> None:
        """See which workers came and went, unless that was seen within the last second."""
        if time.monotonic() - self._last_look >= SECONDS_BETWEEN_LOOKS:
            before = self.threads
            self._look()
            for worker in sorted(before.keys() - self.threads.keys()):
                logger.warning("The worker %s is gone; others prepare its images.", worker)
            for worker in sorted(self.threads.keys() - before.keys()):
                logger.info("The worker %s has joined.", worker)

    def _look(self) -> None:
        self.threads = self._client.nthreads(callback_timeout=SECONDS_TO_CONNECT)
        self._last_look = time.monotonic()
        if self.threads:
            self._last_there = self._last_look
        elif self._last_look - self._last_there >= self._config.timeout:
            raise ClusterError(
                f"The Dask scheduler {self._config.scheduler} has had no worker for {self._config.timeout:g} seconds"
                " (data_engineering.cluster.timeout). Start some: dask worker"
                f" {self._client.scheduler_info()['address']}. {KEPT}"
            )


def _in_words(counts: Mapping[str, int], of: str = "") -> str:
    """Name workers, the first ones of many, with a number for each where it is a number ``of`` something."""
    named = [f"{worker} ({count:,} {of})" if of else worker for worker, count in sorted(counts.items())]
    more = f" and {len(named) - NAMED_WORKERS:,} more" if len(named) > NAMED_WORKERS else ""
    return f"{len(named):,} worker{'s' * (len(named) != 1)}: {', '.join(named[:NAMED_WORKERS])}{more}"


def _results(
    client: "Client", workers: _Workers, order: SentOrder, tasks: Iterator[RangeTask]
) -> Iterator[tuple[RowRange, PreparedRange]]:
    """Keep the workers' threads busy, no more; give each range with its result when it is there."""
    run = uuid.uuid4().hex[:8]
    done: SimpleQueue[Future] = SimpleQueue()
    under_way: dict[Future, RangeTask] = {}
    images: Counter[str] = Counter()
    while True:
        for task in islice(tasks, max(0, RANGES_A_THREAD * sum(workers.threads.values()) - len(under_way))):
            key = f"prepare-{task.rows.name}-{run}"
            future = client.submit(prepare_range, *order, pickled(task.to_send()), key=key)
            future.add_done_callback(done.put)
            under_way[future] = task
        if not under_way:
            break
        for future, (worker, result) in _gathered(client, done, under_way):
            task = under_way.pop(future)
            images[worker] += len(task.rows)
            yield task.rows, result
        workers.look()
    logger.info("Prepared by %s.", _in_words(images, "images"))


def _gathered(
    client: "Client", done: SimpleQueue["Future"], under_way: Mapping["Future", RangeTask]
) -> list[tuple["Future", tuple[str, PreparedRange]]]:
    """Give the futures that are done with their results, after waiting for one, but not for ever.

    What was lost with its worker is made again, and waited for again.
    """
    try:
        futures = [done.get(timeout=SECONDS_BETWEEN_LOOKS)]
    except Empty:
        return []
    while len(futures) < RANGES_GATHERED and not done.empty():
        futures.append(done.get())
    if any(future.status == "error" for future in futures):
        _fail(under_way)
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


def _fail(under_way: Mapping["Future", RangeTask]) -> NoReturn:
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
    raise ClusterError(f"{told} {KEPT}") from error

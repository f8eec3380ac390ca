"""Ranges of rows prepared by Dask's workers: processes on this machine, or on any that see the same folders.

A worker is sent a range at a time with that range's image names, writes the rows and the journal itself, and gives back
the bad images and the sum. Only a few ranges a thread are under way, so that neither the scheduler nor this process
grows with the number of images. A worker that dies leaves nothing behind that counts: another prepares its ranges.
"""

import hashlib
import importlib.metadata
import logging
import os
import pickle
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain, islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from celeba_vae import __version__
from celeba_vae.config import ClusterConfig
from celeba_vae.errors import ClusterError, SettingError
from celeba_vae.preparation.ranges import FORMAT, UNREADABLE, PreparedRange, RangePreparer, RangeTask, RowRange

logger = logging.getLogger(__name__)

LOCAL = "local"
INSTALL_COMMAND = "pip install -c constraints.txt -e '.[dask]'"
# one is prepared while the next is on its way
RANGES_A_THREAD = 2
RANGES_GATHERED = 64
SECONDS_TO_CONNECT = 10.0
SECONDS_BETWEEN_LOOKS = 1.0
SAMPLE_IMAGES = 8
NAMED = 10
# what makes an image's pixels
LIBRARIES = ("numpy", "opencv-python-headless", "pillow", "simplejpeg")
_KEPT = "What was prepared so far is kept: the same command goes on."


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


def prepare_on_cluster(
    prepare: RangePreparer, tasks: Iterator[RangeTask], config: ClusterConfig, threads: int | None
) -> Generator[tuple[RowRange, PreparedRange]]:
    """Prepare ranges on a cluster; give each with what became of it, in the order in which they are finished.

    Args:
        prepare: Prepares a range.
        tasks: The ranges, taken as they are needed.
        config: Which cluster.
        threads: Threads of a local cluster, of all its processes together; None: one per processor.

    Raises:
        ClusterError: scheduler or workers can't be reached, don't see the folders, have other versions, or fail.
        SettingError: Dask is not installed.
    """
    first = next(tasks, None)
    if first is None:
        return
    check_dask(config)
    with _permit(prepare.journal.parent) as permit:
        prepare = replace(prepare, permit=permit, synchronous=config.scheduler != LOCAL)
        order = _order(prepare, first.first(SAMPLE_IMAGES))
        try:
            with _client(config, threads) as client:
                workers = _Workers(client, config)
                workers.check(order)
                yield from _results(client, workers, order, chain([first], tasks))
        except OSError as error:
            raise ClusterError(
                f"The connection to the Dask scheduler {config.scheduler} broke: {error}. {_KEPT}"
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


# ------------------------------------------------------------------------------------------------ what workers are sent


@dataclass(frozen=True)
class _Order:
    """What all ranges of a run have in common, and what tells whether a worker can do them.

    Args:
        prepare: Prepares a range.
        sample: A task of a few images, pickled.
        sample_name: The same in words.
        digest: The hash of what this process makes of it.
    """

    prepare: RangePreparer
    sample: bytes
    sample_name: str
    digest: str

    def problem(self) -> str | None:
        """Say why this process can't do what the one that sent the order can; None: it can."""
        folder = self.prepare.permit.parent
        if not self.prepare.permit.exists():
            return f"does not see {folder}, where the images are prepared: workers must reach it by this very path"
        if not os.access(folder, os.W_OK):
            return f"may not write to {folder}"
        task = pickle.loads(self.sample)
        if _digest(self.prepare, task) != self.digest:
            for position, status, reason in self.prepare.make(task)[1]:
                if status == UNREADABLE:
                    image_id = task.image_ids[task.rows.positions == position][0]
                    return (
                        f"can't read the original {image_id}: {reason}. Workers must reach originals by the same path"
                    )
            return f"makes other pictures of the {self.sample_name}: the originals that it sees are different"
        return None


def _order(prepare: RangePreparer, sample: RangeTask) -> tuple[Mapping[str, str], bytes]:
    """Give the versions that a worker must have, and the pickled order: older ones might not be able to read it."""
    return _versions(), _pickled(_Order(prepare, _pickled(sample.to_send()), str(sample), _digest(prepare, sample)))


def _pickled(thing: Any) -> bytes:
    """Pickle here, so that a scheduler never needs to know what it hands on.

    Raises:
        ClusterError: it can't be pickled, which may be the fault of a plugin's source.
    """
    try:
        return pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise ClusterError(
            f"Other processes can't read the originals, since the source's collection can't be sent to them: {error}."
        ) from error


def _digest(prepare: RangePreparer, task: RangeTask) -> str:
    block, bad = prepare.make(task)
    return hashlib.blake2b(block.tobytes() + repr(bad).encode(), digest_size=16).hexdigest()


def _versions() -> dict[str, str]:
    return {"celeba-vae": f"{__version__} (format {FORMAT})", **{name: _version(name) for name in LIBRARIES}}


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


# ----------------------------------------------------------------------------------------------------------- on workers


class RangeError(Exception):
    """A range could not be prepared by a worker.

    Args:
        worker: Its address.
        problem: What is wrong, as what follows "The worker ...".
    """

    def __init__(self, worker: str, problem: str) -> None:
        super().__init__(worker, problem)
        self.worker = worker
        self.problem = problem


def prepare_range(versions: Mapping[str, str], order: bytes, task: bytes) -> tuple[str, PreparedRange]:
    """Prepare a range on a worker; give its address, too. A worker that came late has not been looked at: it is now.

    Raises:
        RangeError: that is not possible.
    """
    from distributed import get_worker

    worker = get_worker().address
    if problem := find_problem(versions, order):
        raise RangeError(worker, problem)
    try:
        return worker, _unpickled(order).prepare(pickle.loads(task))
    except Exception as error:
        raise RangeError(worker, f"ended with {type(error).__name__}: {error}") from error


def find_problem(versions: Mapping[str, str], order: bytes) -> str | None:
    """Say why this worker can't carry out an order, found out once; None: it can."""
    return _find_problem(tuple(versions.items()), order)


@lru_cache(maxsize=4)
def _find_problem(versions: tuple[tuple[str, str], ...], order: bytes) -> str | None:
    here = _versions()
    others = [f"{name} {here.get(name)} instead of {wanted}" for name, wanted in versions if here.get(name) != wanted]
    if others:
        return f"has {', '.join(others)}: install the same everywhere, with -c constraints.txt"
    try:
        return _unpickled(order).problem()
    except Exception as error:
        return f"can't read the originals: {type(error).__name__}: {error}"


@lru_cache(maxsize=4)
def _unpickled(order: bytes) -> _Order:
    return pickle.loads(order)


# ------------------------------------------------------------------------------------------------------ on this machine


@contextmanager
def _client(config: ClusterConfig, threads: int | None) -> Iterator[Any]:
    """Connect to the scheduler, or start one with its workers for as long as the block lasts."""
    from distributed import Client

    # it tells every step; what matters is told here
    with _quiet("distributed"):
        if config.scheduler == LOCAL:
            with _local_cluster(config, threads) as cluster, Client(cluster, set_as_default=False) as client:
                yield client
        else:
            with _connected(config) as client:
                yield client


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Let a package log errors only."""
    package = logging.getLogger(name)
    level = package.level
    package.setLevel(logging.ERROR)
    try:
        yield
    finally:
        package.setLevel(level)


def _connected(config: ClusterConfig) -> Any:
    import dask
    from distributed import Client

    if config.scheduler.startswith("tls:") and not dask.config.get("distributed.comm.tls.ca-file", None):
        raise ClusterError(
            f"{config.scheduler} needs certificates, and Dask's configuration names none (distributed.comm.tls.ca-file"
            " and distributed.comm.tls.client). See Dask's documentation of TLS, or use a tcp:// address."
        )
    seconds = min(config.timeout, SECONDS_TO_CONNECT)
    try:
        return Client(config.scheduler, timeout=seconds, set_as_default=False)
    except OSError as error:
        raise ClusterError(
            f"No Dask scheduler answers at {config.scheduler} within {seconds:g} seconds. Start one there (dask"
            " scheduler), or set data_engineering.cluster.scheduler to its address, to local or to none."
        ) from error


@contextmanager
def _local_cluster(config: ClusterConfig, threads: int | None) -> Iterator[Any]:
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
    """The workers that the scheduler knows of, looked at once a second; the first look waits until there is one."""

    def __init__(self, client: Any, config: ClusterConfig) -> None:
        self._client = client
        self._config = config
        self._threads: dict[str, int] = {}
        self._last_there = self._last_look = time.monotonic()
        self._look()
        while not self._threads:
            time.sleep(min(SECONDS_BETWEEN_LOOKS, config.timeout) / 10)
            self._look()
        logger.info("Preparing with %s, %d threads in all.", _in_words(self._threads), sum(self._threads.values()))

    @property
    def threads(self) -> int:
        """Threads of all workers together."""
        return sum(self._threads.values())

    def check(self, order: tuple[Mapping[str, str], bytes]) -> None:
        """Let each worker look whether it can carry out an order.

        Raises:
            ClusterError: one can't.
        """
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
        """See which workers came and went, unless that was seen within the last second.

        Raises:
            ClusterError: there has been none for too long.
        """
        if time.monotonic() - self._last_look >= SECONDS_BETWEEN_LOOKS:
            before = self._threads
            self._look()
            for worker in sorted(before.keys() - self._threads.keys()):
                logger.warning("The worker %s is gone; others prepare its images.", worker)
            for worker in sorted(self._threads.keys() - before.keys()):
                logger.info("The worker %s has joined.", worker)

    def _look(self) -> None:
        self._threads = self._client.nthreads(callback_timeout=SECONDS_TO_CONNECT)
        self._last_look = time.monotonic()
        if self._threads:
            self._last_there = self._last_look
        elif self._last_look - self._last_there >= self._config.timeout:
            raise ClusterError(
                f"The Dask scheduler {self._config.scheduler} has had no worker for {self._config.timeout:g} seconds"
                " (data_engineering.cluster.timeout). Start some: dask worker"
                f" {self._client.scheduler.address}. {_KEPT}"
            )


def _results(
    client: Any, workers: _Workers, order: tuple[Mapping[str, str], bytes], tasks: Iterator[RangeTask]
) -> Iterator[tuple[RowRange, PreparedRange]]:
    """Keep the workers' threads busy, no more; give each range with its result when it is there."""
    run = uuid.uuid4().hex[:8]
    done: SimpleQueue = SimpleQueue()
    under_way: dict[Any, RangeTask] = {}
    images: Counter[str] = Counter()
    while True:
        for task in islice(tasks, max(0, RANGES_A_THREAD * workers.threads - len(under_way))):
            key = f"prepare-{task.rows.split}-{task.rows.start:08d}-{run}"
            future = client.submit(prepare_range, *order, _pickled(task.to_send()), key=key)
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
    logger.info("Prepared by %s.", _in_words(images, "images"))


def _next(done: SimpleQueue) -> list[Any]:
    """Give the futures that are done, after waiting for one, but not for ever."""
    futures = []
    try:
        futures.append(done.get(timeout=SECONDS_BETWEEN_LOOKS))
        while len(futures) < RANGES_GATHERED:
            futures.append(done.get_nowait())
    except Empty:
        pass
    return futures


def _gathered(client: Any, futures: list[Any], done: SimpleQueue) -> list[tuple[Any, tuple[str, PreparedRange]]]:
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


def _failure(under_way: Mapping[Any, RangeTask]) -> ClusterError:
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
    failure = ClusterError(f"{told} {_KEPT}")
    failure.__cause__ = error
    return failure


def _in_words(counts: Mapping[str, int], of: str = "") -> str:
    """Name workers, the first ones of many, with a number for each where it is a number ``of`` something."""
    named = [f"{worker} ({count:,} {of})" if of else worker for worker, count in sorted(counts.items())]
    more = f" and {len(named) - NAMED:,} more" if len(named) > NAMED else ""
    return f"{len(named):,} worker{'s' * (len(named) != 1)}: {', '.join(named[:NAMED])}{more}"

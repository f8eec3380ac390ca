"""Dask's scheduler and its workers: at an address, or processes of this machine for as long as they are needed."""

import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from celeba_vae.config import ClusterConfig
from celeba_vae.errors import ClusterError
from celeba_vae.preparation.dask_worker import SentOrder, find_problem

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

logger = logging.getLogger(__name__)

LOCAL = "local"
INSTALL_COMMAND = "pip install -c constraints.txt -e '.[dask]'"
KEPT = "What was prepared so far is kept: the same command goes on."
SECONDS_TO_CONNECT = 10.0
SECONDS_BETWEEN_LOOKS = 1.0
NAMED = 10


@contextmanager
def connected(config: ClusterConfig, threads: int | None) -> Iterator["Client"]:
    """Connect to the scheduler, or start one with its workers for as long as the block lasts."""
    from distributed import Client

    scheduler = config.scheduler or LOCAL
    # it tells every step; what matters is told here
    with _quiet("distributed"):
        if scheduler == LOCAL:
            with _local_cluster(config, threads) as cluster, Client(cluster, set_as_default=False) as client:
                yield client
        else:
            with _client_of(scheduler, config.timeout) as client:
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


class Workers:
    """The workers that the scheduler knows of, looked at once a second; the first look waits until there is one."""

    def __init__(self, client: "Client", config: ClusterConfig) -> None:
        self._client = client
        self._config = config
        self._threads: dict[str, int] = {}
        self._last_there = self._last_look = time.monotonic()
        self._look()
        while not self._threads:
            time.sleep(min(SECONDS_BETWEEN_LOOKS, config.timeout) / 10)
            self._look()
        logger.info(
            "Preparing with %s, %d threads in all.", workers_in_words(self._threads), sum(self._threads.values())
        )

    @property
    def threads(self) -> int:
        """Threads of all workers together."""
        return sum(self._threads.values())

    def check(self, order: SentOrder) -> None:
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
                f" {self._client.scheduler_info()['address']}. {KEPT}"
            )


def workers_in_words(counts: Mapping[str, int], of: str = "") -> str:
    """Name workers, the first ones of many, with a number for each where it is a number ``of`` something."""
    named = [f"{worker} ({count:,} {of})" if of else worker for worker, count in sorted(counts.items())]
    more = f" and {len(named) - NAMED:,} more" if len(named) > NAMED else ""
    return f"{len(named):,} worker{'s' * (len(named) != 1)}: {', '.join(named[:NAMED])}{more}"

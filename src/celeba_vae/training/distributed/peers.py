"""The processes of a training on several machines, as the variable TF_CONFIG names them, and how they meet."""

import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from celeba_vae.config import HardwareConfig
from celeba_vae.errors import HardwareError

logger = logging.getLogger(__name__)

# tag of the nodes that all peers run together
TRAINS = "trains"
MEETING_SECONDS = 600
_ALL_ARE_THERE = b"!"
_EXAMPLE = (
    '{"cluster": {"worker": ["192.168.0.1:12345", "192.168.0.2:12345"]}, "task": {"type": "worker", "index": 0}} on the'
    " first machine, index 1 on the second"
)


@dataclass(frozen=True)
class Peer:
    """One of the processes that train together, each at its host:port; 0 is the chief, the only one that writes."""

    index: int
    addresses: tuple[str, ...]

    @property
    def is_chief(self) -> bool:
        """Whether it is the one that writes."""
        return self.index == 0

    def __str__(self) -> str:
        return f"worker {self.index}{' (the chief)' if self.is_chief else ''} of {len(self.addresses)}"


def this_peer(config: HardwareConfig) -> Peer | None:
    """Say which peer this process is; None where it trains alone.

    Raises:
        HardwareError: TF_CONFIG can't be understood, or ``strategy`` is multi_worker and it names no other worker.
    """
    if config.strategy not in ("auto", "multi_worker"):
        return None
    peer = _peer_of(os.environ.get("TF_CONFIG"))
    if config.strategy == "multi_worker" and peer is None:
        raise HardwareError(
            "hardware.yml says strategy: multi_worker, but the variable TF_CONFIG names no other worker.\n"
            f"Set it on every machine before the run, as {_EXAMPLE}."
        )
    if peer and config.virtual_devices:
        raise HardwareError(
            "hardware.yml says virtual_devices, which is for one process alone, but TF_CONFIG names several workers.\n"
            "Set virtual_devices: none, or strategy: mirrored."
        )
    return peer


def meet(peer: Peer, seconds: float = MEETING_SECONDS) -> None:
    """Wait until all peers are there. Unlike TensorFlow's own waiting, Ctrl-C ends it, and so does ``seconds``.

    The chief listens at its own address, where TensorFlow is going to listen afterwards.

    Raises:
        HardwareError: some did not come, or this process can't listen at its address.
    """
    deadline = time.monotonic() + seconds
    logger.info("This is %s, at %s; waiting for the others", peer, peer.addresses[peer.index])
    if peer.is_chief:
        _await_the_others(peer, deadline, seconds)
    else:
        _report_to_the_chief(peer, deadline, seconds)


def _await_the_others(peer: Peer, deadline: float, seconds: float) -> None:
    there: dict[int, socket.socket] = {}
    with contextlib.ExitStack() as connections:
        listener = connections.enter_context(_listening(_host_and_port(peer.addresses[0])[1]))
        listener.settimeout(1)
        while len(there) < len(peer.addresses) - 1:
            with contextlib.suppress(TimeoutError):
                connection = connections.enter_context(listener.accept()[0])
                index = _index_that_comes(connection)
                if index is not None and 0 < index < len(peer.addresses):
                    # one that was started again takes its earlier place
                    there[index] = connection
            there = {index: connection for index, connection in there.items() if not _has_gone(connection)}
            if time.monotonic() > deadline:
                missing = [index for index in range(1, len(peer.addresses)) if index not in there]
                names = ", ".join(f"{index} ({peer.addresses[index]})" for index in missing)
                raise HardwareError(
                    f"Worker {names} did not come within {seconds / 60:g} minutes. Start the same command on every"
                    " machine that TF_CONFIG names, each with its own index; its own output may say what is wrong."
                )
        for connection in there.values():
            connection.sendall(_ALL_ARE_THERE)


def _report_to_the_chief(peer: Peer, deadline: float, seconds: float) -> None:
    while time.monotonic() < deadline:
        chief = _host_and_port(peer.addresses[0])
        with contextlib.suppress(OSError), socket.create_connection(chief, timeout=5) as connection:
            connection.sendall(str(peer.index).encode())
            connection.settimeout(max(0.1, deadline - time.monotonic()))
            if connection.recv(1) == _ALL_ARE_THERE:
                return
        time.sleep(0.5)
    raise HardwareError(
        f"Worker 0 at {peer.addresses[0]}, or one that it waits for, did not come within {seconds / 60:g} minutes."
        " Start the same command on every machine that TF_CONFIG names, each with its own index, and look whether this"
        " address can be reached from here."
    )


def _index_that_comes(connection: socket.socket) -> int | None:
    connection.settimeout(5)
    try:
        return int(connection.recv(16))
    except (ValueError, OSError):
        # something else that looked whether the port is open
        return None


def _has_gone(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    try:
        with socket.create_server(("", port)) as listener:
            yield listener
    except OSError as error:
        raise HardwareError(
            f"Port {port}, which TF_CONFIG gives to worker 0, can't be used on this machine ({error}). End what uses"
            " it, or name another port in the TF_CONFIG of every worker."
        ) from error


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _peer_of(text: str | None) -> Peer | None:
    if not text:
        return None
    try:
        content = json.loads(text)
        jobs = {job: tuple(addresses) for job, addresses in (content.get("cluster") or {}).items()}
        addresses = jobs.get("chief", ()) + jobs.get("worker", ())
        if len(addresses) < 2:
            return None
        for address in addresses:
            _host_and_port(address)
        kind = content["task"]["type"]
        index = int(content["task"]["index"])
        if kind not in ("chief", "worker") or not 0 <= index < len(jobs.get(kind, ())):
            raise ValueError(f"the cluster has no {kind} {index} that trains")
        return Peer(index + (len(jobs.get("chief", ())) if kind == "worker" else 0), addresses)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HardwareError(f"TF_CONFIG can't be understood ({error}). It should look like {_EXAMPLE}.") from error

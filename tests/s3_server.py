"""An object store on this machine that speaks S3's protocol, and what was asked of it."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import fsspec


class S3Server(NamedTuple):
    """A running server.

    Args:
        credentials: What s3fs needs to use it, as in ``credentials.yml``.
        requests: The lines of its log: ``GET /bucket/key``.
    """

    credentials: dict[str, Any]
    requests: list[str]

    @property
    def fs(self) -> fsspec.AbstractFileSystem:
        """Its file system, which keeps no listings."""
        return fsspec.filesystem("s3", use_listings_cache=False, **self.credentials)

    def reads(self, key: str) -> int:
        """How often an object was read whose key ends so."""
        return sum(re.fullmatch(rf"GET \S*{re.escape(key)}", request) is not None for request in self.requests)


@contextmanager
def running_s3_server() -> Iterator[S3Server]:
    """Start a server with a bucket called ``bucket``."""
    from moto.server import ThreadedMotoServer

    requests: list[str] = []
    log = logging.getLogger("werkzeug")
    handler = logging.Handler()
    handler.emit = lambda record: requests.extend(re.findall(r"[A-Z]+ /\S*", record.getMessage()))
    level, propagate = log.level, log.propagate
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {"endpoint_url": f"http://{host}:{port}", "region_name": "eu-west-1"}
    store = S3Server({"key": "key", "secret": "secret", "client_kwargs": options}, requests)
    try:
        store.fs.mkdir("bucket")
        yield store
    finally:
        server.stop()
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagate

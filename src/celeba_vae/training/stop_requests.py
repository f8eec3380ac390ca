"""Ctrl-C and SIGTERM, answered when it suits."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a request, which the function that is given tells of; a second one stops at once."""
    if threading.current_thread() is not threading.main_thread():
        # signals are another thread's, whose process ends it
        yield lambda: False
        return
    requests = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def request(number: int, frame: FrameType | None) -> None:
        requests.append(number)
        restore()

    for number in before:
        signal.signal(number, request)
    try:
        yield lambda: bool(requests)
    finally:
        restore()

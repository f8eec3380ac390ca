"""Work on many things at once, for functions that let go of Python's lock: codecs, files, image filters."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Generator[Result]:
    """Give ``function(item)`` for each item, in the items' order, computed by threads.

    Items are taken in the calling thread and only two a thread ahead of the results, so that memory does not grow with
    their number. What ``function`` or ``items`` raises is raised here. ``workers`` is by default one per processor.
    """
    workers = workers or os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[Result]] = deque()
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

import itertools
import threading
import time

import pytest

from celeba_vae.storage.threads import map_in_threads


def test_results_come_in_the_items_order_whichever_is_finished_first():
    def late_first(i):
        time.sleep(0.02 * (i % 3 == 0))
        return i * i

    assert list(map_in_threads(late_first, range(20), workers=4)) == [i * i for i in range(20)]


def test_work_is_done_at_the_same_time():
    # both threads have to arrive here, or it breaks
    meeting = threading.Barrier(2, timeout=10)

    assert len(list(map_in_threads(lambda _: meeting.wait(), range(2), workers=2))) == 2


def test_endless_items_are_taken_as_they_are_needed():
    taken = itertools.count()

    results = map_in_threads(lambda i: i, taken, workers=2)

    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert next(taken) < 12


def test_errors_of_the_work_and_of_the_items_are_raised():
    def items():
        yield 1
        raise OSError("no more")

    with pytest.raises(ZeroDivisionError):
        list(map_in_threads(lambda i: 1 // i, [1, 0, 1]))
    with pytest.raises(OSError, match="no more"):
        list(map_in_threads(lambda i: i, items()))

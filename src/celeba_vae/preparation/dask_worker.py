"""What Dask's workers are sent, and what they do with it: look whether they can prepare images, and prepare them."""

import hashlib
import importlib.metadata
import json
import os
import pickle
from dataclasses import dataclass, replace
from functools import lru_cache

from celeba_vae import __version__
from celeba_vae.errors import ClusterError
from celeba_vae.preparation.index import UNREADABLE
from celeba_vae.preparation.rows import FORMAT, PreparedRange, RangePreparer, RangeTask

# what makes an image's pixels
LIBRARIES = ("numpy", "opencv-python-headless", "pillow", "simplejpeg")
SAMPLE_IMAGES = 8
# the versions that a worker must have, and an order, pickled: other versions might not be able to read it
SentOrder = tuple[str, bytes]


@dataclass(frozen=True)
class Order:
    """What all ranges of a run have in common, and what tells whether a worker can do them.

    ``sample`` is a task of a few images, pickled; ``digest`` the hash of what the sender makes of it.
    """

    prepare: RangePreparer
    sample: bytes
    digest: str

    def problem(self) -> str | None:
        """Say why this process can't do what the one that sent the order can; None: it can."""
        folder = self.prepare.journal.folder.parent
        if not (self.prepare.permit and self.prepare.permit.exists()):
            return f"does not see {folder}, where the images are prepared: workers must reach it by this very path"
        if not os.access(folder, os.W_OK):
            return f"may not write to {folder}"
        task = pickle.loads(self.sample)
        if _digest(self.prepare, task) != self.digest:
            for position, status, reason in self.prepare.make(task)[1]:
                if status == UNREADABLE:
                    image_id = task.image_ids[task.rows.positions.tolist().index(position)]
                    return (
                        f"can't read the original {image_id}: {reason}. Workers must reach originals by the same path"
                    )
            return f"makes other pictures of the {task}: the originals that it sees are different"
        return None


def sent_order(prepare: RangePreparer, first: RangeTask) -> SentOrder:
    """Give an order as it is sent, with a sample of the first range. Raises ClusterError when it can't be pickled."""
    rows = replace(first.rows, positions=first.rows.positions[:SAMPLE_IMAGES])
    sample = RangeTask(rows, first.image_ids[:SAMPLE_IMAGES], first.originals)
    return json.dumps(_versions()), pickled(Order(prepare, pickled(sample.to_send()), _digest(prepare, sample)))


def pickled(thing: Order | RangeTask) -> bytes:
    """Pickle here, so that a scheduler never needs to know what it hands on.

    Raises ClusterError when that is not possible, which may be the fault of a plugin's source.
    """
    try:
        return pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise ClusterError(
            f"Other processes can't read the originals, since the source's collection can't be sent to them: {error}."
        ) from error


def _digest(prepare: RangePreparer, task: RangeTask) -> str:
    block, bad, _ = prepare.make(task)
    return hashlib.blake2b(block.tobytes() + repr(bad).encode(), digest_size=16).hexdigest()


def _versions() -> dict[str, str]:
    return {"celeba-vae": f"{__version__} (format {FORMAT})", **{name: _version(name) for name in LIBRARIES}}


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


class RangeError(Exception):
    """A range could not be prepared by the worker at this address, told in words that follow "The worker ..."."""

    def __init__(self, worker: str, problem: str) -> None:
        super().__init__(worker, problem)
        self.worker = worker
        self.problem = problem


def prepare_range(versions: str, order: bytes, task: bytes) -> tuple[str, PreparedRange]:
    """Prepare a range on a worker; give its address, too. Raises RangeError when that is not possible.

    A worker that came late has not been looked at: it is now.
    """
    from distributed import get_worker

    worker = get_worker().address
    if problem := find_problem(versions, order):
        raise RangeError(worker, problem)
    try:
        return worker, _unpickled(order).prepare(pickle.loads(task))
    except Exception as error:
        raise RangeError(worker, f"ended with {type(error).__name__}: {error}") from error


@lru_cache(maxsize=4)
def find_problem(versions: str, order: bytes) -> str | None:
    """Say why this worker can't carry out an order, found out once; None: it can."""
    here, wanted = _versions(), json.loads(versions)
    others = [f"{name} {here.get(name)} instead of {wanted[name]}" for name in wanted if here.get(name) != wanted[name]]
    if others:
        return f"has {', '.join(others)}: install the same everywhere, with -c constraints.txt"
    try:
        return _unpickled(order).problem()
    except Exception as error:
        return f"can't read the originals: {type(error).__name__}: {error}"


@lru_cache(maxsize=4)
def _unpickled(order: bytes) -> Order:
    return pickle.loads(order)

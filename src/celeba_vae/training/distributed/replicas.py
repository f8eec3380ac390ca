"""A model trained on one device, or by replicas on several: each has a part of every batch, all take the same step.

A replica's layers and losses say with ``batch_mean`` and ``own_rows`` what depends on the whole batch, so that a
training is the same on any number of devices, but for rounding: losses are means over the whole batch on every replica,
its gradients are what its own images contribute to the whole batch's, and noise goes by an image's place in the batch.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.errors import CelebaVaeError, SettingError
from celeba_vae.storage.stages import differences
from celeba_vae.training.devices import training_device_names
from celeba_vae.training.distributed.peers import Worker, meet, this_worker

# bytes that processes exchange at once, each as a float32, which every device can sum; those of the largest state are
# fewer than this many times as many
_PAGE = 2**22

Losses = Mapping[str, float]
Step = Callable[[tf.Tensor, int, Callable[[], bool]], tuple[Losses, bool]]


@dataclass(frozen=True)
class Part:
    """A replica's part of a batch.

    A replica that has no image of a small batch computes with its neighbour's, which counts as none of its own: some
    kernels, oneDNN's convolutions among them, give wrong results for no images.

    Args:
        first: How many images of the batch come before its own; this and the others are int32 scalars.
        own: How many are its own, from the first of its images on.
        count: How many the batch has.
    """

    first: tf.Tensor
    own: tf.Tensor
    count: tf.Tensor


class _Current(threading.local):
    part: Part | None = None


# TensorFlow traces each replica in a thread of its own
_current = _Current()


def current_part() -> Part | None:
    """Give the part of the batch that the replica being traced has; None where one device has all of it."""
    return _current.part


def in_replicas() -> bool:
    """Say whether what is built now is built as several replicas."""
    return tf.distribute.get_strategy().num_replicas_in_sync > 1


def sum_over_replicas(values: Any) -> Any:
    """Sum a tensor, or each in a list, over the replicas; what is None stays so. On one device they are the sums."""
    if current_part() is None:
        return values
    if not isinstance(values, list):
        return sum_over_replicas([values])[0]
    # what comes from outside has no device, by which TensorFlow goes
    given = [tf.identity(value) for value in values if value is not None]
    sums = iter(tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, given))
    return [value if value is None else next(sums) for value in values]


def batch_mean(values: tf.Tensor, axis: int | None = None) -> tf.Tensor:
    """Give the mean over the images of the whole batch, for a loss.

    Its gradient is what this replica's images contribute to the whole batch's.

    Args:
        values: (n, …) float32 of this replica's images.
        axis: 0: over the images only; None: over all values.
    """
    part = current_part()
    if part is None:
        return tf.reduce_mean(values, axis)
    divisor = tf.cast(part.count, values.dtype) * (1 if axis == 0 else int(np.prod(values.shape[1:])))

    @tf.custom_gradient
    def mean_of(values: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return tf.broadcast_to(upstream / divisor, tf.shape(values))

        return sum_over_replicas(tf.reduce_sum(values, axis) / divisor), gradient

    return mean_of(values[: part.own])


def own_rows(draw: Callable[[tf.Tensor], tf.Tensor], shape: tf.Tensor) -> tf.Tensor:
    """Draw for the whole batch and give the rows of this replica's images.

    Args:
        draw: From a shape to values.
        shape: Shape of the result, (n, …); ``draw`` gets that of the whole batch.
    """
    part = current_part()
    if part is None:
        return draw(shape)
    return draw(tf.concat([[part.count], shape[1:]], axis=0))[part.first : part.first + shape[0]]


class OneDevice:
    """A training on one device, by one process."""

    count = 1
    is_chief = True
    several_processes = False

    def scope(self) -> AbstractContextManager[Any]:
        """Give the context that a model is built in."""
        return nullcontext()

    def rows(self, count: int) -> slice:
        """Say which images this process reads of a batch of ``count``."""
        return slice(0, count)

    def compile(self, step: Callable[[tf.Tensor], Any], image_shape: tuple[int, ...], xla: bool) -> Step:
        """Make a step of a model callable with the images to read of a batch, (n, h, w, c) uint8.

        Returns:
            A function of the images, the images of the whole batch, and what tells whether this process is to stop. It
            gives the losses, means over the whole batch, and whether any process is to stop.
        """
        compiled = tf.function(
            step,
            input_signature=[tf.TensorSpec((None, *image_shape), tf.uint8)],
            jit_compile=xla,
            autograph=False,
        )

        def take(images: tf.Tensor, count: int, stop_requested: Callable[[], bool]) -> tuple[Losses, bool]:
            losses = {name: float(loss) for name, loss in compiled(images).items()}
            return losses, stop_requested()

        return take

    def any_process(self, value: bool) -> bool:
        """Say whether ``value`` is true in any process."""
        return value

    def from_chief(self, content: bytes) -> bytes:
        """Give what the chief calls it with."""
        return content

    def check(self, variant: VariantConfig) -> None:
        """Make sure that a variant can be trained here.

        Raises:
            SettingError: it can't.
        """

    def check_same(self, identity: Mapping[str, Any]) -> None:
        """Make sure that all processes train the same with the same.

        Raises:
            SettingError: they don't; the message names what differs.
        """


class Replicas:
    """A training on several devices of one machine or more, by TensorFlow's strategies.

    Replica r of R has the images from r * n // R on of a batch of n; a machine reads those of its own replicas.

    Args:
        strategy: Makes the replicas.
        worker: Which of the processes this is, where there are several.
    """

    def __init__(self, strategy: tf.distribute.Strategy, worker: Worker | None = None) -> None:
        self.strategy = strategy
        self.worker = worker
        self.count = strategy.num_replicas_in_sync
        self.is_chief = worker is None or worker.is_chief
        self.several_processes = worker is not None
        self._local = self.count // (len(worker.addresses) if worker else 1)
        self._first = worker.index * self._local if worker else 0
        self._sum = tf.function(
            self._sum_over_processes,
            input_signature=[tf.TensorSpec((None,), tf.float32)],
            autograph=False,
        )

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Give the context that a model is built in; its weights are those that the chief draws."""
        with self._workers_may_be_lost(), self.strategy.scope():
            yield

    def rows(self, count: int) -> slice:
        """Say which images this process reads of a batch of ``count``."""
        return slice(self._images_of(self._first, count)[0], self._images_of(self._first + self._local - 1, count)[1])

    def compile(self, step: Callable[[tf.Tensor], Any], image_shape: tuple[int, ...], xla: bool) -> Step:
        """Make a step of a model callable, as ``OneDevice.compile`` says."""

        def on_replica(images: tf.Tensor, count: tf.Tensor, stop: tf.Tensor) -> tuple[Any, tf.Tensor]:
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            first = self._begin(replica, count)
            with _taking(Part(first, self._begin(replica + 1, count) - first, count)):
                return step(images), sum_over_replicas(stop)

        @tf.function(
            input_signature=[
                tf.TensorSpec((None, *image_shape), tf.uint8),
                tf.TensorSpec((), tf.int32),
                tf.TensorSpec((), tf.float32),
            ],
            autograph=False,
        )
        def compiled(images: tf.Tensor, count: tf.Tensor, stop: tf.Tensor) -> tuple[Any, tf.Tensor]:
            read_from = self._begin(self._first, count)

            def images_of(context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
                first, end = self._images_of(context.replica_id_in_sync_group, count)
                return images[first - read_from : end - read_from]

            parts = self.strategy.experimental_distribute_values_from_function(images_of)
            losses, stops = self.strategy.run(on_replica, args=(parts, count, stop))
            # they are the same on all
            return tf.nest.map_structure(self._of_first_replica, losses), self._of_first_replica(stops)

        def take(images: tf.Tensor, count: int, stop_requested: Callable[[], bool]) -> tuple[Losses, bool]:
            with self._workers_may_be_lost():
                losses, stops = compiled(images, tf.constant(count), tf.constant(float(stop_requested())))
                return {name: float(loss) for name, loss in losses.items()}, bool(stops)

        return take

    def any_process(self, value: bool) -> bool:
        """Say whether ``value`` is true in any process."""
        if self.worker is None:
            return value
        with self._workers_may_be_lost():
            return bool(self._sum(tf.constant([float(value)]))[0])

    def from_chief(self, content: bytes) -> bytes:
        """Give what the chief calls it with; what the others call it with is not looked at."""
        if self.worker is None:
            return content
        content = content if self.is_chief else b""
        with self._workers_may_be_lost():
            # each number is small enough to be exact
            rest, pages = self._sum(tf.constant([len(content) % _PAGE, len(content) // _PAGE], tf.float32)).numpy()
            length = int(pages) * _PAGE + int(rest)
            numbers = np.zeros(length, np.uint8)
            numbers[: len(content)] = np.frombuffer(content, np.uint8)
            blocks = [numbers[first : first + _PAGE] for first in range(0, length, _PAGE)]
            return b"".join(self._sum(tf.constant(block, tf.float32)).numpy().astype(np.uint8) for block in blocks)

    def check(self, variant: VariantConfig) -> None:
        """Make sure that a variant can be trained here.

        Raises:
            SettingError: it can't.
        """
        if variant.model == "vae" and variant.kl_term == "add_loss":
            raise SettingError(
                f"variants.{variant.name}: kl_term: add_loss works on one device only. Set kl_term: gradient_tape,"
                " which gives the same (parameters_training.yml), or strategy: one (hardware.yml)."
            )

    def check_same(self, identity: Mapping[str, Any]) -> None:
        """Make sure that all processes train the same with the same.

        Raises:
            SettingError: they don't; the message names what differs.
        """
        identity = json.loads(json.dumps(identity))
        found = differences(json.loads(self.from_chief(json.dumps(identity).encode())), identity)
        if found:
            raise SettingError(
                f"This is {self.worker}, which trains something else than the chief (chief's -> own):\n  "
                + "\n  ".join(found)
                + "\nStart the same command on every machine, with the same settings and the same data."
            )

    def _begin(self, replica: Any, count: Any) -> Any:
        return replica * count // self.count

    def _images_of(self, replica: int, count: Any) -> tuple[Any, Any]:
        """Give first and end of the images that a replica computes with: its own, or one if it has none."""
        first, end = self._begin(replica, count), self._begin(replica + 1, count)
        return first, (tf.maximum if tf.is_tensor(count) else max)(end, first + 1)

    def _of_first_replica(self, value: Any) -> Any:
        return self.strategy.experimental_local_results(value)[0]

    def _sum_over_processes(self, values: tf.Tensor) -> tf.Tensor:
        def on_replica() -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            # of each process, one replica speaks
            own = tf.where(context.replica_id_in_sync_group % self._local == 0, values, 0.0)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, own)

        return self._of_first_replica(self.strategy.run(on_replica))

    @contextmanager
    def _workers_may_be_lost(self) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            if self.worker is None or not isinstance(error, _LOST):
                raise
            raise CelebaVaeError(
                f"This is {self.worker}, and another one is lost: it was ended or can't be reached any more, or failed"
                " and says itself why. Start the same command on every machine again: the training goes on from its"
                f" last checkpoint. What TensorFlow noticed: {_reason(error)}"
            ) from error


_LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
)


def training_devices(config: HardwareConfig) -> OneDevice | Replicas:
    """Give what ``strategy`` in hardware.yml trains on; with several machines, wait for them.

    The first call of a process that trains with others must come before TensorFlow's first operation.

    Raises:
        HardwareError: the devices are not there, TF_CONFIG can't be understood, or other workers don't come.
    """
    worker = this_worker(config)
    devices = training_device_names(config)
    if worker is None and len(devices) == 1:
        return OneDevice()
    return Replicas(_strategy(worker, tuple(devices)), worker)


@cache
def _strategy(worker: Worker | None, devices: tuple[str, ...]) -> tf.distribute.Strategy:
    # a second strategy of a process would number what it exchanges as the first one does, and be mistaken for it
    if worker is None:
        return tf.distribute.MirroredStrategy(devices)
    meet(worker)
    return tf.distribute.MultiWorkerMirroredStrategy()


@contextmanager
def _taking(part: Part) -> Iterator[None]:
    _current.part = part
    try:
        yield
    finally:
        _current.part = None


def _reason(error: tf.errors.OpError) -> str:
    lines = [line.strip() for line in error.message.splitlines()]
    return next((line for line in lines if line.startswith("Collective ops is aborted")), lines[0] if lines else "")

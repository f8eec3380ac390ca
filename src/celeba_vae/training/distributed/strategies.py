"""Makes the devices that a model is trained on, those of one machine or of several, whose processes exchange bytes."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, BinaryIO

import numpy as np
import tensorflow as tf

from celeba_vae.config import HardwareConfig
from celeba_vae.errors import CelebaVaeError, SettingError
from celeba_vae.storage.stages import differences
from celeba_vae.training.distributed.device_choice import training_device_names, use_xla
from celeba_vae.training.distributed.devices import Devices, Replicas, Step
from celeba_vae.training.distributed.peers import Peer, meet, this_peer

# bytes that processes exchange at once, each as a float32, which every device can sum; those of the largest state are
# fewer than this many times as many
_PAGE = 2**22
_LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
)


def training_devices(config: HardwareConfig) -> Devices:
    """Give what ``strategy`` in hardware.yml trains on; with several machines, wait for them.

    The first call of a process that trains with others must come before TensorFlow's first operation.

    Raises:
        HardwareError: the devices are not there, TF_CONFIG can't be understood, other peers don't come, or XLA is
            asked for on several devices.
    """
    xla = use_xla(config)
    peer = this_peer(config)
    names = tuple(training_device_names(config))
    if peer:
        return PeerReplicas(_together(peer), peer)
    return Replicas(_mirrored(names)) if len(names) > 1 else Devices(xla)


class PeerReplicas(Replicas):
    """The replicas of several machines, a process on each, of which this is ``peer``.

    Each method that exchanges something raises a ``CelebaVaeError`` when another process is lost.
    """

    def __init__(self, strategy: tf.distribute.Strategy, peer: Peer) -> None:
        super().__init__(strategy, processes=len(peer.addresses), process=peer.index)
        self.peer = peer
        signature = [tf.TensorSpec((None,), tf.float32)]
        self._sum = tf.function(self._sum_over_processes, input_signature=signature, autograph=False)

    def check_same(self, identity: Callable[[], Mapping[str, Any]]) -> None:
        """Make sure that this process trains the same with the same as the chief."""
        own = json.dumps(identity())
        chiefs = self.from_chief(lambda file: file.write(own.encode())).read()
        found = differences(json.loads(chiefs), json.loads(own))
        if found:
            raise SettingError(
                f"This is {self.peer}, which trains something else than the chief (chief's -> own):\n  "
                + "\n  ".join(found)
                + "\nStart the same command on every machine, with the same settings and the same data."
            )

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Give the context that a model is built in; its weights are those that the chief draws."""
        with self._peers_may_be_lost(), super().scope():
            yield

    def from_chief(self, write: Callable[[BinaryIO], object]) -> BinaryIO:
        """Give all processes what the chief writes."""
        file = io.BytesIO()
        if self.peer.is_chief:
            write(file)
        own = file.getvalue()
        with self._peers_may_be_lost():
            # each number is small enough to be exact
            rest, pages = self._sum(tf.constant([len(own) % _PAGE, len(own) // _PAGE], tf.float32)).numpy()
            numbers = np.zeros(int(pages) * _PAGE + int(rest), np.uint8)
            numbers[: len(own)] = np.frombuffer(own, np.uint8)
            blocks = [numbers[first : first + _PAGE] for first in range(0, len(numbers), _PAGE)]
            sums = (self._sum(tf.constant(block, tf.float32)).numpy() for block in blocks)
            return io.BytesIO(b"".join(each.astype(np.uint8) for each in sums))

    def compile(self, step: Callable[[tf.Tensor], Mapping[str, tf.Tensor]], image_shape: tuple[int, ...]) -> Step:
        """Make a model's step callable, as ``Devices.compile`` says."""
        return self._peers_may_be_lost()(super().compile(step, image_shape))

    def any_process(self, value: bool) -> bool:
        """Say whether ``value`` is true in any process."""
        with self._peers_may_be_lost():
            return bool(self._sum(tf.constant([float(value)]))[0])

    def _sum_over_processes(self, values: tf.Tensor) -> tf.Tensor:
        def on_replica() -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            # of each process, one replica speaks
            own = tf.where(context.replica_id_in_sync_group % self.local_count == 0, values, 0.0)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, own)

        return self.of_first_replica(self.strategy.run(on_replica))

    @contextmanager
    def _peers_may_be_lost(self) -> Iterator[None]:
        try:
            yield
        except _LOST as error:
            raise CelebaVaeError(
                f"This is {self.peer}, and another one is lost: it was ended or can't be reached any more, or failed"
                " and says itself why. Start the same command on every machine again: the training goes on from its"
                f" last checkpoint. What TensorFlow noticed: {_reason(error)}"
            ) from error


# a second strategy of a process would number what it exchanges as the first one does, and be mistaken for it
@cache
def _mirrored(names: tuple[str, ...]) -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(names)


@cache
def _together(peer: Peer) -> tf.distribute.Strategy:
    meet(peer)
    return tf.distribute.MultiWorkerMirroredStrategy()


def _reason(error: tf.errors.OpError) -> str:
    lines = [line.strip() for line in error.message.splitlines()]
    return next((line for line in lines if line.startswith("Collective ops is aborted")), lines[0] if lines else "")

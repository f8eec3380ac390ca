"""Which devices a model is trained on, as ``strategy`` in hardware.yml and TF_CONFIG say."""

from functools import cache

import tensorflow as tf

from celeba_vae.config import HardwareConfig
from celeba_vae.training.distributed.devices import Devices
from celeba_vae.training.distributed.peer_replicas import PeerReplicas
from celeba_vae.training.distributed.peers import Peer, meet, this_peer
from celeba_vae.training.distributed.replicas import Replicas
from celeba_vae.training.machine import training_device_names, use_xla


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


# a second strategy of a process would number what it exchanges as the first one does, and be mistaken for it
@cache
def _mirrored(names: tuple[str, ...]) -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(names)


@cache
def _together(peer: Peer) -> tf.distribute.Strategy:
    meet(peer)
    return tf.distribute.MultiWorkerMirroredStrategy()

"""Which devices a model is trained on, as ``strategy`` in hardware.yml and TF_CONFIG say, and whether XLA can serve."""

from celeba_vae.config import HardwareConfig
from celeba_vae.errors import HardwareError
from celeba_vae.training.distributed.peers import this_peer
from celeba_vae.training.machine import gpus_in_use


def training_device_names(config: HardwareConfig) -> list[str]:
    """Name the devices of this machine that a model is trained on, as TensorFlow does: GPU:0 and so on.

    Raises:
        HardwareError: ``strategy`` is mirrored, and there is one device only.
    """
    names = [f"GPU:{i}" for i in range(len(gpus_in_use(config)))]
    names = names or [f"CPU:{i}" for i in range(config.virtual_devices or 1)]
    if config.strategy == "one":
        return names[:1]
    if config.strategy == "mirrored" and len(names) == 1:
        raise HardwareError(
            f"hardware.yml says strategy: mirrored, but there is one device only: {names[0]}.\n"
            "Set strategy: auto; or virtual_devices: 2, to try it without GPUs."
        )
    return names


def use_xla(config: HardwareConfig) -> bool:
    """Say whether to compile with XLA; ``auto`` means with one GPU, since on a CPU it halves this model's speed.

    Raises:
        HardwareError: ``xla`` is true, and a model is trained on several devices.
    """
    several = this_peer(config) is not None or len(training_device_names(config)) > 1
    if several and config.xla is True:
        raise HardwareError(
            "hardware.yml says xla: true, but XLA can't compile what several devices compute together.\n"
            "Set xla: auto or false, or strategy: one."
        )
    return bool(gpus_in_use(config)) and not several if config.xla == "auto" else config.xla


def strategy_text(config: HardwareConfig) -> str:
    """Say how a model is trained on several devices, with a semicolon behind; nothing where there is one."""
    peer = this_peer(config)
    devices = len(training_device_names(config))
    if peer:
        return f"multi_worker, {peer}, {devices * len(peer.addresses)} replicas; "
    return f"mirrored, {devices} replicas; " if devices > 1 else ""

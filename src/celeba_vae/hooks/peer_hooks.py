"""Runs that several machines share: they train together, and one alone, the chief, writes."""

import logging
from collections.abc import Mapping
from typing import Any

from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from pydantic import ValidationError

from celeba_vae.config import HardwareConfig
from celeba_vae.datasets import FolderDataset
from celeba_vae.errors import SettingError
from celeba_vae.training.distributed.peers import Peer, this_peer


def is_helper(parameters: Mapping[str, Any]) -> bool:
    """Say whether this process takes part in trainings that another one, the chief, keeps.

    Raises:
        HardwareError: TF_CONFIG can't be understood, or names no other worker where ``strategy`` is multi_worker.
    """
    try:
        peer = this_peer(HardwareConfig.model_validate(parameters["hardware"]))
    except (ValidationError, KeyError):
        # said with all else that is wrong with the parameters
        return False
    return peer is not None and not peer.is_chief


def check_shared(peer: Peer, trains: bool, run_params: dict[str, Any], pipeline: Pipeline) -> None:
    """Raise SettingError for a run that machines can't share, or that only one of them may do."""
    if trains and "train_images" in pipeline.all_outputs():
        raise SettingError(
            "TF_CONFIG names several machines, which train together once their data is prepared. Prepare it first,"
            " on each machine or once where they share the data folder, by kedro run --pipelines data_engineering"
            " --params hardware.strategy=one; then start kedro run --pipelines training on each."
        )
    if trains and SequentialRunner.__name__ not in run_params.get("runner", SequentialRunner.__name__):
        raise SettingError(
            "Machines that train together run their nodes one after the other: leave --runner out, or set"
            " hardware.strategy=one."
        )
    if not (trains or peer.is_chief):
        raise SettingError(
            f"TF_CONFIG makes this process {peer}, which only takes part in trainings: kedro run --pipelines"
            " training. Run all else where the chief runs, or here alone with --params hardware.strategy=one."
        )


def keep_from_writing(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Put memory in place of what a helper's run would write, working folders too."""
    logger = logging.getLogger("kedro.io.data_catalog")
    level = logger.level
    # it warns of what is done here on purpose
    logger.setLevel(logging.ERROR)
    for name in pipeline.all_outputs():
        catalog[name] = MemoryDataset(copy_mode="assign")
    for name in pipeline.inputs():
        if isinstance(catalog.get(name), FolderDataset):
            catalog[name] = MemoryDataset(None, copy_mode="assign")
    logger.setLevel(level)

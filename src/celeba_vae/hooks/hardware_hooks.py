"""Sets TensorFlow up as ``hardware.yml`` says, before it starts; of machines that train together one alone writes."""

import logging
from collections.abc import Mapping
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from pydantic import ValidationError

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.datasets import FolderDataset
from celeba_vae.errors import SettingError
from celeba_vae.training.distributed.peers import TRAINS, Peer, this_peer
from celeba_vae.training.hardware import configure_hardware, drop_onednn_line


class HardwareHooks:
    """Fires once a run; the data check has passed by then."""

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Keep the run in line with other machines; configure the hardware where a node is tagged ``tensorflow``.

        Raises:
            HardwareError: the machine does not have it.
            SettingError: a variant can't be trained on these devices, or the run is one that machines can't share.
        """
        hardware = HardwareConfig.model_validate(catalog["params:hardware"].load())
        trainings = pipeline.only_nodes_with_tags(TRAINS).nodes
        if peer := this_peer(hardware):
            _check_shared(peer, bool(trainings), run_params, pipeline)
            if not peer.is_chief:
                _keep_from_writing(pipeline, catalog)
        if not pipeline.only_nodes_with_tags("tensorflow").nodes:
            return
        configure_hardware(hardware)
        if trainings:
            from celeba_vae.training.distributed.strategies import training_devices

            # machines that train together must meet before TensorFlow's first operation
            devices = training_devices(hardware)
            for training in trainings:
                block = catalog[f"params:variants.{training.namespace}"].load()
                devices.check(VariantConfig.model_validate(block))
        drop_onednn_line()


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


def _check_shared(peer: Peer, trains: bool, run_params: dict[str, Any], pipeline: Pipeline) -> None:
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


def _keep_from_writing(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
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

"""Sets TensorFlow up as ``hardware.yml`` says, before it starts; of machines that train together one alone writes."""

import logging
from collections.abc import Mapping
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import AbstractDataset, CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from pydantic import ValidationError

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.datasets import FolderDataset
from celeba_vae.errors import SettingError
from celeba_vae.training.distributed.peers import TRAINS, this_peer
from celeba_vae.training.hardware import configure_hardware, drop_onednn_line


class HardwareHooks:
    """Fires once a run, and only when a node tagged ``tensorflow`` is to run."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Configure the hardware; the data check has passed by then.

        Raises:
            HardwareError: the machine does not have it.
            SettingError: a variant that is to be trained can't be on these devices.
        """
        if pipeline.only_nodes_with_tags("tensorflow").nodes:
            config = HardwareConfig.model_validate(catalog["params:hardware"].load())
            configure_hardware(config)
            if trainings := pipeline.only_nodes_with_tags(TRAINS).nodes:
                from celeba_vae.training.distributed.strategies import training_devices

                # machines that train together must meet before TensorFlow's first operation
                devices = training_devices(config)
                for training in trainings:
                    block = catalog[f"params:variants.{training.namespace}"].load()
                    devices.check(VariantConfig.model_validate(block))
            drop_onednn_line()


class PeerHooks:
    """Keeps a run in line with the other machines', and one that is not the chief's from writing anything."""

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Put memory in place of what a helper's run would write, working folders too; the data check has seen them.

        Raises:
            SettingError: the run is one that machines can't share.
        """
        peer = this_peer(HardwareConfig.model_validate(catalog["params:hardware"].load()))
        if peer is None:
            return
        trains = bool(pipeline.only_nodes_with_tags(TRAINS).nodes)
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
        if peer.is_chief:
            return
        if not trains:
            raise SettingError(
                f"TF_CONFIG makes this process {peer}, which only takes part in trainings: kedro run --pipelines"
                " training. Run all else where the chief runs, or here alone with --params hardware.strategy=one."
            )
        for name in pipeline.all_outputs():
            _replace(catalog, name, MemoryDataset(copy_mode="assign"))
        for name in pipeline.inputs():
            if isinstance(catalog.get(name), FolderDataset):
                _replace(catalog, name, MemoryDataset(None, copy_mode="assign"))


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


def _replace(catalog: CatalogProtocol, name: str, dataset: AbstractDataset) -> None:
    logger = logging.getLogger("kedro.io.data_catalog")
    level = logger.level
    # it warns of what is done here on purpose
    logger.setLevel(logging.ERROR)
    catalog[name] = dataset
    logger.setLevel(level)

"""Sets TensorFlow up as ``hardware.yml`` says, before it starts, and keeps machines that train together in line."""

from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.hooks.peer_hooks import check_shared, keep_from_writing
from celeba_vae.training.distributed.peers import TRAINS, this_peer
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
            check_shared(peer, bool(trainings), run_params, pipeline)
            if not peer.is_chief:
                keep_from_writing(pipeline, catalog)
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

"""Sets TensorFlow up as ``hardware.yml`` says, before it starts."""

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from celeba_vae.config import HardwareConfig
from celeba_vae.training.devices import configure_hardware, drop_onednn_line
from celeba_vae.training.distributed.peers import TRAINS


class HardwareHooks:
    """Fires once a run, and only when a node tagged ``tensorflow`` is to run."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Configure the hardware; the data check has passed by then."""
        if pipeline.only_nodes_with_tags("tensorflow").nodes:
            config = HardwareConfig.model_validate(catalog["params:hardware"].load())
            configure_hardware(config)
            if pipeline.only_nodes_with_tags(TRAINS).nodes:
                # machines that train together must meet before TensorFlow's first operation
                from celeba_vae.training.distributed.strategies import training_devices

                training_devices(config)
            drop_onednn_line()

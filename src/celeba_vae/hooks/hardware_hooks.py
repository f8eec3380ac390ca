"""Sets TensorFlow up as ``hardware.yml`` says, before it starts."""

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.training.distributed.peers import TRAINS
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

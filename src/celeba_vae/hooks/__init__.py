"""What happens around the nodes: parameters and data are checked, hardware is set up, results are put in place."""

from celeba_vae.hooks.hardware_hooks import HardwareHooks
from celeba_vae.hooks.input_hooks import DataCheckHooks
from celeba_vae.hooks.publication_hooks import PublicationHooks
from celeba_vae.hooks.record_hooks import RunRecordHooks
from celeba_vae.hooks.summary_hooks import RunSummaryHooks
from celeba_vae.hooks.tracking_hooks import tracking_hooks

HOOKS = (
    DataCheckHooks(),
    HardwareHooks(),
    PublicationHooks(),
    RunRecordHooks(),
    RunSummaryHooks(),
    # called first, right after the hooks of plugins: it takes up the run that kedro-mlflow begins
    *tracking_hooks(),
)

"""What happens around the nodes: parameters and data are checked, hardware is set up, results are put in place."""

from celeba_vae.hooks.data_check import DataCheckHooks
from celeba_vae.hooks.fresh_runs import FreshRunHooks
from celeba_vae.hooks.hardware import HardwareHooks
from celeba_vae.hooks.publication import PublicationHooks
from celeba_vae.hooks.run_record import RunRecordHooks
from celeba_vae.hooks.run_summary import RunSummaryHooks
from celeba_vae.hooks.tracking import tracking_hooks
from celeba_vae.hooks.variants import VariantHooks
from celeba_vae.hooks.workers import WorkerHooks

HOOKS = (
    VariantHooks(),
    DataCheckHooks(),
    HardwareHooks(),
    # called before the hardware, whose hook waits for the other machines
    WorkerHooks(),
    PublicationHooks(),
    FreshRunHooks(),
    RunRecordHooks(),
    RunSummaryHooks(),
    # called first, right after the hooks of plugins: it takes up the run that kedro-mlflow begins
    *tracking_hooks(),
)

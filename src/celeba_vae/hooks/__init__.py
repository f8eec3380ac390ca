"""What happens around the nodes: variants are read, data is checked, hardware is set up, results are reported."""

from celeba_vae.hooks.data_check import DataCheckHooks
from celeba_vae.hooks.hardware import HardwareHooks
from celeba_vae.hooks.run_summary import RunSummaryHooks
from celeba_vae.hooks.variants import VariantHooks

HOOKS = (VariantHooks(), DataCheckHooks(), HardwareHooks(), RunSummaryHooks())

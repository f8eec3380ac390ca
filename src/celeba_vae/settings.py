"""Kedro's project settings."""

from celeba_vae.hooks import HOOKS
from celeba_vae.hooks.config_loader import ConfigLoader
from celeba_vae.storage.places import working_folder

__all__ = ["CONFIG_LOADER_ARGS", "CONFIG_LOADER_CLASS", "HOOKS"]

CONFIG_LOADER_CLASS = ConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # hardware.yml is a parameter block like any other: overridden by --env and --params, validated, shown in kedro viz
    "config_patterns": {
        "parameters": ["parameters*", "parameters*/**", "**/parameters*", "hardware*"],
        # read where the extra `track` is installed
        "mlflow": ["mlflow*"],
    },
    "custom_resolvers": {"working_folder": working_folder},
    # another environment holds only what differs from base
    "merge_strategy": {"parameters": "soft", "mlflow": "soft"},
}

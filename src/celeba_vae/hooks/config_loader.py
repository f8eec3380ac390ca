"""Kedro's configuration loader, which completes what the files say before anything is made of it."""

import copy
from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.framework.project import pipelines
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from celeba_vae.config.overrides import check_names, replace_components
from celeba_vae.config.validation import check_parameters
from celeba_vae.config.variants import expand_variants, graph_shape, use_graph
from celeba_vae.errors import SettingError
from celeba_vae.hooks.peer_hooks import is_helper
from celeba_vae.storage.places import protocol_of


class ConfigLoader(OmegaConfigLoader):
    """Completes parameters and catalog in every command that reads them; ``kedro viz`` calls no hooks.

    Each variant's block gets what all variants share, and all blocks are checked: Kedro checks only those of the
    pipelines to run. The registry is told which variants to build the pipelines for. Catalog entries at addresses get
    their credentials.

    Raises:
        SettingError: there is no such environment, a file can't be read, two have the same key, a parameter is wrong.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._check_environment()
        parameters = expand_variants(self._parameters())
        check_parameters(parameters)
        self["parameters"] = parameters
        use_graph(graph_shape(parameters, trains_only=is_helper(parameters)))
        # those of an earlier session in this process may have been built for other variants
        pipelines.configure("celeba_vae.pipeline_registry")

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Give the configuration of a kind."""
        try:
            configuration = super().__getitem__(key)
        except (YAMLError, OmegaConfBaseException, ValueError) as error:
            # the last is Kedro's, of a key in two files
            raise SettingError(str(error).strip()) from error
        return self._with_credentials(configuration) if key == "catalog" else configuration

    def _check_environment(self) -> None:
        source = Path(self.conf_source)
        name = self.env or self.default_run_env
        # else an archive or an address
        if not source.is_dir() or (source / name).is_dir():
            return
        environments = sorted(path.name for path in source.iterdir() if path.is_dir())
        hint = f"It may be empty: mkdir {source / name}" if name == "local" else f"Known: {', '.join(environments)}."
        raise SettingError(f"There is no environment '{name}', no folder {source / name}.\n{hint}")

    def _parameters(self) -> dict[str, Any]:
        """Give the files' parameters with what ``--params`` says over them."""
        parameters = copy.deepcopy(self["parameters"])
        if self.runtime_params:
            files = copy.copy(self)
            files.runtime_params = {}
            known = files["parameters"]
            check_names(self.runtime_params, known)
            replace_components(parameters, known, self.runtime_params)
        return parameters

    def _with_credentials(self, catalog: dict[str, Any]) -> dict[str, Any]:
        """Give entries at ``s3://…`` the block ``s3`` of ``credentials.yml``, where it has one; ``gs`` likewise.

        An entry that names credentials itself keeps them. Without such a block the environment's count.
        """
        try:
            known = self["credentials"]
        except MissingConfigException:
            return catalog
        if wrong := [name for name, value in known.items() if not isinstance(value, dict)]:
            raise SettingError(
                f"credentials.yml: {', '.join(wrong)} must hold settings by their names, such as key: and secret:."
            )
        for entry in catalog.values():
            if isinstance(entry, dict) and "credentials" not in entry:
                protocol = protocol_of(entry.get("filepath") or entry.get("path") or "")
                if protocol in known:
                    entry["credentials"] = protocol
        return catalog

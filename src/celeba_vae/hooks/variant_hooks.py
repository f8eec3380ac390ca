"""Hands the variants' names to the pipeline registry, completes their parameter blocks and validates all blocks."""

import copy
from collections.abc import Mapping
from typing import Any

from kedro.config import AbstractConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines

from celeba_vae.config.validation import check_parameters
from celeba_vae.config.variants import expand_variants, graph_shape, use_graph
from celeba_vae.config.wording import nearest_of
from celeba_vae.errors import SettingError
from celeba_vae.hooks.peer_hooks import is_helper


class VariantHooks:
    """Fires before Kedro builds the pipelines, in ``kedro run``, ``kedro viz`` and notebooks alike."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Complete the variants' blocks and let the registry build the pipelines for them.

        Raises:
            SettingError: a parameter is wrong or unknown. Kedro checks only the parameters of the pipelines to run,
                and only those in its parameter files.
        """
        parameters = parameters_of(context.config_loader)
        parameters = expand_variants(parameters)
        check_parameters(parameters)
        shape = graph_shape(parameters)
        context.config_loader["parameters"] = parameters
        use_graph(shape, trains_only=is_helper(parameters))
        # pipelines of an earlier session in this process may have been built for other variants
        pipelines.configure("celeba_vae.pipeline_registry")


def parameters_of(config_loader: AbstractConfigLoader) -> dict[str, Any]:
    """Read the parameter files and put what ``--params`` says over them.

    A component that ``--params`` gives another name has none of the options that the files give the one it replaces;
    Kedro alone would mix them.

    Raises:
        SettingError: ``--params`` names a block or variant that is not in the files, where Kedro would add it silently.
    """
    parameters = copy.deepcopy(config_loader["parameters"])
    given = config_loader.runtime_params
    if given:
        files = copy.copy(config_loader)
        files.runtime_params = {}
        known = files["parameters"]
        _check_known(given, known, "")
        _check_known(given.get("variants"), known.get("variants"), "variants.")
        _replace_components(parameters, known, given)
    return parameters


def _replace_components(parameters: dict[str, Any], known: Any, given: Mapping[str, Any]) -> None:
    for key, value in given.items():
        before = known.get(key) if isinstance(known, Mapping) else None
        if not isinstance(value, Mapping) or not isinstance(before, Mapping):
            continue
        if "name" in value and value["name"] != before.get("name"):
            parameters[key] = dict(value)
        else:
            _replace_components(parameters[key], before, value)


def _check_known(given: Any, known: Any, prefix: str) -> None:
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for name in given:
            if name not in known:
                raise SettingError(f"--params {prefix}{name}: unknown name; {nearest_of(name, known)}")

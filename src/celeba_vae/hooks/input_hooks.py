"""Stops a run that can't succeed before TensorFlow is loaded and before any node runs."""

import logging
from collections import defaultdict
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import AbstractVersionedDataset, CatalogProtocol, MemoryDataset, SharedMemoryDataCatalog
from kedro.pipeline import Pipeline

from celeba_vae.datasets import FolderDataset, OptionalDataset, place_of
from celeba_vae.errors import DataError, SettingError
from celeba_vae.pipelines.data_engineering import checks as data_engineering
from celeba_vae.pipelines.evaluation import checks as evaluation
from celeba_vae.pipelines.generation import checks as generation
from celeba_vae.pipelines.run_inputs import RunInputs
from celeba_vae.pipelines.training import checks as training
from celeba_vae.storage import RemotePath

logger = logging.getLogger(__name__)

NEEDED = (training.needed, generation.needed, evaluation.needed)
CHECKS = (*data_engineering.CHECKS, *training.CHECKS, *generation.CHECKS, *evaluation.CHECKS)


class DataCheckHooks:
    """Checks what a run starts from, then what each pipeline looks at: the originals, components that it names."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Check the cheapest first; raises the ``CelebaVaeError`` that says what to do."""
        check_runner(pipeline, catalog)
        run = RunInputs(pipeline, catalog, run_params.get("runtime_params") or {})
        check_storage(run)
        check_load_versions(run_params.get("load_versions") or {}, catalog)
        check_inputs(run, run_params.get("env"))
        for check in CHECKS:
            check(run)


def check_runner(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Raise SettingError where Kedro's ParallelRunner is to run what processes can't share.

    TensorFlow is set up in this process and does not survive being forked; what nodes hand on in memory, such as the
    originals' index, would be copied to each process.
    """
    # the catalog that Kedro makes for that runner, and for classes derived from it
    if not isinstance(catalog, SharedMemoryDataCatalog):
        return
    in_memory = [name for name in pipeline.all_outputs() if isinstance(catalog.get(name), MemoryDataset)]
    if in_memory or pipeline.only_nodes_with_tags("tensorflow").nodes:
        raise SettingError(
            "--runner ParallelRunner can't run these nodes: they share TensorFlow or data in memory, which processes"
            " can't. Leave --runner out (each step uses all processors by itself), or take --runner ThreadRunner."
        )


def check_storage(run: RunInputs) -> None:
    """Raise SettingError for a working folder that is not local, DataError for a store or bucket out of reach."""
    places: dict[tuple[Any, str], RemotePath] = {}
    for name in sorted(run.pipeline.datasets()):
        dataset: Any = run.catalog.get(name)
        if isinstance(dataset, FolderDataset):
            dataset.check(name)
            place = dataset.load()
        elif hasattr(dataset, "_filepath"):
            place = place_of(dataset, dataset._filepath)
        else:
            continue
        if isinstance(place, RemotePath):
            places.setdefault((place.fs, place.parts[0]), place.parent)
    for place in places.values():
        place.check()


def check_load_versions(load_versions: dict[str, str], catalog: CatalogProtocol) -> None:
    """Raise DataError where ``--load-versions`` names a version that is not there."""
    for name, version in load_versions.items():
        dataset = catalog.get(name)
        if not isinstance(dataset, AbstractVersionedDataset) or dataset._version is None:
            raise DataError(f"--load-versions names {name}, which keeps no versions.")
        if not dataset.exists():
            existing = dataset.list_versions(full_path=False)
            raise DataError(f"{name} has no version {version}. Existing versions: {', '.join(existing) or 'none'}.")


def check_inputs(run: RunInputs, env: str | None = None) -> None:
    """Look for every dataset that the run reads and does not make itself.

    Raises:
        DataError: one is missing that is not optional, or that a pipeline needs though it is, or that other nodes keep
            in memory; the message names all that are missing with the command that makes them.
    """
    kept_in_memory = [name for name in sorted(run.read) if _is_only_in_memory(name, run.catalog)]
    if kept_in_memory:
        raise DataError(
            f"This part of the pipeline needs {', '.join(kept_in_memory)}, which other nodes of it make and keep in"
            " memory only. Run the whole pipeline: without --namespaces, --nodes, --from-nodes or --tags."
        )
    if not run.missing:
        return
    made_by = defaultdict(list)
    for name in run.missing:
        made_by[_command_that_makes(name, env)].append(name)
    lines = [f"  {', '.join(names)}: {command}" for command, names in made_by.items()]
    needed = {name: advice for of_pipeline in NEEDED for name, advice in of_pipeline(run).items()}
    stops = [name for name in run.missing if name in needed or not isinstance(run.catalog[name], OptionalDataset)]
    if stops:
        lines += dict.fromkeys(filter(None, map(needed.get, stops)))
        raise DataError("\n".join(["This run starts from data that is not there. Make it by", *lines]))
    logger.info("\n".join(["This run goes on without data that is not there, which is made by", *lines]))


def _is_only_in_memory(name: str, catalog: CatalogProtocol) -> bool:
    dataset = catalog.get(name)
    return dataset is None or (isinstance(dataset, MemoryDataset) and not dataset.exists())


def _command_that_makes(name: str, env: str | None) -> str:
    for pipeline_name, pipeline in pipelines.items():
        for node in pipeline.nodes:
            if name in node.outputs and pipeline_name != "__default__":
                environment = f" --env {env}" if env else ""
                namespace = f" --namespaces {node.namespace}" if node.namespace else ""
                return f"kedro run{environment} --pipelines {pipeline_name}{namespace}"
    return "no pipeline makes it: put it where the catalog says"

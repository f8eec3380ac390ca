"""The pipelines, built for the variants that the parameters name."""

import warnings
from pathlib import Path

from kedro.config import OmegaConfigLoader
from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project

from celeba_vae.variants import GraphShape, expand_variants, graph_shape
from celeba_vae.workers import TRAINS

_shape: GraphShape | None = None
_trains_only = False


def use_graph_shape(shape: GraphShape, trains_only: bool = False) -> None:
    """Build the pipelines for this shape from now on.

    Args:
        shape: The variants' names.
        trains_only: Leave nothing but the training in the pipelines that train: this process helps another one.
    """
    global _shape, _trains_only
    _shape, _trains_only = shape, trains_only


def register_pipelines() -> dict[str, Pipeline]:
    """Build all pipelines; ``__default__`` is data_engineering, training, generation and evaluation in a row."""
    pipelines = _all_pipelines()
    if not _trains_only:
        return pipelines
    trainings = {name: pipeline.only_nodes_with_tags(TRAINS) for name, pipeline in pipelines.items()}
    return {name: trainings[name] if trainings[name].nodes else pipeline for name, pipeline in pipelines.items()}


def _all_pipelines() -> dict[str, Pipeline]:
    from celeba_vae.pipelines import data_engineering, evaluation, generation, training, versions

    shape = _shape or _graph_shape_of_base()
    with warnings.catch_warnings():
        # nodes outside a variant's namespace read its models on purpose
        warnings.filterwarnings("ignore", message="One or more dataset names contain '.'")
        pipelines = {
            "data_engineering": data_engineering.create_pipeline(),
            "training": training.create_pipeline(shape.trained),
            "generation": generation.create_pipeline(shape.generated, shape.sampled),
            "evaluation": evaluation.create_pipeline(shape.compared, shape.swept),
        }
    pipelines["__default__"] = sum(pipelines.values(), Pipeline([]))
    pipelines["versions"] = versions.create_pipeline()
    pipelines["variants"] = training.create_pipeline([name for name in shape.every if name not in shape.tried])
    if shape.tried:
        with_results = evaluation.create_pipeline(shape.tried, shape.tried[0], prefix="experiments_")
        pipelines["experiments"] = training.create_pipeline(shape.tried) + with_results
    return pipelines


def _graph_shape_of_base() -> GraphShape:
    """Where there is no context (``kedro registry list``), take the variants from conf/base."""
    from celeba_vae.settings import CONFIG_LOADER_ARGS

    project = find_kedro_project(Path.cwd()) or Path.cwd()
    loader = OmegaConfigLoader(str(project / "conf"), **{**CONFIG_LOADER_ARGS, "default_run_env": "base"})
    return graph_shape(expand_variants(loader["parameters"]))

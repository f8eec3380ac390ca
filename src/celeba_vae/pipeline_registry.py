"""The pipelines, built for the variants that the parameters name."""

import warnings
from pathlib import Path

from kedro.framework.project import settings
from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project

from celeba_vae.config.variants import GraphShape, current_graph, expand_variants, graph_shape
from celeba_vae.training.distributed.peers import TRAINS


def register_pipelines() -> dict[str, Pipeline]:
    """Build all pipelines; ``__default__`` is data_engineering, training, generation and evaluation in a row."""
    shape = current_graph() or _graph_shape_of_base()
    pipelines = _all_pipelines(shape)
    if not shape.trains_only:
        return pipelines
    trainings = {name: pipeline.only_nodes_with_tags(TRAINS) for name, pipeline in pipelines.items()}
    return {name: trainings[name] if trainings[name].nodes else pipeline for name, pipeline in pipelines.items()}


def _all_pipelines(shape: GraphShape) -> dict[str, Pipeline]:
    from celeba_vae.pipelines import data_engineering, evaluation, experiments, generation, training, versions

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
        pipelines["experiments"] = experiments.create_pipeline(shape.tried)
    return pipelines


def _graph_shape_of_base() -> GraphShape:
    """Where there is no context (``kedro registry list``), take the variants from conf/base."""
    project = find_kedro_project(Path.cwd()) or Path.cwd()
    loader = settings.CONFIG_LOADER_CLASS(str(project / "conf"), env="base", **settings.CONFIG_LOADER_ARGS)
    return graph_shape(expand_variants(loader["parameters"]))

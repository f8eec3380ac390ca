"""The trial variants trained, and evaluated under a namespace of their own."""

from collections.abc import Sequence

from kedro.pipeline import Pipeline

from celeba_vae.pipelines import training
from celeba_vae.pipelines.evaluation import pipeline as evaluation

NAMESPACE = "experiments"


def create_pipeline(trials: Sequence[str]) -> Pipeline:
    """Build the training of the trial variants, and their evaluation, ``experiments_metrics`` and so on.

    ``--namespaces trial_vae`` trains a single one: all that is evaluated is in the namespace ``experiments``.
    """
    comparison = evaluation.compare_variants(trials, swept=trials[0])
    parameters = {name for name in comparison.inputs() if name.startswith("params:")}
    return (
        training.create_pipeline(trials)
        + evaluation.prepare_images()
        + Pipeline(evaluation.evaluate_variants(trials), namespace=NAMESPACE, prefix_datasets_with_namespace=False)
        + Pipeline(
            comparison,
            namespace=NAMESPACE,
            inputs=comparison.inputs() - parameters,
            parameters=parameters,
            outputs={name: f"{NAMESPACE}_{name}" for name in comparison.all_outputs()},
        )
    )

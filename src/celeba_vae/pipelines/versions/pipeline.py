"""The newest evaluation beside the one before it, or any two."""

from kedro.pipeline import Node, Pipeline

from celeba_vae.pipelines.versions.nodes import compare_versions


def create_pipeline() -> Pipeline:
    """Build the pipeline."""
    return Pipeline(
        [
            Node(
                compare_versions,
                inputs=["metrics_versions", "settings_versions", "params:evaluation"],
                outputs=["version_differences", "version_differences_page"],
                name="compare_versions",
            ),
        ]
    )

"""Says when a run with ``fresh`` has come to its end, so that the next one starts anew again."""

from pathlib import Path

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from celeba_vae.datasets import FolderDataset
from celeba_vae.storage.stages import end_fresh_run


class FreshRunHooks:
    """Fires after a run that succeeded: one that was interrupted goes on when it is started again, with fresh too."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Tell the stages in the working folders that the run has used."""
        for name in pipeline.inputs():
            dataset = catalog.get(name)
            folder = dataset.load() if isinstance(dataset, FolderDataset) else None
            if isinstance(folder, Path):
                end_fresh_run(folder)

"""What is finished counts: files that belong together come into place as one set, and a run with ``fresh`` ends."""

from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from celeba_vae.datasets import FolderDataset, NumpyDataset, place_of
from celeba_vae.storage import RemotePath
from celeba_vae.storage.cache import remove_with_checksum
from celeba_vae.storage.stages import end_fresh_run


class PublicationHooks:
    """Arrays and tables that one node hands over as finished files are put in place one after the other.

    A run that is killed in between must leave some of them missing, which every reader notices, not some of them old.
    After a run that succeeded, what ``fresh`` has begun anew counts as finished.
    """

    @hook_impl
    def after_node_run(self, catalog: CatalogProtocol, outputs: dict[str, Any]) -> None:
        """Take an older set away before the first file of the new one is put in place."""
        finished = {name: data for name, data in outputs.items() if isinstance(data, Path)}
        arrays = [name for name in finished if isinstance(catalog[name], NumpyDataset)]
        if all(catalog[name].holds(finished[name]) for name in arrays):
            return
        for name in finished:
            target = place_of(catalog[name], catalog[name]._filepath)
            if isinstance(target, RemotePath):
                remove_with_checksum(target)
                continue
            target.unlink(missing_ok=True)
            # what a killed run was putting in place; as a hard link it would keep its disk space
            for left_over in target.parent.glob(f".{target.stem}-????????{target.suffix}"):
                left_over.unlink(missing_ok=True)

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Let the next run with ``fresh`` start anew again; one that was interrupted goes on, with ``fresh`` too."""
        for name in pipeline.inputs():
            dataset = catalog.get(name)
            folder = dataset.load() if isinstance(dataset, FolderDataset) else None
            if isinstance(folder, Path):
                end_fresh_run(folder)

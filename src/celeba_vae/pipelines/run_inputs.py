"""A run before its first node, as the checks of the pipelines see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from kedro.framework.project import pipelines
from kedro.io import AbstractVersionedDataset, CatalogProtocol
from kedro.pipeline import Pipeline

from celeba_vae.config import Parameters, VariantConfig
from celeba_vae.datasets import FolderDataset, place_of
from celeba_vae.storage import Place

Block = TypeVar("Block", bound=Parameters)


@dataclass(frozen=True)
class RunInputs:
    """What a run is going to do, what the catalog has for it, and the parameters that ``--params`` gives it."""

    pipeline: Pipeline
    catalog: CatalogProtocol
    given: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def read(self) -> set[str]:
        """What the run reads and does not make, parameters too."""
        return self.pipeline.inputs()

    @cached_property
    def made(self) -> set[str]:
        """What the run makes."""
        return self.pipeline.all_outputs()

    @cached_property
    def missing(self) -> list[str]:
        """What the run reads and is not there; a working folder is made when it is needed."""
        found = {name: self.catalog.get(name) for name in sorted(self.read)}
        stored = {name: dataset for name, dataset in found.items() if not isinstance(dataset, FolderDataset)}
        return [name for name, dataset in stored.items() if dataset is not None and not dataset.exists()]

    def read_by(self, pipeline: str) -> set[str]:
        """Name what those nodes of the run read that are of one registered pipeline."""
        nodes = set(pipelines.get(pipeline, Pipeline([])).nodes).intersection(self.pipeline.nodes)
        return {name for node in nodes for name in node.inputs}

    def load(self, name: str) -> Any:
        """Load a dataset."""
        return self.catalog[name].load()

    def parameters(self, model: type[Block]) -> Block:
        """Give a block of parameters."""
        return model.model_validate(self.load(f"params:{model.block}"))

    def variant(self, name: str) -> VariantConfig:
        """Give a variant's block of parameters."""
        return VariantConfig.model_validate(self.load(f"params:variants.{name}"))

    def place(self, name: str) -> Place:
        """Give where a dataset lies, without its version."""
        dataset = self.catalog[name]
        return place_of(dataset, dataset._filepath)

    def versioned(self, name: str) -> AbstractVersionedDataset | None:
        """Give a dataset that keeps versions and has one to read; None for any other."""
        dataset = self.catalog.get(name)
        return dataset if isinstance(dataset, AbstractVersionedDataset) and dataset.exists() else None

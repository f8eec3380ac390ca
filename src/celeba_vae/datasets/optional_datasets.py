"""Datasets that a run may do without: where there is nothing, loading gives None.

A pipeline that needs one after all says so in its ``checks.py``.
"""

from typing import Any

from celeba_vae.datasets.keras_model_dataset import KerasModelDataset
from celeba_vae.datasets.picture_datasets import PictureDataset
from celeba_vae.datasets.text_datasets import ReportDataset, TableDataset


class OptionalDataset:
    """What these have in common; it stands before the class that loads what is there."""

    def load(self) -> Any:
        """Load what is there, else give None."""
        return super().load() if self.exists() else None  # type: ignore[misc, attr-defined]  # of the class after it


class OptionalKerasModelDataset(OptionalDataset, KerasModelDataset):
    """A Keras model, or None where it has not been trained."""


class OptionalPictureDataset(OptionalDataset, PictureDataset):
    """A picture, or None where it has not been drawn."""


class OptionalReportDataset(OptionalDataset, ReportDataset):
    """A report for machines, or None where it has not been written."""


class OptionalTableDataset(OptionalDataset, TableDataset):
    """A table, or None where it has not been written."""

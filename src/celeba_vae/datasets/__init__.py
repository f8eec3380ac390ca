"""What the catalog can hold and Kedro does not bring. Importing this loads no TensorFlow."""

from celeba_vae.datasets.array_datasets import ArraysDataset, NumpyDataset
from celeba_vae.datasets.folder_datasets import FolderDataset, ImageFolder, ImageFolderDataset, InputFolderDataset
from celeba_vae.datasets.keras_model_dataset import KerasModelDataset, OptionalKerasModelDataset
from celeba_vae.datasets.picture_datasets import AnimationDataset, OptionalPictureDataset, PictureDataset
from celeba_vae.datasets.stored_dataset import OptionalDataset, place_of
from celeba_vae.datasets.text_datasets import (
    OptionalReportDataset,
    OptionalTableDataset,
    PageDataset,
    ReportDataset,
    TableDataset,
)

__all__ = [
    "AnimationDataset",
    "ArraysDataset",
    "FolderDataset",
    "ImageFolder",
    "ImageFolderDataset",
    "InputFolderDataset",
    "KerasModelDataset",
    "NumpyDataset",
    "OptionalDataset",
    "OptionalKerasModelDataset",
    "OptionalPictureDataset",
    "OptionalReportDataset",
    "OptionalTableDataset",
    "PageDataset",
    "PictureDataset",
    "ReportDataset",
    "TableDataset",
    "place_of",
]

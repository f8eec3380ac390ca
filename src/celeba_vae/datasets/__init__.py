"""What the catalog can hold and Kedro does not bring. Importing this loads no TensorFlow."""

from celeba_vae.datasets.animation_dataset import AnimationDataset
from celeba_vae.datasets.arrays_dataset import ArraysDataset
from celeba_vae.datasets.folder_dataset import FolderDataset, InputFolderDataset
from celeba_vae.datasets.image_folder_dataset import ImageFolder, ImageFolderDataset
from celeba_vae.datasets.keras_model_dataset import KerasModelDataset
from celeba_vae.datasets.numpy_dataset import NumpyDataset
from celeba_vae.datasets.optional_datasets import (
    OptionalDataset,
    OptionalKerasModelDataset,
    OptionalPictureDataset,
    OptionalReportDataset,
    OptionalTableDataset,
)
from celeba_vae.datasets.page_dataset import PageDataset
from celeba_vae.datasets.picture_dataset import PictureDataset
from celeba_vae.datasets.report_dataset import ReportDataset
from celeba_vae.datasets.stored_dataset import place_of
from celeba_vae.datasets.table_dataset import TableDataset

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

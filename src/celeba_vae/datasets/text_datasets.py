"""Files of text: tables, reports for machines, pages for people."""

import json
import shutil
from collections import defaultdict
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import DatasetError
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset

from celeba_vae.datasets.stored_dataset import OptionalDataset, StoredDataset, place_of
from celeba_vae.errors import DataError
from celeba_vae.storage import written


class _ReadOrRefused:
    """Says what is wrong with a file as other datasets do; it stands before the class of Kedro's that reads it."""

    def load(self) -> Any:
        """Read the file; raises DataError where it is not there, or is damaged."""
        dataset: Any = super()
        try:
            return dataset.load()
        except DatasetError as error:
            raise DataError(str(error)) from error


class TableDataset(_ReadOrRefused, CSVDataset):
    """Kedro's ``pandas.CSVDataset``, whose file appears under its name only when it is complete.

    Saves a data frame, or the path of a finished file, which is copied. In ``load_args.dtype`` the key ``"*"`` stands
    for all other columns.
    """

    def __init__(self, *, load_args: dict[str, Any] | None = None, **options: Any) -> None:
        load_args = dict(load_args or {})
        dtype = load_args.get("dtype")
        if isinstance(dtype, dict) and "*" in dtype:
            # unlike a lambda, this can be pickled
            load_args["dtype"] = defaultdict(partial(copy, dtype["*"]), dtype)
        super().__init__(load_args=load_args, **options)

    def save(self, data: pd.DataFrame | Path) -> None:
        """Write a table, or put a finished file in place."""
        with written(place_of(self, self._get_save_path())) as temporary:
            if isinstance(data, Path):
                shutil.copyfile(data, temporary)
            else:
                data.to_csv(temporary, **self._save_args)


class ReportDataset(_ReadOrRefused, JSONDataset):
    """Kedro's ``json.JSONDataset``, whose file appears under its name only when it is complete."""

    def save(self, data: Any) -> None:
        """Write a report."""
        with written(place_of(self, self._get_save_path())) as temporary:
            temporary.write_text(json.dumps(data, **self._save_args))


class PageDataset(StoredDataset[str, str]):
    """The text of a page in an ``.html`` file, in UTF-8 wherever it is written."""

    def load(self) -> str:
        """Load the page."""
        return self._load_place().read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        """Save a page; it appears under its name only when it is complete."""
        with written(self._save_place()) as temporary:
            temporary.write_text(data, encoding="utf-8")


class OptionalTableDataset(OptionalDataset, TableDataset):
    """A table, or None where it has not been written."""


class OptionalReportDataset(OptionalDataset, ReportDataset):
    """A report for machines, or None where it has not been written."""

"""Reports for machines as ``.json`` files."""

import json
from typing import Any

from kedro.io import DatasetError
from kedro_datasets.json import JSONDataset

from celeba_vae.datasets.stored_dataset import place_of
from celeba_vae.errors import DataError
from celeba_vae.storage import written


class ReportDataset(JSONDataset):
    """Kedro's ``json.JSONDataset``, whose file appears under its name only when it is complete."""

    def load(self) -> Any:
        """Read a report.

        Raises:
            DataError: it is not there, or is damaged.
        """
        try:
            return super().load()
        except DatasetError as error:
            raise DataError(str(error)) from error

    def save(self, data: Any) -> None:
        """Write a report."""
        with written(place_of(self, self._get_save_path())) as temporary:
            temporary.write_text(json.dumps(data, **self._save_args))

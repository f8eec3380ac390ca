"""The index and each split's attributes as ``.csv`` files."""

import json
import logging
from functools import cached_property
from pathlib import Path

import pandas as pd

from celeba_vae.preparation.index import NO_ATTRIBUTES, SPLITS, BadImage, ImageIndex
from celeba_vae.preparation.lists import Attributes, read_attributes
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.storage.atomic import written_atomically

logger = logging.getLogger(__name__)


class PreparedTables:
    """The tables in a stage's folder; ``tables.json`` is there when they are complete.

    Args:
        folder: Where they are.
        originals: The images, with their attribute list.
    """

    def __init__(self, folder: Path, originals: ImageCollection) -> None:
        self.index = folder / "image_index.csv"
        self.attributes = {split: folder / f"{split}_attributes.csv" for split in SPLITS}
        self._mark = folder / "tables.json"
        self._originals = originals
        self._state = originals.attributes.state if originals.attributes else None

    def are_written(self) -> bool:
        """Whether they are complete, from the same attribute list."""
        files = [self._mark, self.index, *self.attributes.values()]
        return all(file.exists() for file in files) and json.loads(self._mark.read_text())["state"] == self._state

    def bad(self) -> list[BadImage]:
        """Give the images without attributes."""
        return [BadImage(*image) for image in json.loads(self._mark.read_text())["bad"]]

    def forget(self) -> None:
        """Let them be written again."""
        self._mark.unlink(missing_ok=True)

    def with_faults(self, index: ImageIndex) -> ImageIndex:
        """Give an index with the images of a split that have no attributes.

        Raises:
            DataError: the attribute list can't be read, or does not begin with the attributes' names.
        """
        return index.with_bad(
            BadImage(position, NO_ATTRIBUTES, fault)
            for position, fault in self._listed.faults.items()
            if index.splits[position] >= 0
        )

    def write(self, index: ImageIndex) -> None:
        """Write them all, for an index with the images that have no attributes."""
        self.forget()
        _write(index.table().set_index("image_id"), self.index)
        for split, file in self.attributes.items():
            table = self._listed.table
            _write(table.iloc[index.positions(split)] if self._originals.attributes else table, file)
        bad = [image for image in index.bad.values() if image.status == NO_ATTRIBUTES]
        with written_atomically(self._mark) as temporary:
            temporary.write_text(json.dumps({"state": self._state, "bad": bad}))

    @cached_property
    def _listed(self) -> Attributes:
        if self._originals.attributes is None:
            logger.info("There is no attribute list (list_attr_celeba): the tables of attributes stay empty.")
            return Attributes(pd.DataFrame(index=pd.Index([], name="image_id")), {})
        return read_attributes(self._originals.attributes, self._originals.image_ids)


def _write(table: pd.DataFrame, file: Path) -> None:
    with written_atomically(file) as temporary:
        table.to_csv(temporary, lineterminator="\n")

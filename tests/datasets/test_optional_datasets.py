"""What a run may do without is None where it is not there, and nothing else becomes None."""

import numpy as np
import pandas as pd
import pytest
from kedro.io import Version
from PIL import Image

from celeba_vae.datasets import (
    OptionalKerasModelDataset,
    OptionalPictureDataset,
    OptionalReportDataset,
    OptionalTableDataset,
)
from celeba_vae.errors import DataError

KINDS = [OptionalKerasModelDataset, OptionalPictureDataset, OptionalReportDataset, OptionalTableDataset]


@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_is_none(tmp_path, kind, versioned):
    dataset = kind(filepath=str(tmp_path / "file"), version=Version(None, None) if versioned else None)

    assert dataset.load() is None


@pytest.mark.parametrize(
    ("kind", "data"),
    [(OptionalPictureDataset, Image.new("RGB", (3, 2))), (OptionalReportDataset, {"images": 3})],
)
@pytest.mark.parametrize("versioned", [False, True])
def test_what_is_there_is_loaded(tmp_path, kind, data, versioned):
    dataset = kind(filepath=str(tmp_path / "file"), version=Version(None, "1") if versioned else None)

    dataset.save(data)

    assert np.array_equal(dataset.load(), data)
    assert (tmp_path / "file/1/file" if versioned else tmp_path / "file").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_damaged_is_an_error_that_names_it(tmp_path, kind):
    file = tmp_path / "damaged"
    file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(Exception, match=str(file)) as caught:
        kind(filepath=str(file)).load()

    assert isinstance(caught.value.__cause__, DataError | OSError), caught.value


def test_a_table_is_loaded_as_the_entry_says(tmp_path):
    dataset = OptionalTableDataset(filepath=str(tmp_path / "table.csv"), load_args={"dtype": {"*": "int8"}})
    pd.DataFrame({"Male": [1, -1]}).to_csv(tmp_path / "table.csv", index=False)

    assert dataset.load()["Male"].dtype == "int8"

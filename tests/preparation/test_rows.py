from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from celeba_vae.preparation.cropping import ImagePreparer
from celeba_vae.preparation.index import RowRange
from celeba_vae.preparation.journal import Journal
from celeba_vae.preparation.originals import FolderCollection
from celeba_vae.preparation.rows import RangePreparer, RangeTask
from celeba_vae.storage.npy import NpyRows


def test_without_its_permit_a_range_is_not_written(tmp_path: Path, write_celeba: Callable[..., list[str]]) -> None:
    write_celeba(tmp_path / "celeba", 3)
    originals = FolderCollection.of(tmp_path / "celeba" / "img_align_celeba")
    array = NpyRows(tmp_path / "train_images.npy", 5, (96, 96, 3))
    array.allocate()
    permit = tmp_path / "permit"
    preparer = ImagePreparer(148, 96, 96)
    prepare = RangePreparer({"train": array}, Journal(tmp_path / "ranges"), preparer, permit, synchronous=True)
    task = RangeTask(RowRange("train", 1, np.arange(3)), originals.image_ids, originals)

    with pytest.raises(FileNotFoundError, match="permit"):
        prepare(task)
    assert not np.load(array.path).any()
    assert not (tmp_path / "ranges").exists()

    permit.touch()
    bad, sum_, forms = prepare(task)
    images = np.load(array.path)
    expected = [preparer(originals.read(image_id)) for image_id in originals.image_ids]
    np.testing.assert_array_equal(images[1:4], expected)
    assert not images[[0, 4]].any()
    np.testing.assert_array_equal(sum_, np.sum(expected, axis=0))
    assert bad == []
    assert forms == {("", 178, 218, "RGB"): 3}
    assert Journal(tmp_path / "ranges").entered(task.rows) == (bad, forms)

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from celeba_vae.preparation.cropping import ImagePreparer
from celeba_vae.preparation.dask_worker import sent_order
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


@dataclass(frozen=True, kw_only=True)
class SendsOthers(FolderCollection):
    """A plugin's collection whose part for another process reads another folder."""

    def subset(self, image_ids: Sequence[str]) -> Self:
        return replace(super().subset(image_ids), folder=self.folder.parents[1] / "other" / self.folder.name)


@pytest.mark.parametrize(("kind", "makes_others"), [(FolderCollection, False), (SendsOthers, True)])
def test_a_worker_notices_that_what_it_is_sent_gives_other_pictures(
    tmp_path: Path, write_celeba: Callable[..., list[str]], kind: type[FolderCollection], makes_others: bool
) -> None:
    write_celeba(tmp_path / "celeba", 3)
    names = write_celeba(tmp_path / "other", 4)[1:]
    for name, moved in zip(names, ("000001.jpg", "000002.jpg", "000003.jpg"), strict=True):
        folder = tmp_path / "other" / "img_align_celeba"
        (folder / name).replace(folder / moved)
    originals = kind.of(tmp_path / "celeba" / "img_align_celeba")
    permit = tmp_path / "permit"
    permit.touch()
    prepare = RangePreparer({}, Journal(tmp_path / "ranges"), ImagePreparer(148, 96, 96), permit)
    _, order = sent_order(prepare, RangeTask(RowRange("train", 0, np.arange(3)), originals.image_ids, originals))

    problem = pickle.loads(order).problem()

    assert ("makes other pictures" in problem) if makes_others else problem is None

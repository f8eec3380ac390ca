import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from base_config import base_config

from celeba_vae.config import SplitConfig
from celeba_vae.errors import DataError, SettingError
from celeba_vae.preparation.index import check_share
from celeba_vae.preparation.list_files import ListFile
from celeba_vae.preparation.splits import assign_splits

WriteList = Callable[[str], ListFile]
NAMES = [f"{i:06d}.jpg" for i in range(1, 1001)]
VALUES = [min(i // 400, 2) for i in range(1000)]


@pytest.fixture
def partition(tmp_path: Path) -> WriteList:
    """Write a partition file with this text."""

    def write(text: str) -> ListFile:
        file = tmp_path / "list_eval_partition.txt"
        file.write_text(text)
        return ListFile.at(file)

    return write


def counts(config: SplitConfig, names: list[str] = NAMES) -> dict[str, int]:
    return assign_splits(names, None, config).table()["split"].value_counts().to_dict()


@pytest.mark.parametrize("by", ["auto", "partition"])
def test_the_partition_file_decides_where_there_is_one(by: str, partition: WriteList) -> None:
    listed = partition("\n".join(f"{name} {value}" for name, value in zip(NAMES, VALUES, strict=True)))
    splits = assign_splits(NAMES, listed, base_config(SplitConfig, by=by)).table()
    assert splits["image_id"].tolist() == NAMES
    assert splits["split"].tolist() == ["train"] * 400 + ["validation"] * 400 + ["test"] * 200
    assert set(splits["status"]) == {"ok"}


def test_counts_can_be_asked_for_although_there_is_a_partition_file(
    partition: WriteList,
) -> None:
    listed = partition("000001.jpg 0")
    splits = assign_splits(
        NAMES, listed, base_config(SplitConfig, by="counts", train=10, validation=20, test=30)
    ).table()
    assert splits["split"].value_counts().to_dict() == {"": 940, "test": 30, "validation": 20, "train": 10}
    assert (splits["status"] == "unused").sum() == 940


def test_a_partition_that_is_asked_for_must_be_there() -> None:
    with pytest.raises(SettingError, match="no list_eval_partition"):
        assign_splits(NAMES, None, base_config(SplitConfig, by="partition"))


def test_what_images_and_partition_file_do_not_share_is_named(partition: WriteList) -> None:
    listed = partition(
        "4.jpg 1\n1.jpg 0\n2.jpg   3\n5.jpg\n6.jpg 1 2\n7.jpg 0\n7.jpg 2\n8.jpg x\n9.jpg 2\n9.jpg 2\na.jpg 0\nc.jpg 1\n"
    )
    names = ["1.jpg", "2.jpg", "3.jpg", "5.jpg", "6.jpg", "7.jpg", "9.jpg", "a.jpg", "b.jpg", "c.jpg"]
    splits = assign_splits(names, listed, base_config(SplitConfig, by="partition")).table().set_index("image_id")
    bad = dict.fromkeys(("2.jpg", "3.jpg", "5.jpg", "6.jpg", "7.jpg", "b.jpg"), "no split")
    missing = dict.fromkeys(("4.jpg", "8.jpg"), "missing")
    assert splits["status"].to_dict() == dict.fromkeys(names, "ok") | bad | missing
    assert splits.index.tolist() == [*names, "4.jpg", "8.jpg"]
    reasons = splits["reason"]
    assert "says '3', not 0, 1 or 2" in reasons["2.jpg"]
    assert reasons["3.jpg"] == "not in list_eval_partition.txt"
    assert "'6.jpg 1 2', has 3 cells" in reasons["6.jpg"]
    assert "twice" in reasons["7.jpg"]
    assert splits["split"].to_dict() == dict.fromkeys(splits.index, "") | {
        "1.jpg": "train",
        "9.jpg": "test",
        "a.jpg": "train",
        "c.jpg": "validation",
    }


def part_of_celeba(partition: WriteList, text: str = "{:06d}.jpg {}\n") -> ListFile:
    """CelebA's own list, as long as it is."""
    splits = [0] * 162_770 + [1] * 19_867 + [2] * 19_962
    return partition("".join(text.format(i, split) for i, split in enumerate(splits, start=1)))


def test_the_first_images_of_celeba_are_dealt_out_and_that_is_said(
    partition: WriteList, caplog: pytest.LogCaptureFixture
) -> None:
    index = assign_splits(NAMES[:24], part_of_celeba(partition), base_config(SplitConfig))
    assert index.counts == {"train": 20, "validation": 3, "test": 1}
    assert index.statuses == {"missing": 202_575, "ok": 24}
    assert index.table()["image_id"].tolist() == NAMES[:24]
    assert "24 of the 202,599 listed images are here: 24 train, 0 validation, 0 test" in caplog.text
    assert "no images for validation and test" in caplog.text
    assert "one person" in caplog.text
    assert index.by == "counts"
    check_share(index, 0)


def test_a_part_of_celeba_with_images_of_all_splits_keeps_its_splits(
    partition: WriteList, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"{i:06d}.png" for i in range(1, 202_600, 101)]
    index = assign_splits(names, part_of_celeba(partition, "img/{:06d}.jpg {}\n"), base_config(SplitConfig))
    assert index.counts == {"train": 1612, "validation": 197, "test": 197}
    assert "2,006 of the 202,599 listed images are here: 1,612 train, 197 validation, 197 test" in caplog.text
    assert "dealt" not in caplog.text
    assert index.statuses == {"missing": 200_593, "ok": 2006}
    check_share(index, 0)


def test_the_lists_own_splits_can_be_kept_though_some_stay_empty(partition: WriteList) -> None:
    index = assign_splits(NAMES[:24], part_of_celeba(partition), base_config(SplitConfig, by="partition"))
    assert index.counts == {"train": 24, "validation": 0, "test": 0}
    with pytest.raises(DataError, match=r"list_eval_partition.txt gives none of the 2 images here to training"):
        assign_splits(["190000.jpg", "190001.jpg"], part_of_celeba(partition), base_config(SplitConfig, by="partition"))


def test_a_list_that_gives_no_images_to_a_split_is_followed(partition: WriteList) -> None:
    listed = partition("".join(f"{name} {i % 2 * 2}\n" for i, name in enumerate(NAMES)))
    for names in (NAMES, NAMES[:100]):
        index = assign_splits(names, listed, base_config(SplitConfig))
        assert index.counts == {"train": len(names) // 2, "validation": 0, "test": len(names) // 2}


@pytest.mark.parametrize(("absent", "named"), [(3, 3), (1000, 1000), (1001, 0)])
def test_few_absent_images_are_entered_one_by_one(partition: WriteList, absent: int, named: int) -> None:
    more = [f"{i}.jpg" for i in range(absent)]
    listed = partition("".join(f"{name} {i % 3}\n" for i, name in enumerate(NAMES + more)))
    index = assign_splits(NAMES, listed, base_config(SplitConfig))
    assert index.statuses == {"missing": absent, "ok": len(NAMES)}
    assert (index.table()["status"] == "missing").sum() == named
    check_share(index, 0)


def test_what_too_many_images_lack_is_blamed_on_the_list(partition: WriteList) -> None:
    listed = partition("".join(f"{name} {i % 3}\n" for i, name in enumerate(NAMES[:900])))
    index = assign_splits(NAMES, listed, base_config(SplitConfig))
    assert index.statuses == {"no split": 100, "ok": 900}
    with pytest.raises(
        DataError, match=r"100 of 1,000 images have no split.*000901.jpg: not in list_eval_part"
    ) as error:
        check_share(index, 0.01)
    assert len(str(error.value).splitlines()) == 1
    check_share(index, 0.1)


def test_enough_images_are_dealt_exactly(caplog: pytest.LogCaptureFixture) -> None:
    assert counts(base_config(SplitConfig, train=850, validation=100, test=50)) == {
        "train": 850,
        "validation": 100,
        "test": 50,
    }
    assert not caplog.records


def test_fewer_images_are_scaled_down_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert counts(base_config(SplitConfig)) == {"train": 850, "validation": 100, "test": 50}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "200,000" in record.message
    assert "1,000" in record.message


@pytest.mark.parametrize("available", [1, 2, 3, 7, 19, 999])
def test_scaling_down_uses_every_image(available: int) -> None:
    scaled = counts(base_config(SplitConfig), NAMES[:available])
    assert sum(scaled.values()) == available
    # none of the three stays without where it need not
    assert len(scaled) == 3 or available < 3
    assert scaled["train"] >= max(1, int(0.85 * available) - 1)


def test_the_seed_decides_who_is_dealt_what() -> None:
    first, again, other = (
        assign_splits(NAMES, None, base_config(SplitConfig, seed=seed)).table()["split"] for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)
    # dealt, not cut: the test images come from everywhere
    places = np.flatnonzero(first == "test")
    assert places.min() < 200
    assert places.max() > 800


def test_of_too_few_images_training_has_the_first() -> None:
    config = base_config(SplitConfig, by="counts", train=1, validation=20_000, test=1)
    assert assign_splits(["a.jpg"], None, config).counts == {"train": 1, "validation": 0, "test": 0}
    assert assign_splits(["a.jpg", "b.jpg"], None, config).counts == {"train": 1, "validation": 1, "test": 0}

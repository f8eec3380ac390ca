import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from celeba_vae.config import SplitConfig
from celeba_vae.errors import SettingError
from celeba_vae.preparation.lists import ListFile
from celeba_vae.preparation.splits import assign_splits

NAMES = [f"{i:06d}.jpg" for i in range(1, 1001)]
VALUES = [min(i // 400, 2) for i in range(1000)]


@pytest.fixture
def partition(tmp_path: Path) -> Callable[[str], ListFile]:
    """Write a partition file with this text."""

    def write(text: str) -> ListFile:
        file = tmp_path / "list_eval_partition.txt"
        file.write_text(text)
        return ListFile.at(file)

    return write


def counts(config: SplitConfig, names: list[str] = NAMES) -> dict[str, int]:
    return assign_splits(names, None, config).table()["split"].value_counts().to_dict()


@pytest.mark.parametrize("by", ["auto", "partition"])
def test_the_partition_file_decides_where_there_is_one(by: str, partition: Callable[[str], ListFile]) -> None:
    listed = partition("\n".join(f"{name} {value}" for name, value in zip(NAMES, VALUES, strict=True)))
    splits = assign_splits(NAMES, listed, SplitConfig(by=by)).table()
    assert splits["image_id"].tolist() == NAMES
    assert splits["split"].tolist() == ["train"] * 400 + ["validation"] * 400 + ["test"] * 200
    assert set(splits["status"]) == {"ok"}


def test_counts_can_be_asked_for_although_there_is_a_partition_file(
    partition: Callable[[str], ListFile],
) -> None:
    listed = partition("000001.jpg 0")
    splits = assign_splits(NAMES, listed, SplitConfig(by="counts", train=10, validation=20, test=30)).table()
    assert splits["split"].value_counts().to_dict() == {"": 940, "test": 30, "validation": 20, "train": 10}
    assert (splits["status"] == "unused").sum() == 940


def test_a_partition_that_is_asked_for_must_be_there() -> None:
    with pytest.raises(SettingError, match="no list_eval_partition"):
        assign_splits(NAMES, None, SplitConfig(by="partition"))


def test_what_images_and_partition_file_do_not_share_is_named(partition: Callable[[str], ListFile]) -> None:
    listed = partition("4.jpg 1\n1.jpg 0\n2.jpg   3\n5.jpg\n6.jpg 1 2\n7.jpg 0\n7.jpg 2\n8.jpg x\n9.jpg 2\n9.jpg 2")
    names = ["1.jpg", "2.jpg", "3.jpg", "5.jpg", "6.jpg", "7.jpg", "9.jpg"]
    splits = assign_splits(names, listed, SplitConfig()).table().set_index("image_id")
    assert splits["status"].to_dict() == {
        "1.jpg": "ok",
        "2.jpg": "no split",
        "3.jpg": "no split",
        "4.jpg": "missing",
        "5.jpg": "no split",
        "6.jpg": "no split",
        "7.jpg": "no split",
        "8.jpg": "missing",
        "9.jpg": "ok",
    }
    reasons = splits["reason"]
    assert "'3', not 0, 1 or 2" in reasons["2.jpg"]
    assert "not in the partition file" in reasons["3.jpg"]
    assert "'5.jpg', not a name" in reasons["5.jpg"]
    assert "'6.jpg 1 2', not a name" in reasons["6.jpg"]
    assert "twice" in reasons["7.jpg"]
    assert "'x', not 0, 1 or 2" in reasons["8.jpg"]
    assert (splits["split"] == "").tolist() == [name not in {"1.jpg", "9.jpg"} for name in splits.index]
    assert splits["split"]["9.jpg"] == "test"


def test_enough_images_are_dealt_exactly(caplog: pytest.LogCaptureFixture) -> None:
    assert counts(SplitConfig(train=850, validation=100, test=50)) == {"train": 850, "validation": 100, "test": 50}
    assert not caplog.records


def test_fewer_images_are_scaled_down_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert counts(SplitConfig()) == {"train": 850, "validation": 100, "test": 50}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "200,000" in record.message
    assert "1,000" in record.message


@pytest.mark.parametrize("available", [1, 2, 3, 7, 19, 999])
def test_scaling_down_uses_every_image(available: int) -> None:
    scaled = counts(SplitConfig(), NAMES[:available])
    assert sum(scaled.values()) == available
    assert scaled["train"] >= max(1, int(0.85 * available))


def test_the_seed_decides_who_is_dealt_what() -> None:
    first, again, other = (assign_splits(NAMES, None, SplitConfig(seed=seed)).table()["split"] for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
    # dealt, not cut: the test images come from everywhere
    places = np.flatnonzero(first == "test")
    assert places.min() < 200
    assert places.max() > 800

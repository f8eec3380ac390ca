import logging

import numpy as np
import pytest

from celeba_vae.config import SplitConfig
from celeba_vae.errors import SettingError
from celeba_vae.imaging.splits import assign_splits

NAMES = [f"{i:06d}.jpg" for i in range(1, 1001)]
PARTITION = {name: str(min(i // 400, 2)) for i, name in enumerate(NAMES)}


def counts(config: SplitConfig, names: list[str] = NAMES) -> dict[str, int]:
    return assign_splits(names, None, config)["split"].value_counts().to_dict()


@pytest.mark.parametrize("by", ["auto", "partition"])
def test_the_partition_file_decides_where_there_is_one(by: str) -> None:
    splits = assign_splits(NAMES, PARTITION, SplitConfig(by=by))
    assert splits["image_id"].tolist() == NAMES
    assert splits["split"].tolist() == ["train"] * 400 + ["validation"] * 400 + ["test"] * 200
    assert set(splits["status"]) == {"ok"}


def test_counts_can_be_asked_for_although_there_is_a_partition_file() -> None:
    splits = assign_splits(NAMES, PARTITION, SplitConfig(by="counts", train=10, validation=20, test=30))
    assert splits["split"].value_counts().to_dict() == {"": 940, "test": 30, "validation": 20, "train": 10}
    assert (splits["status"] == "unused").sum() == 940


def test_a_partition_that_is_asked_for_must_be_there() -> None:
    with pytest.raises(SettingError, match="no list_eval_partition"):
        assign_splits(NAMES, None, SplitConfig(by="partition"))


def test_what_images_and_partition_file_do_not_share_is_named() -> None:
    partition = {"1.jpg": "0", "2.jpg": "3", "4.jpg": "1"}
    splits = assign_splits(["1.jpg", "2.jpg", "3.jpg"], partition, SplitConfig()).set_index("image_id")
    assert splits["status"].to_dict() == {"1.jpg": "ok", "2.jpg": "no split", "3.jpg": "no split", "4.jpg": "missing"}
    assert "'3', not 0, 1 or 2" in splits.loc["2.jpg", "reason"]
    assert (splits["split"] == "").tolist() == [False, True, True, True]


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
    first, again, other = (assign_splits(NAMES, None, SplitConfig(seed=seed))["split"] for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
    # dealt, not cut: the test images come from everywhere
    places = np.flatnonzero(first == "test")
    assert places.min() < 200
    assert places.max() > 800

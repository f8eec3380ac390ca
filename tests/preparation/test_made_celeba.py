"""Made CelebAs, with lists of any form: each ends in arrays and tables that agree, or in one short message."""

from pathlib import Path
from typing import Any

import made_lists
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_images import by_pillow, drawn
from made_lists import Listed
from made_runs import MADE, SPLITS, Prepared, assert_agrees, cut_and_resized, empty_folder, prepare, saved

pytestmark = pytest.mark.slow

IMAGES = [saved(drawn(seed, "RGB", (12, 10)), "JPEG") for seed in range(12)]
PIXELS = [cut_and_resized(by_pillow(data), "auto", (8, 8)) for data in IMAGES]
FOLDERS = ("img_align_celeba", "img_align_celeba/img_align_celeba", "IMG_Align_Celeba", "", "Img/img_align_celeba")
LISTS = ("list_eval_partition", "list_attr_celeba")


@st.composite
def celebas(draw: st.DrawFn) -> dict[str, Any]:
    """Images' names, a partition file or what is none, an attribute list or what is none, and where they lie."""
    images = [
        draw(st.sampled_from(("{:06d}.jpg", "{:06d}.jpg", "celeba_face_{:06d}.jpg"))).format(i + 1) for i in range(12)
    ]
    images = images[: draw(st.integers(1, 12))]
    lists = []
    for strategy in (made_lists.partitions(images), made_lists.attribute_lists(images)):
        lists.append(draw(st.one_of(st.none(), strategy, strategy, strategy, st.sampled_from(made_lists.NO_LISTS))))
    return {
        "images": images,
        "lists": dict(zip(LISTS, lists, strict=True)),
        "folder": draw(st.sampled_from(FOLDERS)),
        "suffix": draw(st.sampled_from((".txt", ".csv", ".TXT", " (1).csv"))),
        "below": draw(st.sampled_from(("", "", "Anno", "img_align_celeba"))),
    }


def write(raw: Path, made: dict[str, Any]) -> None:
    folder = raw / "celeba" / made["folder"]
    folder.mkdir(parents=True)
    for name, data in zip(made["images"], IMAGES, strict=False):
        (folder / name).write_bytes(data)
    (raw / "celeba" / made["below"]).mkdir(exist_ok=True)
    for name, content in made["lists"].items():
        if content is not None:
            data = content.data if isinstance(content, Listed) else content
            (raw / "celeba" / made["below"] / f"{name}{made['suffix']}").write_bytes(data)


def expected_splits(made: dict[str, Any], by: str, share: float) -> dict[str, int] | str | None:
    """Say which split each image gets; None: by counts; else what the message is about."""
    images, partition = made["images"], made["lists"]["list_eval_partition"]
    if by == "counts":
        return None
    if partition is None:
        return "list_eval_partition" if by == "partition" else None
    if isinstance(partition, bytes):
        return "list_eval_partition"
    if 2 * partition.broken > partition.named or not partition.says:
        return "list_eval_partition"
    given = set(partition.says.values())
    if 0 not in given:
        return "training"
    if len(images) - len(partition.says) > share * len(images):
        return "no split"
    return partition.says


@MADE(max_examples=220)
@given(
    made=celebas(), by=st.sampled_from(("auto", "auto", "partition", "counts")), share=st.sampled_from((0, 0.1, 0.5, 1))
)
def test_lists(made: dict[str, Any], by: str, share: float) -> None:
    split = {"by": by, "train": 9, "validation": 2, "test": 1}
    with empty_folder() as raw:
        write(raw, made)
        result = prepare(raw, raw / "work", source={"name": "celeba"}, image_size=8, split=split, max_bad_share=share)
    splits = expected_splits(made, by, share)
    attributes = made["lists"]["list_attr_celeba"]
    if isinstance(result, str):
        about = {splits} if isinstance(splits, str) else set()
        about |= {"list_attr_celeba"} if isinstance(attributes, bytes) else set()
        assert any(what in result for what in about), result
        return
    partition = made["lists"]["list_eval_partition"]
    if by == "auto" and isinstance(partition, Listed) and result.summary["split_by"] == "counts":
        # of a part of the listed images, that leaves one of the list's splits without
        assert set(partition.says.values()) < {0, 1, 2}
        splits = None
    assert not isinstance(splits, str), splits
    assert not isinstance(attributes, bytes), attributes
    assert_whole(result, made, splits)


def assert_whole(result: Prepared, made: dict[str, Any], splits: dict[str, int] | None) -> None:
    """All images with a split are there, in it, with their pixels and attributes."""
    pixels = dict(zip(made["images"], PIXELS, strict=False))
    in_counts = splits is None
    used = pixels if in_counts else {name: pixels[name] for name in splits}
    attributes = made["lists"]["list_attr_celeba"]
    assert_agrees(result, used, table_of_attributes=attributes is not None)
    if not in_counts:
        assert {name: SPLITS.index(split) for name, split in result.splits().items()} == splits
    if attributes is not None:
        for split in SPLITS:
            for name, *values in result.attributes[split].itertuples():
                assert values == attributes.says[name]
    assert not result.summary["passed_over"]

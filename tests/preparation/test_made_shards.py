"""Made parquet shards of CelebA: each ends in arrays and tables that agree, or in one short message."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_images import by_pillow, drawn
from made_runs import MADE, SPLITS, assert_agrees, cut_and_resized, empty_folder, prepare, saved

pytestmark = pytest.mark.slow

IMAGES = [saved(drawn(seed, "RGB", (12, 10)), "JPEG") for seed in range(12)]
PIXELS = [cut_and_resized(by_pillow(data), "auto", (8, 8)) for data in IMAGES]
# how yes and no are written, as Arrow's type
TRUTHS: tuple[tuple[Any, Any, pa.DataType], ...] = (
    (True, False, pa.bool_()),
    (1, 0, pa.int8()),
    (1, -1, pa.int64()),
    (1.0, -1.0, pa.float64()),
    ("True", "False", pa.string()),
)
WORDS = (("train", "valid", "test"), ("train", "val", "test"), ("Train", "Validation", "Test"))


@st.composite
def hubs(draw: st.DrawFn) -> dict[str, Any]:
    """Which images each shard holds, how it writes them, and what is wrong with one of the shards."""
    words = draw(st.sampled_from(WORDS))
    order = draw(st.permutations(range(len(IMAGES))))
    cuts = sorted(draw(st.lists(st.integers(1, len(IMAGES) - 1), min_size=2, max_size=2, unique=True)))
    parts = [order[: cuts[0]], order[cuts[0] : cuts[1]], order[cuts[1] :]]
    return {
        "parts": dict(zip(words, parts, strict=True)),
        "halved": draw(st.booleans()),
        "hash": draw(st.sampled_from(("", "-92f813f497ecaae7"))),
        "below": draw(st.sampled_from(("data", "", "celeba/data"))),
        "column": draw(st.sampled_from(("image", "img"))),
        "struct": draw(st.booleans()),
        "truth": draw(st.sampled_from(TRUTHS)),
        "group": draw(st.sampled_from((1, 5, 1000))),
        "compression": draw(st.sampled_from(("snappy", "zstd", "none"))),
        "fault": draw(
            st.sampled_from(("", "", "", "", "cut", "empty", "pointer", "missing", "other columns", "no image"))
        ),
    }


def write(folder: Path, made: dict[str, Any]) -> list[int]:
    """Write the shards; give the images whose rows are empty."""
    folder.mkdir(parents=True)
    written = []
    for split, images in made["parts"].items():
        halves = [images[::2], images[1::2]] if made["halved"] and len(images) > 1 else [images]
        for number, rows in enumerate(halves):
            file = folder / f"{split}-{number:05d}-of-{len(halves):05d}{made['hash']}.parquet"
            pq.write_table(_table(made, rows), file, row_group_size=made["group"], compression=made["compression"])
            written.append((file, rows))
    file, rows = written[-1]
    match made["fault"]:
        case "cut":
            file.write_bytes(file.read_bytes()[:-20])
        case "empty":
            file.write_bytes(b"")
        case "pointer":
            file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n")
        case "missing":
            file.rename(file.with_name(f"test-00001-of-00003{made['hash']}.parquet"))
        case "other columns":
            pq.write_table(pa.table({"caption": ["a face"]}), file)
        case "no image":
            pq.write_table(_table(made, rows, without=rows[0]), file)
            return [rows[0]]
    return []


def _table(made: dict[str, Any], rows: list[int], without: int | None = None) -> pa.Table:
    files = [None if row == without else IMAGES[row] for row in rows]
    yes, no, kind = made["truth"]
    columns: dict[str, Any] = {"celeb_id": [7 * row for row in rows]}
    columns["Smiling"] = pa.array([yes if row % 3 else no for row in rows], kind)
    columns["caption"] = ["a, b"] * len(rows)
    if made["struct"]:
        fields = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        images = [{"bytes": data, "path": f"{row + 1:06d}.jpg"} for data, row in zip(files, rows, strict=True)]
        return pa.table({made["column"]: pa.array(images, fields), **columns})
    return pa.table({made["column"]: pa.array(files, pa.binary()), **columns})


@MADE(max_examples=80)
@given(made=hubs())
def test_shards(made: dict[str, Any]) -> None:
    with empty_folder() as raw:
        empty = write(raw / "celeba" / made["below"], made)
        split = {"by": "partition", "train": 9, "validation": 2, "test": 1}
        result = prepare(raw, raw / "work", source={"name": "celeba"}, image_size=8, split=split, max_bad_share=0.5)
    if isinstance(result, str):
        assert made["fault"] not in {"", "no image"}, result
        assert ".parquet" in result
        return
    assert made["fault"] in {"", "no image"}
    if not made["struct"]:
        # images without names are called by their shards and rows
        assert sum(result.counts) == len(IMAGES) - len(empty)
        return
    whole = {f"{row + 1:06d}.jpg": pixels for row, pixels in enumerate(PIXELS) if row not in empty}
    assert_agrees(result, whole, table_of_attributes=True)
    for split_name, rows in zip(SPLITS, made["parts"].values(), strict=True):
        names = {f"{row + 1:06d}.jpg" for row in rows if row not in empty}
        assert {name for name, of in result.splits().items() if of == split_name} == names
        table = result.attributes[split_name]
        assert {name: table.Smiling[name] for name in names} == {
            name: 1 if (int(name[:6]) - 1) % 3 else -1 for name in names
        }

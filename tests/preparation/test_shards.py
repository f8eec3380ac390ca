"""CelebA in parquet shards, as dataset hubs give it out."""

import logging
import os
import pickle
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from base_config import base_config

from celeba_vae.config import SplitConfig
from celeba_vae.errors import DataError, SettingError
from celeba_vae.preparation import parquet
from celeba_vae.preparation.decoding import BadImageError
from celeba_vae.preparation.lists import read_attributes
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.preparation.parquet import ParquetFiles
from celeba_vae.preparation.sources import CelebaSource
from celeba_vae.preparation.splits import assign_splits

WriteCeleba = Callable[..., list[str]]
Face = tuple[str | None, bytes | None]


@pytest.fixture
def celeba(tmp_path: Path) -> Path:
    return tmp_path / "celeba"


@pytest.fixture
def faces(tmp_path: Path, write_celeba: WriteCeleba) -> list[Face]:
    """Twelve names, and the bytes of their files."""
    names = write_celeba(tmp_path / "made", 12)
    return [(name, (tmp_path / "made" / "img_align_celeba" / name).read_bytes()) for name in names]


def write_shard(file: Path, faces: Sequence[Face], more: dict[str, list] | None = None, **options: Any) -> None:
    """Write a shard as hubs do: an image is a struct of bytes and path."""
    file.parent.mkdir(parents=True, exist_ok=True)
    images = pa.array(
        [{"bytes": data, "path": name} for name, data in faces],
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    )
    pq.write_table(pa.table({"image": images, **(more or {})}), file, **options)


def write_hub(folder: Path, faces: list[Face], validation: str = "valid", named: bool = True) -> dict[str, int]:
    """Write two shards of train and one each of the others; give what the splits of the names are."""
    parts = {
        "train-00000-of-00002": range(0, 4),
        "train-00001-of-00002": range(4, 8),
        f"{validation}-00000-of-00001": range(8, 10),
        "test-00000-of-00001": range(10, 12),
    }
    splits = {}
    for shard, rows in parts.items():
        more = {"celeb_id": [7 * i for i in rows], "Bald": [i % 2 == 0 for i in rows], "Young": [i < 5 for i in rows]}
        names = [faces[i][0] if named else None for i in rows]
        write_shard(
            folder / f"{shard}.parquet", [(name, faces[i][1]) for name, i in zip(names, rows, strict=True)], more
        )
        code = {"train": 0, validation: 1, "test": 2}[shard.partition("-")[0]]
        splits |= {name or f"{shard}/{row:06d}": code for row, name in enumerate(names)}
    return splits


def splits_of(collection: ImageCollection) -> dict[str, int]:
    index = assign_splits(collection.image_ids, collection.partition, base_config(SplitConfig, by="partition"))
    return dict(zip(collection.image_ids, index.splits.tolist(), strict=True))


@pytest.mark.parametrize("below", ["data", "", "img_align+identity+attr", "flwrlabs--celeba/snapshots/1234/data"])
@pytest.mark.parametrize("validation", ["valid", "validation", "val"])
def test_a_hubs_shards_are_read(tmp_path: Path, celeba: Path, faces: list[Face], below: str, validation: str) -> None:
    splits = write_hub(celeba / below, faces, validation)
    CelebaSource().check(tmp_path)
    collection = CelebaSource().collect(tmp_path)
    assert list(collection.image_ids) == [name for name, _ in faces]
    assert [collection.read(name) for name, _ in faces] == [data for _, data in faces]
    assert splits_of(collection) == splits
    table = read_attributes(collection.attributes, collection.image_ids).table
    assert table["Bald"].tolist() == [1, -1] * 6
    assert table["Young"].tolist() == [1] * 5 + [-1] * 7
    assert table.columns.tolist() == ["Bald", "Young"]


def test_columns_that_are_not_used_are_logged(
    tmp_path: Path, celeba: Path, faces: list[Face], caplog: pytest.LogCaptureFixture
) -> None:
    write_hub(celeba / "data", faces)
    with caplog.at_level(logging.INFO):
        CelebaSource().collect(tmp_path)
    assert f"Not used of the columns of the shards in {celeba / 'data'}: celeb_id." in caplog.text


def test_without_paths_an_image_is_called_by_shard_and_row(tmp_path: Path, celeba: Path, faces: list[Face]) -> None:
    splits = write_hub(celeba / "data", faces, named=False)
    collection = CelebaSource().collect(tmp_path)
    expected = ["train-00000-of-00002/000000", "train-00000-of-00002/000001"]
    assert list(collection.image_ids)[:2] == [f"data/{name}" for name in expected]
    assert [collection.read(name) for name in collection.image_ids] == [data for _, data in faces]
    assert splits_of(collection) == {f"data/{name}": code for name, code in splits.items()}
    assert read_attributes(collection.attributes, collection.image_ids).faults == {}


@pytest.mark.parametrize("names", [["a.jpg", "a.jpg"], ["a.jpg", ""], ["a.jpg", None]])
def test_paths_that_do_not_tell_all_images_apart_are_not_used(
    tmp_path: Path, celeba: Path, faces: list[Face], names: list
) -> None:
    write_shard(celeba / "train.parquet", [(name, data) for name, (_, data) in zip(names, faces, strict=False)])
    assert list(CelebaSource().collect(tmp_path).image_ids) == ["train/000000", "train/000001"]


@pytest.mark.parametrize(
    ("shards", "splits"),
    [
        (["default/train/0000.parquet", "default/validation/0000.parquet", "default/test/0000.parquet"], [0, 1, 2]),
        (["partial-train/0000.parquet", "partial-train/0001.parquet", "test/0000.parquet"], [0, 0, 2]),
        (["parquet-train-00000-of-00002.parquet", "parquet-train-00001-of-00002.parquet"], None),
        (["train-00000-of-00002-0795cd15de49d982.parquet", "train-00001-of-00002-cc4e65d3c409db82.parquet"], None),
        (["parquet-train-00000-of-00001.parquet", "parquet-validation-00000-of-00001.parquet"], [0, 1]),
        (["test-00000-of-00001-0795cd15de49d982.parquet", "train-00000-of-00001-92f813f497ecaae7.parquet"], [2, 0]),
        (["TRAIN.PARQUET", "Val.parquet", "test.parquet"], [0, 1, 2]),
        (["celeba.parquet"], None),
    ],
)
def test_splits_are_told_by_the_names_of_shards_or_their_folders(
    tmp_path: Path, celeba: Path, faces: list[Face], shards: list[str], splits: list[int] | None
) -> None:
    for shard, face in zip(shards, faces, strict=False):
        write_shard(celeba / shard, [face])
    collection = CelebaSource().collect(tmp_path)
    assert {name: collection.read(name) for name in collection.image_ids} == dict(faces[: len(shards)])
    if splits is None:
        assert collection.partition is None
    else:
        assert splits_of(collection) == {faces[i][0]: split for i, split in enumerate(splits)}
    assert collection.attributes is None


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
@pytest.mark.parametrize("column", ["image", "img", "jpg"])
def test_images_may_be_a_column_of_plain_bytes(
    tmp_path: Path, celeba: Path, faces: list[Face], column: str, kind: pa.DataType
) -> None:
    celeba.mkdir()
    table = pa.table({"id": [1, 2], column: pa.array([data for _, data in faces[:2]], kind)})
    pq.write_table(table, celeba / "train.parquet")
    collection = CelebaSource().collect(tmp_path)
    assert [collection.read(name) for name in collection.image_ids] == [data for _, data in faces[:2]]


def test_names_in_any_order_are_found(tmp_path: Path, celeba: Path, faces: list[Face]) -> None:
    shuffled = [faces[i] for i in (5, 2, 9, 0, 1, 11, 3)]
    write_shard(celeba / "train.parquet", shuffled)
    collection = CelebaSource().collect(tmp_path)
    assert list(collection.image_ids) == [name for name, _ in shuffled]
    assert {name: collection.read(name) for name in collection.image_ids} == dict(shuffled)
    part = pickle.loads(pickle.dumps(collection.subset([name for name, _ in shuffled[2:5]])))
    assert [part.read(name) for name in part.image_ids] == [data for _, data in shuffled[2:5]]


def test_lists_count_before_what_the_shards_say(tmp_path: Path, celeba: Path, faces: list[Face]) -> None:
    write_hub(celeba / "data", faces)
    (celeba / "list_eval_partition.txt").write_text("".join(f"{name} 0\n" for name, _ in faces))
    collection = CelebaSource().collect(tmp_path)
    assert set(splits_of(collection).values()) == {0}
    assert read_attributes(collection.attributes, collection.image_ids).table.columns.tolist() == ["Bald", "Young"]


@pytest.mark.parametrize(
    ("removed", "said"),
    [
        (["data/train-00001-of-00002"], "Of 2 shards .* 1 is missing: data/train-00001-of-00002.parquet"),
        (["data/train-00000-of-00002"], "1 is missing: data/train-00000-of-00002.parquet. Download what is missing"),
    ],
)
def test_a_missing_shard_is_one_clear_error(
    tmp_path: Path, celeba: Path, faces: list[Face], removed: list[str], said: str
) -> None:
    write_hub(celeba / "data", faces)
    for shard in removed:
        (celeba / f"{shard}.parquet").unlink()
    for method in (CelebaSource().check, CelebaSource().collect):
        with pytest.raises(DataError, match=said) as error:
            method(tmp_path)
        assert len(str(error.value).splitlines()) == 1
    # what the message says to do
    (left,) = (celeba / "data").glob("train-*")
    left.rename(left.with_name("train.parquet"))
    assert len(CelebaSource().collect(tmp_path).image_ids) == 8


def test_missing_shards_are_told_without_looking_into_the_others(tmp_path: Path, celeba: Path) -> None:
    (celeba / "data").mkdir(parents=True)
    (celeba / "data/train-00000-of-00019.parquet").write_bytes(b"PAR1" + bytes(64) + b"PAR1")
    said = "18 are missing: data/train-00001-of-00019.parquet, .* and 15 more"
    with pytest.raises(DataError, match=said):
        CelebaSource().check(tmp_path)
    (celeba / "data/train-00000-of-00019.parquet").rename(celeba / "data/0001.parquet")
    with pytest.raises(DataError, match=r"1 is missing: data/0000.parquet. Download what is missing\.$"):
        CelebaSource().check(tmp_path)


@pytest.mark.parametrize("keep", [0, 3, 100, -5])
def test_a_truncated_shard_is_one_clear_error(tmp_path: Path, celeba: Path, faces: list[Face], keep: int) -> None:
    write_hub(celeba / "data", faces)
    shard = celeba / "data/train-00001-of-00002.parquet"
    os.truncate(shard, keep % shard.stat().st_size)
    with pytest.raises(DataError, match=rf"^{shard} is damaged or was not downloaded to its end .* again\.$"):
        CelebaSource().check(tmp_path)


def test_a_pointer_of_git_lfs_is_told(tmp_path: Path, celeba: Path) -> None:
    celeba.mkdir()
    (celeba / "train.parquet").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n")
    with pytest.raises(DataError, match=r"train.parquet only says where the file is .* git lfs pull"):
        CelebaSource().check(tmp_path)


def test_files_that_hold_no_images_or_others_are_one_clear_error(
    tmp_path: Path, celeba: Path, faces: list[Face]
) -> None:
    celeba.mkdir()
    pq.write_table(pa.table({"image_id": ["a"], "Bald": [True]}), celeba / "train.parquet")
    with pytest.raises(DataError, match=r"has no column of images.*its columns: image_id, Bald\."):
        CelebaSource().check(tmp_path)
    write_shard(celeba / "train.parquet", faces[:2], {"mask": [b"1", b"2"], "Bald": [True, False]})
    CelebaSource().check(tmp_path)
    write_shard(celeba / "test.parquet", faces[2:4])
    with pytest.raises(DataError, match=r"test.parquet has other columns than .*train.parquet|train.parquet has other"):
        CelebaSource().check(tmp_path)


def test_an_image_that_is_not_there_is_told_from_the_others(tmp_path: Path, celeba: Path, faces: list[Face]) -> None:
    write_shard(celeba / "train.parquet", [faces[0], ("none.jpg", None), faces[1]])
    collection = CelebaSource().collect(tmp_path)
    assert [collection.read(name) for name, _ in faces[:2]] == [data for _, data in faces[:2]]
    with pytest.raises(BadImageError, match="holds no image"):
        collection.read("none.jpg")


def test_damage_within_a_shard_is_told_of_its_images(tmp_path: Path, celeba: Path, faces: list[Face]) -> None:
    write_shard(celeba / "train.parquet", faces, row_group_size=4, compression="none", use_dictionary=False)
    collection = CelebaSource().collect(tmp_path)
    file = pq.ParquetFile(celeba / "train.parquet")
    column = file.metadata.row_group(1).column(0)
    data = bytearray((celeba / "train.parquet").read_bytes())
    data[column.data_page_offset : column.data_page_offset + 40] = b"\xff" * 40
    (celeba / "train.parquet").write_bytes(data)
    for position, (name, expected) in enumerate(faces):
        if 4 <= position < 8:
            with pytest.raises(BadImageError, match=r"train\.parquet is damaged"):
                collection.read(name)
        else:
            assert collection.read(name) == expected


@pytest.mark.parametrize("row_group_size", [1, 7, 64, 100_000])
def test_many_threads_read_rows_in_any_order_in_little_memory(
    tmp_path: Path, row_group_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "BATCH_ROWS", 16)
    monkeypatch.setattr(parquet, "KEPT_BATCHES", 3)
    data = [os.urandom(100 + i) for i in range(300)]
    for shard in range(3):
        rows = data[100 * shard : 100 * (shard + 1)]
        write_shard(tmp_path / f"{shard}.parquet", [(None, each) for each in rows], row_group_size=row_group_size)
    files = ParquetFiles([tmp_path / f"{shard}.parquet" for shard in range(3)])
    assert len(files) == 300
    order = [*range(300), *np.random.default_rng(0).permutation(300).tolist(), *reversed(range(300))]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(files.read, order)) == [data[row] for row in order]
    assert sum(array.nbytes for array in files._kept.values()) <= 3 * 16 * 500


def test_a_shard_that_changed_meanwhile_is_not_read_elsewhere(tmp_path: Path, faces: list[Face]) -> None:
    write_shard(tmp_path / "a.parquet", faces)
    sent = pickle.dumps(ParquetFiles([tmp_path / "a.parquet"]))
    os.utime(tmp_path / "a.parquet", ns=(0, 0))
    with pytest.raises(DataError, match="is not the file that it was"):
        pickle.loads(sent)


def test_the_state_changes_with_the_shards_and_only_then(tmp_path: Path, celeba: Path, faces: list[Face]) -> None:
    write_hub(celeba / "data", faces)
    first = CelebaSource().collect(tmp_path)
    again = CelebaSource().collect(tmp_path)
    assert (first.state, first.partition.state) == (again.state, again.partition.state)
    assert first.attributes.state == again.attributes.state
    os.utime(celeba / "data/test-00000-of-00001.parquet", ns=(0, 0))
    assert CelebaSource().collect(tmp_path).state != first.state


def test_without_pyarrow_one_message_says_how_to_install_it(
    tmp_path: Path, celeba: Path, faces: list[Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hub(celeba / "data", faces)
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        SettingError, match=r"needs pyarrow .*pip install -c constraints.txt -e '.\[parquet\]'"
    ) as error:
        CelebaSource().check(tmp_path)
    assert len(str(error.value).splitlines()) == 1


def test_shards_give_the_arrays_of_the_folder(faces: list[Face], project: Path, run_kedro: Callable) -> None:
    """A whole data_engineering of shards, and of the same images in a folder with lists."""
    celeba = project / "data/01_raw/celeba"
    splits = write_hub(celeba / "data", faces)
    arguments = ["--pipelines", "data_engineering", "--params", "data_engineering.image_size=32"]
    process = run_kedro(project, *arguments)
    assert process.returncode == 0, process.stdout
    made = project / "data/05_model_input"
    kinds = ("images.npy", "attributes.csv")
    first = {f"{split}_{kind}": (made / f"{split}_{kind}").read_bytes() for split in splits_named() for kind in kinds}
    for shard in (celeba / "data").iterdir():
        shard.unlink()
    (celeba / "img_align_celeba").mkdir()
    for name, data in faces:
        (celeba / "img_align_celeba" / str(name)).write_bytes(data or b"")
    (celeba / "list_eval_partition.txt").write_text("".join(f"{name} {code}\n" for name, code in splits.items()))
    lines = [f"{name} {1 if i % 2 == 0 else -1} {1 if i < 5 else -1}\n" for i, (name, _) in enumerate(faces)]
    (celeba / "list_attr_celeba.txt").write_text(f"12\nBald Young\n{''.join(lines)}")
    process = run_kedro(project, *arguments)
    assert process.returncode == 0, process.stdout
    assert {name: (made / name).read_bytes() for name in first} == first


def splits_named() -> tuple[str, ...]:
    return ("train", "validation", "test")


@pytest.mark.parametrize(
    "kind",
    [
        pa.array([1, 0] * 6, pa.int8()),
        pa.array([1, -1] * 6, pa.int64()),
        pa.array([1.0, -1.0] * 6),
        pa.array(["True", "False"] * 6),
        pa.array(["1", "-1"] * 6).dictionary_encode(),
        pa.array([True, False] * 6),
    ],
    ids=["0", "-1", "float", "text", "dictionary", "bool"],
)
def test_attributes_are_read_whatever_their_type(
    tmp_path: Path, celeba: Path, faces: list[Face], kind: pa.Array
) -> None:
    more = {"celeb_id": list(range(12)), "Smiling": kind, "caption": ["a, b"] * 12, "Male": [True] * 12}
    write_shard(celeba / "train-00000-of-00001.parquet", faces, more)
    collection = CelebaSource().collect(tmp_path)
    assert collection.attributes
    attributes = read_attributes(collection.attributes, collection.image_ids).table
    assert attributes.columns.tolist() == ["Smiling", "Male"]
    assert attributes["Smiling"].tolist() == [1, -1] * 6
    assert attributes["Male"].tolist() == [1] * 12

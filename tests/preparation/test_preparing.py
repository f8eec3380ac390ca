import codecs
import hashlib
import logging
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from base_config import base_config
from PIL import Image

from celeba_vae.config import DataEngineeringConfig, SplitConfig
from celeba_vae.errors import DataError
from celeba_vae.preparation.preparing import PreparedImages, prepare_images
from celeba_vae.preparation.sources import CelebaSource, FolderSource
from celeba_vae.preparation.splits import assign_splits
from celeba_vae.storage.npy import NpyRows

WriteCeleba = Callable[..., list[str]]
SPLITS = ("train", "validation", "test")


def prepare(raw_folder: Path, folder: Path, **parameters: Any) -> PreparedImages:
    config = base_config(DataEngineeringConfig, **parameters)
    originals = CelebaSource().collect(raw_folder)
    return prepare_images(
        originals, assign_splits(originals.image_ids, originals.partition, config.split), config, folder
    )


def content(prepared: PreparedImages) -> dict[str, str]:
    """The hash of each array's file."""
    return {split: hashlib.sha256(file.read_bytes()).hexdigest() for split, file in prepared.arrays.items()}


def table(prepared: PreparedImages) -> pd.DataFrame:
    """The index as a user reads it."""
    return pd.read_csv(prepared.index_file, keep_default_na=False, dtype={"image_id": str})


def expected_row(file: Path, size: int = 96) -> np.ndarray:
    return np.asarray(Image.open(file).crop((15, 35, 163, 183)).resize((size, size), Image.Resampling.BOX)).astype(
        float
    )


def link_many(raw_folder: Path, photograph: Callable[..., np.ndarray], count: int) -> None:
    """Write a few images under many names."""
    images = raw_folder / "celeba" / "img_align_celeba"
    images.mkdir(parents=True)
    for i in range(count):
        file = images / f"{i:06d}.jpg"
        if i < 20:
            Image.fromarray(photograph(i)).save(file, quality=92)
        else:
            os.link(images / f"{i % 20:06d}.jpg", file)


def test_every_row_is_the_image_that_the_index_says(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    partition = [0, 0, 1, 0, 2, 0, 1, 0, 2, 0]
    names = write_celeba(tmp_path / "celeba", 10, partition)
    prepared = prepare(tmp_path, tmp_path / "work")
    assert prepared.index.counts == {"train": 6, "validation": 2, "test": 2}
    assert table(prepared)["image_id"].tolist() == names
    assert table(prepared)["split"].tolist() == [SPLITS[value] for value in partition]
    for image_id, split, row in table(prepared)[["image_id", "split", "row"]].itertuples(index=False):
        images = np.load(prepared.arrays[split], mmap_mode="r")
        expected = expected_row(tmp_path / "celeba" / "img_align_celeba" / image_id)
        assert images.dtype == np.uint8
        assert np.abs(images[row] - expected).mean() < 0.5


@pytest.mark.parametrize(
    ("parameters", "shape"),
    [
        ({"image_size": 64}, (64, 64, 3)),
        ({"image_size": [40, 56]}, (40, 56, 3)),
        ({"crop": [30, 40, 130, 180]}, (96, 96, 3)),
        ({"crop": "none", "image_size": [218, 178]}, (218, 178, 3)),
    ],
)
def test_crop_and_size_are_parameters(
    tmp_path: Path, write_celeba: WriteCeleba, parameters: dict[str, Any], shape: tuple[int, int, int]
) -> None:
    names = write_celeba(tmp_path / "celeba", 2, [0, 0])
    config = base_config(DataEngineeringConfig, **parameters)
    prepared = prepare(tmp_path, tmp_path / "work", **parameters)
    with Image.open(tmp_path / "celeba" / "img_align_celeba" / names[0]) as original:
        cropped = (
            original.crop(config.crop or (0, 0, 178, 218))
            if config.crop != "auto"
            else original.crop((15, 35, 163, 183))
        )
    expected = np.asarray(cropped.resize((shape[1], shape[0]), Image.Resampling.BOX)).astype(float)
    images = np.load(prepared.arrays["train"])
    assert images.shape == (2, *shape)
    assert np.abs(images[0] - expected).mean() < 0.5


@pytest.mark.parametrize("crop", [[100, 0, 50, 90], [0, 50, 100, 50], [-1, 0, 10, 10]])
def test_an_empty_box_is_a_wrong_parameter(crop: list[int]) -> None:
    with pytest.raises(ValueError, match="left < right"):
        base_config(DataEngineeringConfig, crop=crop)


def test_bad_images_are_named_with_their_reason_and_left_out(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    names = write_celeba(tmp_path / "celeba", 12, [0] * 10 + [2] * 2)
    images = tmp_path / "celeba" / "img_align_celeba"
    good = (images / names[0]).read_bytes()
    (images / names[0]).write_bytes(good[: len(good) // 2])
    (images / names[3]).write_bytes(b"")
    (images / names[9]).write_bytes(b"<html>404</html>")
    (images / names[4]).unlink()
    (images / names[4]).symlink_to(images / "nowhere.jpg")
    Image.new("RGB", (147, 300)).save(images / names[10])
    bad = {
        names[0]: "damaged",
        names[3]: "damaged",
        names[9]: "damaged",
        names[4]: "unreadable",
        names[10]: "too small",
    }

    prepared = prepare(tmp_path, tmp_path / "work", max_bad_share=0.5, crop=148)
    index = table(prepared).set_index("image_id")
    assert index["status"].to_dict() == {name: bad.get(name, "ok") for name in names}
    assert (index["reason"] != "").to_dict() == {name: name in bad for name in names}
    assert index.loc[list(bad), "row"].tolist() == [-1] * 5
    assert prepared.index.counts == {"train": 6, "validation": 0, "test": 1}
    for split in SPLITS:
        rows = index.loc[(index["split"] == split) & (index["status"] == "ok"), "row"]
        assert sorted(rows) == list(range(prepared.index.counts[split]))
        array = np.load(prepared.arrays[split], mmap_mode="r")
        assert array.shape == (prepared.index.counts[split], 96, 96, 3)
        for image_id, row in rows.items():
            assert np.abs(array[row] - expected_row(images / image_id)).mean() < 0.5


def test_too_many_bad_images_stop_the_run_with_names_and_reasons(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    names = write_celeba(tmp_path / "celeba", 20, [0] * 20)
    for name in names[5:17]:
        (tmp_path / "celeba" / "img_align_celeba" / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"12 of 20 images .*max_bad_share = 1.00%") as error:
        prepare(tmp_path, tmp_path / "work")
    for name in names[5:12]:
        assert f"{name}: damaged: the file is empty" in str(error.value)
    assert names[12] not in str(error.value)
    assert len(str(error.value).splitlines()) <= 10
    assert prepare(tmp_path, tmp_path / "work", max_bad_share=0.6).index.counts["train"] == 8
    with pytest.raises(DataError, match=r"max_bad_share = 50\.00%"):
        prepare(tmp_path, tmp_path / "work", max_bad_share=0.5)


def test_a_crop_larger_than_all_images_says_so(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    write_celeba(tmp_path / "celeba", 3, [0, 0, 0])
    with pytest.raises(
        DataError, match=r"(?s)178x218 pixels do not hold the crop 200x200.*smaller data_engineering.crop"
    ):
        prepare(tmp_path, tmp_path / "work", crop=200)
    with pytest.raises(DataError, match="None of the 3 images is left to train on"):
        prepare(tmp_path, tmp_path / "work", crop=200, max_bad_share=1)


def test_any_folder_of_images_will_do(tmp_path: Path, photograph: Callable[..., np.ndarray]) -> None:
    (tmp_path / "photos" / "more").mkdir(parents=True)
    Image.fromarray(photograph(0, 300, 200)).save(tmp_path / "photos" / "large.png")
    Image.fromarray(photograph(1, 50, 60)).save(tmp_path / "photos" / "more" / "small.webp", lossless=True)
    originals = FolderSource(folder="photos").collect(tmp_path)
    split = base_config(SplitConfig, train=2, validation=0, test=0)
    config = base_config(DataEngineeringConfig, crop=None, split=split)
    prepared = prepare_images(originals, assign_splits(originals.image_ids, None, config.split), config, tmp_path / "w")
    images = np.load(prepared.arrays["train"]).astype(float)
    shrunk = Image.fromarray(photograph(0, 300, 200)).resize((96, 96), Image.Resampling.BOX)
    enlarged = Image.fromarray(photograph(1, 50, 60)).resize((96, 96), Image.Resampling.LANCZOS)
    assert np.abs(images[0] - shrunk).max() <= 1
    assert np.abs(images[1] - enlarged).max() <= 1


def test_the_bytes_do_not_depend_on_the_number_of_workers(
    tmp_path: Path, photograph: Callable[..., np.ndarray]
) -> None:
    link_many(tmp_path, photograph, 1500)
    (tmp_path / "celeba" / "img_align_celeba" / "000700.jpg").unlink()
    (tmp_path / "celeba" / "img_align_celeba" / "000700.jpg").write_bytes(b"")
    results = [prepare(tmp_path, tmp_path / f"work{workers}", workers=workers) for workers in (1, 3)]
    assert content(results[0]) == content(results[1])
    assert table(results[0]).equals(table(results[1]))
    assert (table(results[0])["status"] == "damaged").sum() == 1


def test_a_second_run_hands_on_what_is_there(
    tmp_path: Path, write_celeba: WriteCeleba, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_celeba(tmp_path / "celeba", 5, [0, 0, 0, 1, 2])
    first = prepare(tmp_path, tmp_path / "work")
    times = [file.stat().st_mtime_ns for file in first.arrays.values()]
    before = content(first)
    caplog.clear()
    second = prepare(tmp_path, tmp_path / "work", workers=1)
    assert "Nothing has changed" in caplog.text
    assert [file.stat().st_mtime_ns for file in second.arrays.values()] == times
    assert content(second) == before
    assert table(second).equals(table(first))
    prepare(tmp_path, tmp_path / "work", fresh=True)
    assert [file.stat().st_mtime_ns for file in second.arrays.values()] != times
    assert content(second) == before


def test_a_finished_array_that_was_lost_is_made_again(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    write_celeba(tmp_path / "celeba", 5, [0, 0, 0, 1, 2])
    prepared = prepare(tmp_path, tmp_path / "work")
    before = content(prepared)
    prepared.arrays["validation"].unlink()
    assert content(prepare(tmp_path, tmp_path / "work")) == before
    os.truncate(prepared.arrays["train"], 1000)
    assert content(prepare(tmp_path, tmp_path / "work")) == before


def test_what_changed_is_named_and_the_old_arrays_are_removed(
    tmp_path: Path, write_celeba: WriteCeleba, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_celeba(tmp_path / "celeba", 3, [0, 0, 0])
    first = prepare(tmp_path, tmp_path / "work")
    prepare(tmp_path, tmp_path / "work", crop=120)
    assert "data_engineering.crop: auto -> 120" in caplog.text
    assert not first.arrays["train"].exists()
    caplog.clear()
    (tmp_path / "celeba" / "img_align_celeba" / "000002.jpg").touch()
    prepare(tmp_path, tmp_path / "work", crop=120)
    assert "images: " in caplog.text
    caplog.clear()
    (tmp_path / "celeba" / "list_eval_partition.txt").write_text("000001.jpg 0\n000002.jpg 0\n000003.jpg 1")
    assert prepare(tmp_path, tmp_path / "work", crop=120).index.counts == {"train": 2, "validation": 1, "test": 0}
    assert "partition" in caplog.text


SCRIPT = """
from pathlib import Path
from sys import argv
from celeba_vae.config import DataEngineeringConfig
from celeba_vae.preparation.preparing import prepare_images
from celeba_vae.preparation.sources import CelebaSource
from celeba_vae.preparation.splits import assign_splits
config = DataEngineeringConfig.model_validate_json(argv[3])
originals = CelebaSource().collect(Path(argv[1]))
print("begin", flush=True)
prepare_images(originals, assign_splits(originals.image_ids, None, config.split), config, Path(argv[2]))
"""


def start(raw_folder: Path, work: Path) -> subprocess.Popen:
    """Prepare in a process of its own; give it when the preparation begins."""
    arguments = [str(raw_folder), str(work), base_config(DataEngineeringConfig).model_dump_json()]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout.readline() == b"begin\n"
    return process


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def stage(work: Path) -> str:
    """What a killed process leaves behind, in words."""
    ranges = len(list(work.glob("*/ranges/[!.]*.json")))
    marks = [name for name in ("means.npy", "finished.json", "tables.json") if list(work.glob(f"*/{name}"))]
    half_written = [path.name for path in work.rglob(".*") if path.suffix != ".lock"]
    return f"{ranges} ranges done, {', '.join(marks) or 'nothing finished'}, half written: {half_written or 'nothing'}"


@pytest.fixture(scope="module")
def many_images(tmp_path_factory: pytest.TempPathFactory, photograph: Callable[..., np.ndarray]) -> Path:
    """3,000 images, two of them damaged."""
    raw_folder = tmp_path_factory.mktemp("raw")
    link_many(raw_folder, photograph, 3000)
    for name in ("000100.jpg", "002000.jpg"):
        file = raw_folder / "celeba" / "img_align_celeba" / name
        file.unlink()
        file.write_bytes(b"")
    return raw_folder


@pytest.mark.slow
def test_a_killed_run_goes_on_without_redoing_what_is_done(
    tmp_path: Path, many_images: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def journal() -> dict[Path, int]:
        # a hidden file is one that is being written
        return {file: file.stat().st_mtime_ns for file in (tmp_path / "work").glob("*/ranges/[!.]*.json")}

    process = start(many_images, tmp_path / "work")
    while len(journal()) < 3 and process.poll() is None:
        time.sleep(0.001)
    kill(process)
    assert process.returncode == -signal.SIGKILL
    done = journal()
    assert not list((tmp_path / "work").glob("*/finished.json"))

    resumed = prepare(many_images, tmp_path / "work")
    assert "Going on" in caplog.text
    assert done.items() <= journal().items()
    uninterrupted = prepare(many_images, tmp_path / "other")
    assert content(resumed) == content(uninterrupted)
    assert table(resumed).equals(table(uninterrupted))


@pytest.mark.slow
def test_runs_killed_at_three_random_moments_end_in_the_same_bytes(tmp_path: Path, many_images: Path) -> None:
    seed = int(time.time())
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    begin = time.perf_counter()
    uninterrupted = start(many_images, tmp_path / "uninterrupted")
    uninterrupted.communicate()
    seconds = time.perf_counter() - begin

    for moment in rng.uniform(0, 0.5 * seconds, 3):
        process = start(many_images, tmp_path / "work")
        time.sleep(moment)
        kill(process)
        print(f"killed after {moment:.3f} s: {stage(tmp_path / 'work')}")
    resumed, expected = prepare(many_images, tmp_path / "work"), prepare(many_images, tmp_path / "uninterrupted")
    assert content(resumed) == content(expected)
    assert resumed.index_file.read_bytes() == expected.index_file.read_bytes()
    for split in SPLITS:
        np.testing.assert_array_equal(resumed.means[split], expected.means[split])


def test_a_full_disk_is_one_clear_error_and_the_next_run_goes_on(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    write_celeba(tmp_path / "celeba", 8, [0] * 8)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * 96 * 96 * 3, limits[1]))
    try:
        with pytest.raises(DataError, match=r"can't be written to .*work"):
            prepare(tmp_path, tmp_path / "work")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert prepare(tmp_path, tmp_path / "work").index.counts["train"] == 8


@pytest.fixture
def without_privileges() -> Iterator[Path]:
    """Give a folder, and take the right to read and write everything away from root."""
    user = os.geteuid()
    # Python loads an encoding at its first use, from where only root may read it
    codecs.lookup("utf-8-sig")
    # tmp_path lies below a folder that is its owner's alone
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)


def test_an_image_without_permission_is_named(without_privileges: Path, write_celeba: WriteCeleba) -> None:
    names = write_celeba(without_privileges / "celeba", 4, [0] * 4)
    (without_privileges / "celeba" / "img_align_celeba" / names[2]).chmod(0)
    index = table(prepare(without_privileges, without_privileges / "work", max_bad_share=0.5)).set_index("image_id")
    assert index.loc[names[2], ["status", "reason"]].tolist() == ["unreadable", "Permission denied"]
    assert index["row"].tolist() == [0, 1, -1, 2]


def test_images_that_become_readable_are_used_by_the_next_run(
    without_privileges: Path, write_celeba: WriteCeleba
) -> None:
    names = write_celeba(without_privileges / "celeba", 4, [0] * 4)
    image = without_privileges / "celeba" / "img_align_celeba" / names[2]
    image.chmod(0)
    with pytest.raises(DataError, match="Permission denied"):
        prepare(without_privileges, without_privileges / "work")
    image.chmod(0o644)
    assert prepare(without_privileges, without_privileges / "work").index.counts["train"] == 4


@pytest.mark.parametrize("name", ["celeba", "celeba/img_align_celeba", "celeba/list_eval_partition.txt"])
def test_originals_without_permission_are_one_clear_error(
    without_privileges: Path, write_celeba: WriteCeleba, name: str
) -> None:
    write_celeba(without_privileges / "celeba", 2, [0, 0])
    (without_privileges / name).chmod(0)
    try:
        with pytest.raises(DataError, match=rf"{without_privileges / name} can't be read: .*Permission denied"):
            prepare(without_privileges, without_privileges / "work")
    finally:
        (without_privileges / name).chmod(0o755)


def test_a_working_folder_without_permission_is_one_clear_error(
    without_privileges: Path, write_celeba: WriteCeleba
) -> None:
    write_celeba(without_privileges / "celeba", 2, [0, 0])
    (without_privileges / "data").mkdir(mode=0o555)
    with pytest.raises(DataError, match=r"can't be written to .*data/work: Permission denied"):
        prepare(without_privileges, without_privileges / "data" / "work")


def test_a_disk_without_room_is_named_before_anything_is_written(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    write_celeba(tmp_path / "celeba", 4, [0, 0, 1, 2])
    side = int((shutil.disk_usage(tmp_path).free / 6) ** 0.5)
    with pytest.raises(DataError, match=r"need [\d,.]+ GB more in .*only [\d,.]+ GB are free") as error:
        prepare(tmp_path, tmp_path / "work", image_size=side)
    needed, free = (float(number.replace(",", "")) for number in re.findall(r"([\d,.]+) GB", str(error.value)))
    assert needed == pytest.approx(4 * side * side * 3 / 1e9, abs=0.006)
    assert free < needed
    assert not list((tmp_path / "work").glob("*/*.npy"))


def test_what_is_already_on_the_disk_needs_no_room(tmp_path: Path) -> None:
    array = NpyRows(tmp_path / "rows.npy", 100, (96, 96, 3))
    whole = array.size(100)
    assert array.missing_bytes() == whole
    array.allocate()
    assert whole - 8192 <= array.missing_bytes() <= whole
    array.write(10, np.ones((50, 96, 96, 3), np.uint8))
    assert array.missing_bytes() == pytest.approx(whole / 2, rel=0.01)


def test_a_zip_gives_the_bytes_that_the_folder_gives(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    names = write_celeba(tmp_path / "celeba", 9, [0, 1, 2] * 3)
    images = tmp_path / "celeba" / "img_align_celeba"
    (images / names[4]).write_bytes(b"")
    (tmp_path / "zipped" / "celeba").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "zipped" / "celeba" / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "celeba" / "list_eval_partition.txt", "list_eval_partition.txt")
        for name in names:
            archive.write(images / name, f"img_align_celeba/img_align_celeba/{name}")
    folder = prepare(tmp_path, tmp_path / "work", max_bad_share=0.5)
    zipped = prepare(tmp_path / "zipped", tmp_path / "work2", max_bad_share=0.5, workers=3)
    assert content(zipped) == content(folder)
    assert table(zipped).equals(table(folder))


def test_a_damaged_member_of_a_zip_is_left_out_by_name(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    names = write_celeba(tmp_path / "made", 5)
    (tmp_path / "celeba").mkdir()
    archive = tmp_path / "celeba" / "img_align_celeba.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for name in names:
            opened.write(tmp_path / "made" / "img_align_celeba" / name, name)
        offset = opened.getinfo(names[2]).header_offset
    data = bytearray(archive.read_bytes())
    data[offset + 3000] ^= 0xFF
    archive.write_bytes(data)
    index = table(prepare(tmp_path, tmp_path / "work", max_bad_share=0.5)).set_index("image_id")
    assert index["status"].to_dict() == {name: "damaged" if name == names[2] else "ok" for name in names}
    assert "checksum" in index.loc[names[2], "reason"]


def test_attributes_stand_in_the_order_of_the_arrays(tmp_path: Path, write_celeba: WriteCeleba) -> None:
    names = write_celeba(tmp_path / "celeba", 12, [0] * 8 + [1] * 2 + [2] * 2)
    (tmp_path / "celeba" / "img_align_celeba" / names[1]).write_bytes(b"")
    values = np.random.default_rng(3).choice([-1, 1], (12, 40))
    lines = [f"{name}  {' '.join(f'{value:2}' for value in row)}" for name, row in zip(names, values, strict=True)]
    # a short line, and an image that is not listed
    lines[5] = lines[5][:-3]
    del lines[9]
    attributes = [f"Attribute_{i}" for i in range(40)]
    text = "\n".join(["12", " ".join(attributes), *lines])
    (tmp_path / "celeba" / "list_attr_celeba.txt").write_text(text)

    prepared = prepare(tmp_path, tmp_path / "work", max_bad_share=0.5)
    index = table(prepared).set_index("image_id")
    expected = dict(zip(names, values.tolist(), strict=True))
    expected[names[5]] = expected[names[9]] = [0] * 40
    for split in SPLITS:
        frame = pd.read_csv(prepared.attributes[split])
        assert list(frame.columns) == ["image_id", *attributes]
        rows = index[(index["split"] == split) & (index["row"] >= 0)].sort_values("row")
        assert frame["image_id"].tolist() == rows.index.tolist()
        assert len(frame) == len(np.load(prepared.arrays[split]))
        assert frame[attributes].to_numpy().tolist() == [expected[name] for name in frame["image_id"]]
    assert index.loc[names[5], "status"] == index.loc[names[9], "status"] == "no attributes"
    assert "has 40 cells, not 41" in index.loc[names[5], "reason"]
    assert index.loc[names[9], "reason"] == "not in list_attr_celeba.txt"
    assert index.loc[names[1], "status"] == "damaged"
    assert prepared.index.statuses == {"damaged": 1, "no attributes": 2, "ok": 9}
    with pytest.raises(
        DataError, match=r"2 of 12 images have no attributes.*000006.jpg: line 8 of list_attr.*Repair the list"
    ):
        prepare(tmp_path, tmp_path / "other")


def test_a_changed_attribute_list_is_read_again_without_preparing_again(
    tmp_path: Path, write_celeba: WriteCeleba, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    names = write_celeba(tmp_path / "celeba", 4, [0, 0, 1, 2])
    prepared = prepare(tmp_path, tmp_path / "work")
    assert "There is no attribute list" in caplog.text
    assert prepared.attributes["train"].read_text() == "image_id\n"
    assert prepared.index.statuses == {"ok": 4}
    for value in ("1", "-1"):
        rows = "".join(f"{name},{value}\n" for name in names)
        (tmp_path / "celeba" / "list_attr_celeba.csv").write_text(f"image_id,Young\n{rows}")
        caplog.clear()
        again = prepare(tmp_path, tmp_path / "work")
        assert "Nothing has changed" in caplog.text
        assert again.attributes["train"].read_text() == f"image_id,Young\n{names[0]},{value}\n{names[1]},{value}\n"


def test_the_mean_image_is_that_of_the_array(tmp_path: Path, many_images: Path) -> None:
    prepared = prepare(many_images, tmp_path / "work")
    for split in SPLITS:
        expected = np.load(prepared.arrays[split]).astype(float).mean(axis=0)
        assert np.abs(prepared.means[split] - expected).max() <= 0.5 + 1e-9


def test_progress_and_summary_stand_in_the_log(
    tmp_path: Path, write_celeba: WriteCeleba, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_celeba(tmp_path / "celeba", 4, [0, 0, 1, 2])
    prepare(tmp_path, tmp_path / "work")
    (line,) = [record.message for record in caplog.records if record.message.startswith("Prepared")]
    assert "2 train, 1 validation, 1 test images, 0 bad" in line
    assert "crop 148x148 at the centre, size 96x96" in line
    assert "images/s" in line

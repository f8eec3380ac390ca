import hashlib
import logging
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from celeba_vae.config import DataEngineeringConfig, SplitConfig
from celeba_vae.errors import DataError
from celeba_vae.imaging.preparation import PreparedImages, prepare_images
from celeba_vae.imaging.sources import CelebaSource, FolderSource
from celeba_vae.imaging.splits import assign_splits

WriteCeleba = Callable[..., list[str]]
SPLITS = ("train", "validation", "test")


def prepare(raw_folder: Path, folder: Path, **parameters: Any) -> PreparedImages:
    config = DataEngineeringConfig(**parameters)
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
    config = DataEngineeringConfig(**parameters)
    prepared = prepare(tmp_path, tmp_path / "work", **parameters)
    with Image.open(tmp_path / "celeba" / "img_align_celeba" / names[0]) as original:
        cropped = (
            original.crop(config.crop or (0, 0, 178, 218)) if config.crop != 148 else original.crop((15, 35, 163, 183))
        )
    expected = np.asarray(cropped.resize((shape[1], shape[0]), Image.Resampling.BOX)).astype(float)
    images = np.load(prepared.arrays["train"])
    assert images.shape == (2, *shape)
    assert np.abs(images[0] - expected).mean() < 0.5


@pytest.mark.parametrize("crop", [[100, 0, 50, 90], [0, 50, 100, 50], [-1, 0, 10, 10]])
def test_an_empty_box_is_a_wrong_parameter(crop: list[int]) -> None:
    with pytest.raises(ValueError, match="left < right"):
        DataEngineeringConfig(crop=crop)


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

    prepared = prepare(tmp_path, tmp_path / "work", max_bad_share=0.5)
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
    for name in names[5:15]:
        assert f"{name}: damaged: the file is empty" in str(error.value)
    assert names[15] not in str(error.value)
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
    config = DataEngineeringConfig(crop=None, split=SplitConfig(train=2, validation=0, test=0))
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
    assert "data_engineering.crop: 148 -> 120" in caplog.text
    assert not first.arrays["train"].exists()
    caplog.clear()
    (tmp_path / "celeba" / "img_align_celeba" / "000002.jpg").touch()
    prepare(tmp_path, tmp_path / "work", crop=120)
    assert "images.state" in caplog.text
    caplog.clear()
    (tmp_path / "celeba" / "list_eval_partition.txt").write_text("000001.jpg 0\n000002.jpg 0\n000003.jpg 1")
    assert prepare(tmp_path, tmp_path / "work", crop=120).index.counts == {"train": 2, "validation": 1, "test": 0}
    assert "partition" in caplog.text


def test_a_killed_run_goes_on_to_the_same_bytes(
    tmp_path: Path, photograph: Callable[..., np.ndarray], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    link_many(tmp_path, photograph, 4000)
    (tmp_path / "celeba" / "img_align_celeba" / "000100.jpg").unlink()
    script = f"""
        from pathlib import Path
        from celeba_vae.config import DataEngineeringConfig
        from celeba_vae.imaging.preparation import prepare_images
        from celeba_vae.imaging.sources import CelebaSource
        from celeba_vae.imaging.splits import assign_splits
        config = DataEngineeringConfig(workers=1)
        originals = CelebaSource().collect(Path({str(tmp_path)!r}))
        splits = assign_splits(originals.image_ids, None, config.split)
        prepare_images(originals, splits, config, Path({str(tmp_path)!r}) / "work")
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)])

    def journal() -> dict[Path, int]:
        # a hidden file is one that is being written
        files = (tmp_path / "work").glob("*/ranges/[!.]*.json")
        return {file: file.stat().st_mtime_ns for file in files}

    while len(journal()) < 3 and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = journal()
    assert not list((tmp_path / "work").glob("*/finished.json"))

    resumed = prepare(tmp_path, tmp_path / "work")
    assert "Going on" in caplog.text
    assert done.items() <= journal().items()
    uninterrupted = prepare(tmp_path, tmp_path / "other")
    assert content(resumed) == content(uninterrupted)
    assert table(resumed).equals(table(uninterrupted))


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

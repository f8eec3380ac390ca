import io
import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image

from celeba_vae.pipelines.data_engineering import create_pipeline

RunKedro = Callable[..., CompletedProcess[str]]
WriteCeleba = Callable[..., list[str]]
ARRAYS = ("train_images", "validation_images", "test_images")


def latest(project: Path, name: str) -> Path:
    return sorted((project / "data" / "08_reporting" / name).glob(f"*/{name}"))[-1]


def test_the_graph_starts_from_the_originals_and_ends_in_arrays() -> None:
    pipeline = create_pipeline()
    assert pipeline.inputs() == {"raw_folder", "params:data_engineering", "preparation_folder"}
    assert pipeline.outputs() == {
        "train_attributes",
        "validation_attributes",
        "test_attributes",
        "image_index",
        "preview_grid",
        "crop_boxes",
        "mean_images",
    }
    assert {*ARRAYS, "data_summary"} <= pipeline.all_outputs()


def test_from_celeba_to_arrays_and_again(
    project: Path, run_kedro_process: RunKedro, run_kedro: RunKedro, write_celeba: WriteCeleba
) -> None:
    names = write_celeba(project / "data" / "01_raw" / "celeba", 30, [0] * 24 + [1] * 2 + [2] * 4)
    damaged = project / "data" / "01_raw" / "celeba" / "img_align_celeba" / names[7]
    damaged.write_bytes(damaged.read_bytes()[:1000])
    arguments = ("--pipelines", "data_engineering", "--params", "data_engineering.max_bad_share=0.1")

    first = run_kedro_process(project, *arguments, environment={"PYTHONPROFILEIMPORTTIME": "1"})
    assert first.returncode == 0, first.stderr
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in first.stderr.splitlines() if "|" in line}
    assert "kedro" in imported
    assert not imported & {"tensorflow", "keras"}

    arrays = {name: np.load(project / "data" / "05_model_input" / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    assert [arrays[name].shape for name in ARRAYS] == [(23, 96, 96, 3), (2, 96, 96, 3), (4, 96, 96, 3)]
    index = pd.read_csv(project / "data" / "02_intermediate" / "image_index.csv", index_col="image_id")
    assert index.index.tolist() == names
    assert list(index.columns) == ["split", "row", "status", "reason"]
    assert index.loc[names[7], ["split", "row", "status"]].tolist() == ["train", -1, "damaged"]
    assert sorted(index.loc[index["split"] == "train", "row"]) == [-1, *range(23)]

    summary = json.loads(latest(project, "data_summary.json").read_text())
    assert summary["images"] == {"train": 23, "validation": 2, "test": 4}
    assert summary["statuses"] == {"damaged": 1, "ok": 29}
    assert summary["crop_box_of_first_image"] == [15, 35, 163, 183]
    assert summary["bytes"] == sum(file.stat().st_size for file in (project / "data" / "05_model_input").glob("*.npy"))
    for picture in ("preview_grid.png", "crop_boxes.png", "mean_images.png"):
        assert Image.open(latest(project, picture)).width > 500

    again = run_kedro(project, *arguments)
    assert again.returncode == 0, again.stderr
    assert "Nothing has changed" in again.stdout + again.stderr
    assert len(list((project / "data" / "08_reporting" / "data_summary.json").iterdir())) == 2
    np.testing.assert_array_equal(
        np.load(project / "data" / "05_model_input" / "train_images.npy"), arrays["train_images"]
    )


def test_kaggles_archive_is_read_where_it_lies(project: Path, run_kedro: RunKedro, write_celeba: WriteCeleba) -> None:
    made = project / "made"
    names = write_celeba(made, 12)
    raw = project / "data" / "01_raw" / "celeba"
    raw.mkdir()
    with zipfile.ZipFile(raw / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(made / "img_align_celeba" / name, f"img_align_celeba/img_align_celeba/{name}")
        partition = "".join(f"{name},{i % 3}\n" for i, name in enumerate(names))
        archive.writestr("list_eval_partition.csv", f"image_id,partition\n{partition}000099.jpg,0\n")
        attributes = "".join(f"{name},{-1 if i < 6 else 1},1\n" for i, name in enumerate(names[1:], start=1))
        archive.writestr("list_attr_celeba.csv", f"image_id,Bald,Young\n{attributes}")
    process = run_kedro(project, "--pipelines", "data_engineering", "--params", "data_engineering.max_bad_share=0.2")
    assert process.returncode == 0, process.stderr
    assert sorted(path.name for path in raw.iterdir()) == ["archive.zip"]
    bootstrap_project(project)
    with KedroSession.create(project, env="base") as session:
        catalog = session.load_context().catalog
        tables = {split: catalog.load(f"{split}_attributes") for split in ("train", "validation", "test")}
        index = catalog.load("image_index").set_index("image_id")
    for i, (split, frame) in enumerate(tables.items()):
        assert frame["image_id"].tolist() == names[i::3]
        assert (frame.dtypes[["Bald", "Young"]] == "int8").all()
        assert len(np.load(project / "data" / "05_model_input" / f"{split}_images.npy")) == len(frame)
    assert tables["train"]["Bald"].tolist() == [0, -1, 1, 1]
    assert tables["test"]["Bald"].tolist() == [-1, -1, 1, 1]
    assert index.loc[names[0], "status"] == "no attributes"
    assert index.loc["000099.jpg", ["status", "row"]].tolist() == ["missing", -1]
    summary = json.loads(latest(project, "data_summary.json").read_text())
    assert summary["statuses"] == {"missing": 1, "no attributes": 1, "ok": 11}
    assert summary["split_by"] == "partition"


def test_the_first_images_of_celeba_beside_its_whole_lists_become_three_splits(
    project: Path, run_kedro: RunKedro, write_celeba: WriteCeleba
) -> None:
    raw = project / "data" / "01_raw" / "celeba"
    names = write_celeba(raw, 12)
    # as PNG files, where the lists name JPEGs
    for name in names:
        file = raw / "img_align_celeba" / name
        Image.open(file).save(file.with_suffix(".png"))
        file.unlink()
    splits = [0] * 162_770 + [1] * 19_867 + [2] * 19_962
    lines = [f"{i:06d}.jpg {split}" for i, split in enumerate(splits, start=1)]
    (raw / "list_eval_partition.txt").write_text("\n".join(lines))
    attributes = [f"{i:06d}.jpg,{i % 2}" for i in range(1, len(splits) + 1)]
    (raw / "list_attr_celeba.csv").write_text("\n".join(["image_id,Young", *attributes]))

    process = run_kedro(project, "--pipelines", "data_engineering")
    output = process.stdout + process.stderr
    assert process.returncode == 0, output
    assert "12 of the 202,599 listed images are here: 12 train, 0 validation, 0 test" in output
    assert "dealt out" in output
    data = project / "data"
    assert [len(np.load(data / "05_model_input" / f"{name}.npy")) for name in ARRAYS] == [10, 1, 1]
    index = pd.read_csv(data / "02_intermediate" / "image_index.csv", index_col="image_id")
    assert index.index.tolist() == [name.replace(".jpg", ".png") for name in names]
    table = pd.read_csv(data / "05_model_input" / "train_attributes.csv", index_col="image_id")
    assert table["Young"].to_dict() == {name: 1 if int(name[:6]) % 2 else -1 for name in table.index}
    summary = json.loads(latest(project, "data_summary.json").read_text())
    assert summary["statuses"] == {"missing": 202_587, "ok": 12}
    assert summary["split_by"] == "counts"

    kept = run_kedro(project, "--pipelines", "data_engineering", "--params", "data_engineering.split.by=partition")
    output = kept.stdout + kept.stderr
    assert kept.returncode == 0, output
    assert "There are no validation images: training can't stop early" in output
    assert "There are no test images" in output
    assert [len(np.load(data / "05_model_input" / f"{name}.npy")) for name in ARRAYS] == [12, 0, 0]


@pytest.mark.parametrize("name", ["list_eval_partition.csv", "list_attr_celeba.csv"])
def test_a_web_page_in_place_of_a_list_is_one_message(
    project: Path, run_kedro: RunKedro, write_celeba: WriteCeleba, name: str
) -> None:
    raw = project / "data" / "01_raw" / "celeba"
    write_celeba(raw, 3)
    (raw / name).write_text("<!DOCTYPE html><html><head><title>Sign in</title></head></html>")
    process = run_kedro(project, "--pipelines", "data_engineering")
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert f"{raw / name} is a web page, not a list: download it again. It begins with '<!DOCTYPE html>" in output
    assert "Traceback" not in output
    assert "000001.jpg" not in output


@pytest.mark.slow
def test_a_killed_run_leaves_no_partial_output_under_a_final_name(
    project: Path, run_kedro: RunKedro, write_celeba: WriteCeleba
) -> None:
    write_celeba(project / "data" / "01_raw" / "celeba", 12)
    arguments = ("--pipelines", "data_engineering", "--params", "data_engineering.image_size=1000")
    command = [sys.executable, "-m", "kedro", "run", *arguments]
    outputs = [project / "data" / name for name in ("05_model_input", "02_intermediate", "08_reporting")]

    def final_files() -> dict[Path, bytes]:
        found = (path for folder in outputs for path in folder.rglob("*") if path.is_file())
        return {
            path.relative_to(project): path.read_bytes()
            for path in found
            if "preparation" not in path.parts and not path.name.startswith(".")
        }

    seen = []
    for output in ("05_model_input/train_images.npy", "02_intermediate/image_index.csv"):
        process = subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (project / "data" / output).exists():
            time.sleep(0.001)
        process.kill()
        process.wait()
        seen.append(final_files())
        (project / "data" / output).unlink()
    assert run_kedro(project, *arguments).returncode == 0
    complete = final_files()
    for files in seen:
        assert files
        for path, content in files.items():
            if "08_reporting" not in path.parts:
                assert content == complete[path], path
            elif path.suffix == ".json":
                json.loads(content)
            else:
                Image.open(io.BytesIO(content)).load()


def test_the_demo_draws_its_own_images(project: Path, run_kedro: RunKedro) -> None:
    options = "data_engineering.source.count=40,data_engineering.image_size=32"
    process = run_kedro(project, "--env", "demo", "--pipelines", "data_engineering", "--params", options)
    assert process.returncode == 0, process.stderr
    folder = project / "data" / "demo" / "05_model_input"
    assert sum(len(np.load(folder / f"{name}.npy")) for name in ARRAYS) == 40
    assert np.load(folder / "train_images.npy").shape[1:] == (32, 32, 3)


def test_without_celeba_the_run_stops_at_once_and_says_what_to_do(project: Path, run_kedro_process: RunKedro) -> None:
    start = time.monotonic()
    process = run_kedro_process(project, environment={"PYTHONPROFILEIMPORTTIME": "1"})
    seconds = time.monotonic() - start
    assert process.returncode == 1
    output = process.stdout + process.stderr
    for words in (str(project / "data/01_raw/celeba"), "non-commercial research", "make demo", "CelebA.html"):
        assert words in output
    assert not re.search(r"\| +tensorflow$", process.stderr, re.MULTILINE)
    assert "Traceback" not in output
    assert not list((project / "data" / "05_model_input").iterdir())
    # three seconds on a quiet machine
    assert seconds < 15


def test_too_many_bad_images_are_one_message(project: Path, run_kedro: RunKedro, write_celeba: WriteCeleba) -> None:
    names = write_celeba(project / "data" / "01_raw" / "celeba", 5, [0] * 5)
    for name in names[:2]:
        (project / "data" / "01_raw" / "celeba" / "img_align_celeba" / name).write_bytes(b"not an image")
    process = run_kedro(project, "--pipelines", "data_engineering")
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert "2 of 5 images can't be used" in output
    assert f"{names[1]}: damaged: not an image" in output
    assert "Traceback" not in output

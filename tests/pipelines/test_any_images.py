"""Runs on images as people have them: the README's own lines, odd names and what is told of them, to the report."""

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from projects import ROOT
from small_models import save_small_model

from celeba_vae.preparation.cropping import resize

RunKedro = Callable[..., CompletedProcess[str]]
Photograph = Callable[..., np.ndarray]
ODD = "new\nline\r \x1b[31m\u202e\u202f.jpg"


def latest(project: Path, name: str) -> Path:
    return sorted((project / "data" / "08_reporting" / name).glob(f"*/{name}"))[-1]


def summary_of(project: Path) -> dict:
    return json.loads(latest(project, "data_summary.json").read_text())


def images_of(project: Path) -> np.ndarray:
    names = ("train_images", "validation_images", "test_images")
    return np.concatenate([np.load(project / "data" / "05_model_input" / f"{name}.npy") for name in names])


def save(file: Path, pixels: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


def source(folder: str) -> tuple[str, ...]:
    parameters = f"data_engineering.source.name=folder,data_engineering.source.folder={folder}"
    return ("--pipelines", "data_engineering", "--params", parameters)


def celeba_hq(raw: Path, photograph: Photograph) -> None:
    for i in range(4):
        save(raw / "celeba_hq" / "celeba_hq_256" / f"{i:05d}.jpg", photograph(i, 256, 256))


def mask_hq(raw: Path, photograph: Photograph) -> None:
    """CelebAMask-HQ as its zip holds it: faces of 1024, masks of 512, lists."""
    for i in range(4):
        save(raw / "CelebAMask-HQ" / "CelebA-HQ-img" / f"{i}.jpg", photograph(i, 1024, 1024))
        save(
            raw / "CelebAMask-HQ" / "CelebAMask-HQ-mask-anno" / "0" / f"{i:05d}_nose.png",
            np.zeros((512, 512), np.uint8),
        )
    (raw / "CelebAMask-HQ" / "CelebAMask-HQ-attribute-anno.txt").write_text("4\n")


def mask_hq_zip(raw: Path, photograph: Photograph) -> None:
    mask_hq(raw / "made", photograph)
    with zipfile.ZipFile(raw / "CelebAMask-HQ.zip", "w") as archive:
        for file in sorted((raw / "made").rglob("*")):
            archive.write(file, file.relative_to(raw / "made"))


def ffhq(raw: Path, photograph: Photograph) -> None:
    for i in (0, 1, 1000, 1001):
        save(raw / "ffhq" / "thumbnails128x128" / f"{i // 1000 * 1000:05d}" / f"{i:05d}.png", photograph(i, 128, 128))
    (raw / "ffhq" / "thumbnails128x128" / "LICENSE.txt").touch()


def lfw(raw: Path, photograph: Photograph) -> None:
    for i, name in enumerate(("Aaron_Eckhart", "Zico", "Zico", "Zorica_Radovic")):
        save(raw / "lfw" / "lfw" / name / f"{name}_{i:04d}.jpg", photograph(i, 250, 250))


def own_images(raw: Path, photograph: Photograph) -> None:
    for i in range(4):
        save(raw / "my_images" / "holiday" / f"{i}.tiff", photograph(i, 300, 200))


DOWNLOADS = {
    "CelebA-HQ": celeba_hq,
    "CelebAMask-HQ, unpacked": mask_hq,
    "CelebAMask-HQ, the zip": mask_hq_zip,
    "FFHQ": ffhq,
    "LFW": lfw,
    "your own images": own_images,
}


def readme_rows() -> dict[str, list[str]]:
    """The README's table of downloads that the source ``folder`` reads: the arguments of each row's command."""
    rows = re.findall(
        r"^\| (.*) \| (.*) \| `kedro run (--params .*source.name=folder.*)` \|$", (ROOT / "README.md").read_text(), re.M
    )
    return {what: arguments.split() for what, _, arguments in rows}


@pytest.mark.parametrize("download", DOWNLOADS)
def test_downloads_work_by_the_readmes_own_lines(
    project: Path, run_kedro: RunKedro, photograph: Photograph, download: str
) -> None:
    (arguments,) = (found for what, found in readme_rows().items() if what.startswith(f"{download}"))
    DOWNLOADS[download](project / "data" / "01_raw", photograph)
    process = run_kedro(project, "--pipelines", "data_engineering", *arguments)
    assert process.returncode == 0, process.stderr
    assert summary_of(project)["warnings"] == []
    index = pd.read_csv(project / "data" / "02_intermediate" / "image_index.csv")
    assert (index["status"] == "ok").all()
    assert images_of(project).shape == (4, 96, 96, 3)
    passed_over = {"LICENSE.txt": "passed over: 1 .txt"} if download == "FFHQ" else {}
    assert all(words in process.stdout + process.stderr for words in passed_over.values())


def test_every_download_of_the_readme_is_tried() -> None:
    assert len(readme_rows()) == len(DOWNLOADS)


def test_masks_beside_faces_are_told_and_the_faces_are_whole(
    project: Path, run_kedro: RunKedro, photograph: Photograph
) -> None:
    mask_hq(project / "data" / "01_raw", photograph)
    process = run_kedro(project, *source("CelebAMask-HQ"))
    assert process.returncode == 0, process.stderr
    output = process.stdout + process.stderr
    assert "passed over: 1 .txt" in output
    assert "4 of 1024x1024 RGB (in CelebA-HQ-img/), 4 of 512x512 grey (in CelebAMask-HQ-mask-anno/)" in output
    index = pd.read_csv(project / "data" / "02_intermediate" / "image_index.csv")
    (face,) = index[index["image_id"] == "CelebA-HQ-img/2.jpg"].itertuples()
    row = np.load(project / "data" / "05_model_input" / f"{face.split}_images.npy")[face.row]
    assert np.abs(row.astype(float) - resize(photograph(2, 1024, 1024), 96, 96)).mean() < 1


def test_a_name_with_a_line_break_is_drawn_and_told_with_a_replacement(
    project: Path, run_kedro: RunKedro, photograph: Photograph
) -> None:
    for i in range(3):
        save(project / "data" / "01_raw" / "mine" / f"{i}.jpg", photograph(i))
    save(project / "data" / "01_raw" / "mine" / ODD, photograph(3))
    process = run_kedro(project, *source("mine"))
    assert process.returncode == 0, process.stderr
    for picture in ("preview_grid.png", "crop_boxes.png"):
        assert Image.open(latest(project, picture)).width > 300
    index = pd.read_csv(project / "data" / "02_intermediate" / "image_index.csv")
    assert ODD in set(index["image_id"])
    (project / "data" / "01_raw" / "mine" / ODD).write_bytes(b"")
    process = run_kedro(project, *source("mine"))
    assert process.returncode == 1
    assert "new\ufffdline\ufffd \ufffd[31m\ufffd .jpg: damaged: the file is empty" in process.stdout + process.stderr


@pytest.mark.slow
def test_the_report_tells_of_the_originals_and_draws_odd_names_of_own_photos(
    project: Path, run_kedro: RunKedro, photograph: Photograph
) -> None:
    raw = project / "data" / "01_raw"
    for i in range(40):
        save(raw / "mine" / "faces" / f"{i}.jpg", photograph(i, 64, 64))
        save(raw / "mine" / "masks" / f"{i}.png", np.zeros((32, 32), np.uint8))
    for name in ("1.txt", "2.txt", "3.txt", "a.heic"):
        (raw / "mine" / name).touch()
    save(raw / "own_photos" / ODD, photograph(50))
    (raw / "own_photos" / f"broken {ODD}").write_bytes(b"")
    *command, parameters = source("mine")
    counts = "data_engineering.split.train=60,data_engineering.split.validation=10,data_engineering.split.test=10"
    prepared = run_kedro(project, *command, f"{parameters},{counts},data_engineering.image_size=16")
    assert prepared.returncode == 0, prepared.stderr
    save_small_model(project, "vae")

    few = "evaluation.variants=vae,evaluation.generated_count=16,evaluation.sweep_count=8,evaluation.samplers=normal"
    process = run_kedro(project, "--pipelines", "evaluation", "--params", few)

    output = process.stdout + process.stderr
    assert process.returncode == 0, output
    assert "broken new\ufffdline\ufffd \ufffd[31m\ufffd .jpg is left out: the file is empty" in output
    report = latest(project, "report.html").read_text()
    for words in ("Passed over", "3 .txt, 1 .heic", "40 of 32x32 grey, 40 of 64x64 RGB", "in faces/", "in masks/"):
        assert words in report, words

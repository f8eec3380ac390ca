"""CelebA's form: images and lists, repeatable bytes, nothing left of what was not finished."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from celeba_vae.synthetic import drawn_celeba
from celeba_vae.synthetic.drawn_celeba import write_synthetic_celeba
from celeba_vae.synthetic.portrait import paint_face
from celeba_vae.synthetic.random_traits import sample_traits
from celeba_vae.synthetic.traits import ATTRIBUTE_NAMES, attributes_of

COUNT = 60


@pytest.fixture(scope="module")
def celeba(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "celeba"
    write_synthetic_celeba(folder, count=COUNT, seed=5, workers=1)
    return folder


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_images_have_celebas_form(celeba: Path):
    paths = sorted((celeba / "img_align_celeba").iterdir())

    assert [path.name for path in paths] == [f"{number:06d}.jpg" for number in range(1, COUNT + 1)]
    for path in paths:
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (178, 218))
    assert 5_000 < np.mean([path.stat().st_size for path in paths]) < 10_000


def test_attribute_list_has_celebas_form_and_the_drawn_values(celeba: Path):
    lines = (celeba / "list_attr_celeba.txt").read_text().splitlines()

    assert lines[0] == str(COUNT)
    assert tuple(lines[1].split()) == ATTRIBUTE_NAMES
    assert len(ATTRIBUTE_NAMES) == 40
    assert (ATTRIBUTE_NAMES[0], ATTRIBUTE_NAMES[31], ATTRIBUTE_NAMES[39]) == ("5_o_Clock_Shadow", "Smiling", "Young")
    assert len(lines) == COUNT + 2
    for index, line in enumerate(lines[2:]):
        # CelebA pads: "000001.jpg -1  1 …", so that every line is as long as the others.
        assert line[:10] == f"{index + 1:06d}.jpg"
        assert len(line) == 10 + 40 * 3
        values = [int(value) for value in line[10:].split()]
        assert values == [1 if drawn else -1 for drawn in attributes_of(sample_traits(5, index)).values()]


def test_partition_list_is_contiguous_in_celebas_shares(celeba: Path):
    text = (celeba / "list_eval_partition.txt").read_text()
    names, parts = zip(*(line.split(" ") for line in text.splitlines()), strict=True)

    assert not text.endswith("\n")
    assert names == tuple(f"{number:06d}.jpg" for number in range(1, COUNT + 1))
    assert list(parts) == sorted(parts)
    assert [parts.count(part) for part in "012"] == [48, 6, 6]


def test_same_seed_gives_the_same_bytes_whatever_the_workers(celeba: Path, tmp_path: Path):
    write_synthetic_celeba(tmp_path / "two", count=COUNT, seed=5, workers=2)

    assert _bytes_of(tmp_path / "two") == _bytes_of(celeba)


def test_a_face_depends_on_seed_and_index_only(celeba: Path, tmp_path: Path):
    write_synthetic_celeba(tmp_path / "few", count=3, seed=5, workers=1)
    write_synthetic_celeba(tmp_path / "other", count=3, seed=6, workers=1)
    first = "img_align_celeba/000003.jpg"

    assert _bytes_of(tmp_path / "few")[first] == _bytes_of(celeba)[first]
    assert _bytes_of(tmp_path / "other")[first] != _bytes_of(celeba)[first]
    assert np.array_equal(paint_face(sample_traits(5, 2)), paint_face(sample_traits(5, 2)))
    assert not np.array_equal(paint_face(sample_traits(5, 2)), paint_face(sample_traits(5, 3)))


def test_refuses_a_folder_that_holds_something(tmp_path: Path):
    (tmp_path / "celeba").mkdir()
    (tmp_path / "celeba" / "mine.txt").write_text("keep")

    with pytest.raises(ValueError, match="not empty"):
        write_synthetic_celeba(tmp_path / "celeba", count=1, seed=0)
    assert (tmp_path / "celeba" / "mine.txt").read_text() == "keep"


def test_fills_an_empty_folder(tmp_path: Path):
    (tmp_path / "celeba").mkdir()

    write_synthetic_celeba(tmp_path / "celeba", count=1, seed=0)

    assert len(_bytes_of(tmp_path / "celeba")) == 3


@pytest.mark.parametrize(
    ("setting", "message"),
    [({"count": 0}, "count"), ({"workers": 0}, "workers"), ({"seed": -1}, "seed")],
)
def test_refuses_impossible_settings(tmp_path: Path, setting: dict, message: str):
    with pytest.raises(ValueError, match=message):
        write_synthetic_celeba(tmp_path / "celeba", **{"count": 1, "seed": 0, **setting})
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail_at_the_third(seed: int, index: int):
        if index == 2:
            raise OSError("disk full")
        return sample_traits(seed, index)

    monkeypatch.setattr(drawn_celeba, "sample_traits", fail_at_the_third)

    with pytest.raises(OSError, match="disk full"):
        write_synthetic_celeba(tmp_path / "celeba", count=5, seed=0, workers=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_killed_run_leaves_no_folder_and_no_workers(tmp_path: Path):
    program = (
        "from pathlib import Path; from celeba_vae.synthetic.drawn_celeba import write_synthetic_celeba;"
        f"write_synthetic_celeba(Path({str(tmp_path / 'celeba')!r}), count=20_000, seed=0, workers=2)"
    )
    source = str(Path(drawn_celeba.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": source}
    running = subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.rglob("*.jpg")) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        running.send_signal(signal.SIGKILL)
        # The workers have inherited standard output, which ends when the last of them is gone.
        running.communicate(timeout=20)

    assert list(tmp_path.rglob("*.jpg"))
    assert not (tmp_path / "celeba").exists()


def test_files_and_images_agree(celeba: Path):
    stored = np.asarray(Image.open(io.BytesIO((celeba / "img_align_celeba" / "000001.jpg").read_bytes())), float)

    assert np.abs(stored - paint_face(sample_traits(5, 0))).mean() < 3

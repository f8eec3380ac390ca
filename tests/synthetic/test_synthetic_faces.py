"""The synthetic faces: CelebA's form, repeatable bytes, true attributes, and faces where CelebA has them."""

import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from celeba_vae.synthetic import faces as synthetic_faces
from celeba_vae.synthetic.faces import (
    ATTRIBUTE_NAMES,
    FaceTraits,
    attributes_of,
    draw_face,
    paint_face,
    sample_traits,
    write_synthetic_celeba,
)

COUNT = 60
NEVER_DRAWN = {"Attractive", "Blurry", "Double_Chin", "High_Cheekbones", "Wearing_Necklace"}


@pytest.fixture(scope="module")
def celeba(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "celeba"
    write_synthetic_celeba(folder, count=COUNT, seed=5, workers=1)
    return folder


@pytest.fixture(scope="module")
def faces() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """320 faces as (320, 218, 178, 3) float32 in [0, 1], and each attribute as (400,) bool."""
    drawn = [draw_face(seed=11, index=index) for index in range(320)]
    images = np.stack([face.image for face in drawn]).astype(np.float32) / 255
    return images, {name: np.array([face.attributes[name] for face in drawn]) for name in ATTRIBUTE_NAMES}


@pytest.fixture(scope="module")
def sampled() -> np.ndarray:
    """The attributes of 4,000 described faces, (4000, 40) float."""
    return np.array([list(attributes_of(sample_traits(4, index)).values()) for index in range(4000)], float)


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _around(images: np.ndarray, x: int, y: int, half_width: int = 4, half_height: int = 2) -> np.ndarray:
    """Mean colour (n, 3) of the window around CelebA's position (x, y)."""
    return images[:, y - half_height : y + half_height + 1, x - half_width : x + half_width + 1].mean(axis=(1, 2))


# --- Files -----------------------------------------------------------------------------------------------------------


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
    assert np.array_equal(draw_face(5, 2).image, draw_face(5, 2).image)
    assert not np.array_equal(draw_face(5, 2).image, draw_face(5, 3).image)


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
        return draw_face(seed, index)

    monkeypatch.setattr(synthetic_faces, "draw_face", fail_at_the_third)

    with pytest.raises(OSError, match="disk full"):
        write_synthetic_celeba(tmp_path / "celeba", count=5, seed=0, workers=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_killed_run_leaves_no_folder_and_no_workers(tmp_path: Path):
    program = (
        "from pathlib import Path; from celeba_vae.synthetic.faces import write_synthetic_celeba;"
        f"write_synthetic_celeba(Path({str(tmp_path / 'celeba')!r}), count=20_000, seed=0, workers=2)"
    )
    source = str(Path(synthetic_faces.__file__).parents[2])
    running = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": source})
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.rglob("*.jpg")) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    time.sleep(0.5)
    drawn = len(list(tmp_path.rglob("*.jpg")))
    time.sleep(0.5)

    assert drawn > 0
    assert not (tmp_path / "celeba").exists()
    assert len(list(tmp_path.rglob("*.jpg"))) == drawn, "a worker went on drawing"


# --- Faces -----------------------------------------------------------------------------------------------------------


def test_image_and_attributes_have_the_promised_types():
    face = draw_face(0, 0)

    assert face.image.shape == (218, 178, 3)
    assert face.image.dtype == np.uint8
    assert tuple(face.attributes) == ATTRIBUTE_NAMES
    assert {type(value) for value in face.attributes.values()} == {bool}


def test_eyes_and_mouth_lie_where_celeba_has_them(faces):
    images, attributes = faces
    bare = images[~attributes["Eyeglasses"]].mean(axis=0, keepdims=True)
    for x in (69, 108):
        eye = _around(bare, x, 112).mean()
        assert eye < 0.85 * _around(bare, x, 127).mean(), "darker than the cheek below"
        assert eye < 0.85 * _around(bare, 88, 110, half_width=3).mean(), "darker than the bridge of the nose"

    shaven = images[attributes["No_Beard"] & ~attributes["Mouth_Slightly_Open"]].mean(axis=0, keepdims=True)
    redness = {
        name: _around(shaven, x, y)[0]
        for name, (x, y) in {"mouth": (88, 154), "chin": (88, 172), "left": (62, 140), "right": (114, 140)}.items()
    }
    redness = {name: colour[0] / colour.sum() for name, colour in redness.items()}
    assert redness["mouth"] > 1.04 * max(redness["chin"], redness["left"], redness["right"])


def test_faces_differ_from_one_another(faces):
    images, _ = faces

    # Real CelebA faces have a standard deviation of about 0.26 in a pixel; half of that is enough to learn from.
    assert images.std(axis=0).mean() > 0.13
    # And not only in brightness: no two faces are near-copies.
    small = images[:, ::8, ::8].reshape(len(images), -1)
    distances = np.sqrt(((small[:100, None] - small[None, :100]) ** 2).mean(axis=2))
    assert distances[~np.eye(100, dtype=bool)].min() > 0.04


def test_attributes_occur_as_far_as_they_are_drawn(sampled):
    shares = dict(zip(ATTRIBUTE_NAMES, sampled.mean(axis=0), strict=True))

    assert {name for name, share in shares.items() if share == 0} == NEVER_DRAWN
    assert 0.4 < shares["Smiling"] < 0.56
    assert 0.08 < shares["Eyeglasses"] < 0.22


@pytest.mark.parametrize("name", ["Smiling", "Eyeglasses"])
def test_smile_and_glasses_are_independent_of_everything_else(sampled, name: str):
    names = [other for other in ATTRIBUTE_NAMES if other not in NEVER_DRAWN]
    table = sampled[:, [ATTRIBUTE_NAMES.index(other) for other in names]]
    correlations = dict(zip(names, np.corrcoef(table.T)[names.index(name)], strict=True))
    del correlations[name]

    # Four standard errors of a correlation between independent attributes of 4,000 faces.
    assert max(map(abs, correlations.values())) < 4 / np.sqrt(4000)


@pytest.mark.parametrize(
    ("name", "rows", "columns", "at_least"),
    [("Smiling", slice(120, 176), slice(55, 122), 0.85), ("Eyeglasses", slice(95, 130), slice(40, 138), 0.9)],
)
def test_a_linear_classifier_sees_the_attribute(faces, name, rows, columns, at_least):
    images, attributes = faces
    seen = images[:, rows, columns].mean(axis=3)
    # Half the size, each patch with the same brightness and contrast: what remains is shape.
    seen = seen[:, : seen.shape[1] // 2 * 2, : seen.shape[2] // 2 * 2]
    seen = (seen[:, ::2, ::2] + seen[:, 1::2, ::2] + seen[:, ::2, 1::2] + seen[:, 1::2, 1::2]).reshape(len(images), -1)
    seen = (seen - seen.mean(axis=1, keepdims=True)) / seen.std(axis=1, keepdims=True)
    known, unknown = slice(0, 160), slice(160, 320)
    truth = attributes[name] * 2.0 - 1
    middle, bias = seen[known].mean(axis=0), truth[known].mean()
    kernel = (seen - middle) @ (seen[known] - middle).T
    weights = np.linalg.solve(kernel[known] + 300 * np.eye(160), truth[known] - bias)
    guessed = kernel[unknown] @ weights + bias

    right = [(guessed[truth[unknown] == value] * value > 0).mean() for value in (-1, 1)]
    assert min(right) > at_least - 0.2
    assert np.mean((guessed > 0) == (truth[unknown] > 0)) > at_least


def test_hair_colours_are_those_of_the_attributes(faces):
    images, attributes = faces
    uncovered = ~attributes["Wearing_Hat"] & ~attributes["Bald"] & ~attributes["Receding_Hairline"]
    hair = _around(images, 88, 50, half_width=8, half_height=3)
    mean = {
        name: hair[attributes[name] & uncovered].mean(axis=0)
        for name in ("Black_Hair", "Brown_Hair", "Blond_Hair", "Gray_Hair")
    }

    assert mean["Black_Hair"].mean() + 0.1 < mean["Brown_Hair"].mean() < mean["Blond_Hair"].mean() - 0.1
    assert mean["Gray_Hair"].mean() > mean["Black_Hair"].mean() + 0.25
    assert np.ptp(mean["Gray_Hair"]) < 0.08 < 0.2 < np.ptp(mean["Blond_Hair"])


def test_pale_skin_is_lighter_and_a_beard_darker(faces):
    images, attributes = faces
    cheek = _around(images, 66, 132).mean(axis=1)
    chin = _around(images, 88, 170).mean(axis=1)
    full = attributes["Sideburns"] & attributes["Black_Hair"]

    assert cheek[attributes["Pale_Skin"]].mean() > cheek[~attributes["Pale_Skin"]].mean() + 0.15
    assert chin[full].mean() < 0.6 * chin[attributes["No_Beard"]].mean()


def test_a_chosen_face_changes_only_where_it_is_changed():
    plain = FaceTraits()
    changed = paint_face(plain) != paint_face(replace(plain, glasses="square"))
    rows = np.flatnonzero(changed.any(axis=(1, 2)))

    assert attributes_of(replace(plain, glasses="square"))["Eyeglasses"]
    assert not attributes_of(plain)["Eyeglasses"]
    assert 90 < rows.min() < rows.max() < 140


def test_extreme_descriptions_can_be_painted():
    for offset in ((-300.0, 0.0), (300.0, 0.0), (0.0, -400.0), (0.0, 400.0)):
        traits = FaceTraits(offset=offset, glasses="round", beard="full", hair_style="ponytail", backdrop="studio")
        assert paint_face(traits).shape == (218, 178, 3)


def test_files_and_images_agree(celeba: Path):
    stored = np.asarray(Image.open(io.BytesIO((celeba / "img_align_celeba" / "000001.jpg").read_bytes())), float)

    assert np.abs(stored - draw_face(5, 0).image).mean() < 3

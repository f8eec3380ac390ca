"""Synthetic faces in CelebA's form: sample descriptions of faces, draw them, write them as CelebA comes.

A description (`FaceTraits`) holds everything random; the 40 attributes are read from it, so they are true by
construction.

Example:
    write_synthetic_celeba(Path("data/01_raw/celeba"), count=3000, seed=0)
    paint_face(FaceTraits(smile=0.9, glasses="round"))  # a chosen face
"""

from __future__ import annotations

import colorsys
import io
import multiprocessing
import os
import shutil
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from celeba_vae.synthetic.drawing import Colour, FaceTraits, HairStyle, paint_face

__all__ = [
    "ATTRIBUTE_NAMES",
    "FaceTraits",
    "SyntheticFace",
    "attributes_of",
    "draw_face",
    "paint_face",
    "sample_traits",
    "write_synthetic_celeba",
]

ATTRIBUTE_NAMES: tuple[str, ...] = (
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
)

JPEG_QUALITY = 92
# CelebA's own partition: 162,770 for training, 19,867 for validation, 19,962 for testing.
CELEBA_PARTITION = (162_770, 19_867, 19_962)
CHUNK = 25

SKIN_TONES: tuple[Colour, ...] = (
    (0.41, 0.27, 0.20),
    (0.53, 0.36, 0.26),
    (0.64, 0.44, 0.33),
    (0.77, 0.56, 0.43),
    (0.87, 0.67, 0.54),
    (0.94, 0.76, 0.65),
    (0.98, 0.85, 0.77),
)
PALE_BLUE = 0.68
LONG_STYLES: tuple[HairStyle, ...] = ("long", "long_behind", "bob")
HAIR_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "black": ((0.07, 0.06, 0.06), (0.13, 0.10, 0.09)),
    "brown": ((0.24, 0.15, 0.10), (0.44, 0.29, 0.18)),
    "blond": ((0.74, 0.58, 0.35), (0.90, 0.77, 0.53)),
    "gray": ((0.56, 0.56, 0.57), (0.82, 0.82, 0.82)),
    "red": ((0.48, 0.22, 0.11), (0.62, 0.31, 0.15)),
}
IRISES: tuple[Colour, ...] = ((0.30, 0.18, 0.11), (0.42, 0.28, 0.16), (0.36, 0.48, 0.62), (0.38, 0.48, 0.34))


@dataclass(frozen=True)
class SyntheticFace:
    """A drawn face: `image` (218, 178, 3) uint8 RGB and `attributes`, all 40 of CelebA's names."""

    image: np.ndarray
    attributes: dict[str, bool]


def draw_face(seed: int, index: int) -> SyntheticFace:
    """Draw face `index` (from 0) of the series `seed`; it depends on these two alone. ValueError for a negative one."""
    traits = sample_traits(seed, index)
    return SyntheticFace(image=paint_face(traits), attributes=attributes_of(traits))


# --- The description -------------------------------------------------------------------------------------------------


def sample_traits(seed: int, index: int) -> FaceTraits:
    """Sample the description of face `index` of the series `seed`. ValueError when one is negative.

    Smile, open mouth and glasses are drawn independently of all else, so that each can be learnt by itself.
    """
    if seed < 0 or index < 0:
        raise ValueError(f"seed and index must not be negative, got seed={seed}, index={index}")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
    male, young = bool(rng.random() < 0.45), bool(rng.random() < 0.78)
    tone = float(rng.beta(1.7, 1.0) * (len(SKIN_TONES) - 1))
    return FaceTraits(
        male=male,
        young=young,
        **_sample_expression(rng),
        **_sample_glasses(rng),
        **_sample_pose(rng),
        **_sample_light(rng),
        **_sample_build(rng, male, tone),
        **_sample_eyes(rng, male, tone),
        **_sample_hair(rng, male, young, tone),
        **_sample_beard(rng, male),
        **_sample_makeup(rng, male),
        **_sample_clothes(rng, male),
        **_sample_backdrop(rng),
    )


def attributes_of(traits: FaceTraits) -> dict[str, bool]:
    """Return CelebA's 40 attributes of a described face: True for what is drawn, False for the rest."""
    hair = _visible_hair_colour(traits)
    true = {
        "5_o_Clock_Shadow": traits.beard == "stubble",
        "Arched_Eyebrows": traits.brow_arch > 0.5,
        "Bags_Under_Eyes": not traits.young,
        "Bald": traits.hair_style == "bald" and traits.hat_colour is None,
        "Bangs": traits.bangs and traits.hat_colour is None,
        "Big_Lips": traits.lip_fullness > 1.25,
        "Big_Nose": traits.nose_width > 1.18,
        "Black_Hair": hair == "black",
        "Blond_Hair": hair == "blond",
        "Brown_Hair": hair == "brown",
        "Bushy_Eyebrows": traits.brow_thickness > 1.25,
        "Chubby": traits.face_width > 1.03 and traits.jaw_width > 1.05,
        "Eyeglasses": traits.glasses != "none",
        "Goatee": traits.beard == "goatee",
        "Gray_Hair": hair == "gray",
        "Heavy_Makeup": traits.eyeshadow > 0.5 and traits.lipstick > 0.5,
        "Male": traits.male,
        "Mouth_Slightly_Open": traits.mouth_open > 0.3,
        "Mustache": traits.beard in ("moustache", "goatee", "full"),
        "Narrow_Eyes": traits.eye_open < 0.8,
        "No_Beard": traits.beard == "none",
        "Oval_Face": traits.face_width < 0.97 and traits.jaw_width < 0.97,
        "Pale_Skin": traits.skin[2] > PALE_BLUE,
        "Pointy_Nose": traits.nose_width < 0.86,
        "Receding_Hairline": traits.hair_style == "receding" and traits.hat_colour is None,
        "Rosy_Cheeks": traits.rosy > 0.7,
        "Sideburns": traits.beard == "full",
        "Smiling": traits.smile > 0.4,
        "Straight_Hair": hair is not None and traits.hair_texture == "straight" and traits.hair_style != "buzz",
        "Wavy_Hair": hair is not None and traits.hair_texture != "straight",
        "Wearing_Earrings": traits.earrings is not None,
        "Wearing_Hat": traits.hat_colour is not None,
        "Wearing_Lipstick": traits.lipstick > 0.4,
        "Wearing_Necktie": traits.clothes == "suit" and traits.tie_colour is not None,
        "Young": traits.young,
    }
    return {name: true.get(name, False) for name in ATTRIBUTE_NAMES}


def _visible_hair_colour(traits: FaceTraits) -> str | None:
    """Return black, blond, brown, gray or red; None where hardly any hair is to be seen."""
    if traits.hair_style == "bald" or (traits.hat_colour is not None and traits.hair_style not in LONG_STYLES):
        return None
    red, green, blue = traits.hair_colour
    if red < 0.2:
        return "black"
    if red - blue < 0.1:
        return "gray"
    if red > 0.7:
        return "blond"
    return "red" if red > 1.8 * green else "brown"


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _bell(rng: np.random.Generator, spread: float, limit: float) -> float:
    """Return a normal number of standard deviation `spread`, cut at +-`limit`."""
    return float(np.clip(rng.normal(0, spread), -limit, limit))


def _chance(rng: np.random.Generator, probability: float) -> bool:
    return bool(rng.random() < probability)


def _pick(rng: np.random.Generator, weights: dict[Any, float]) -> Any:
    """Return one of the keys, with a probability proportional to its weight."""
    share = np.asarray(list(weights.values()), float)
    return list(weights)[int(rng.choice(len(share), p=share / share.sum()))]


def _mix(first: Colour, second: Colour, part: float) -> Colour:
    """Return the colour at `part` (0 to 1) of the way from the first to the second."""
    red, green, blue = (a + (b - a) * part for a, b in zip(first, second, strict=True))
    return (red, green, blue)


def _hsv(hue: float, saturation: float, value: float) -> Colour:
    return colorsys.hsv_to_rgb(hue % 1.0, saturation, value)


def _sample_expression(rng: np.random.Generator) -> dict[str, Any]:
    smile = _between(rng, 0.65, 1.0) if _chance(rng, 0.48) else _between(rng, -0.25, 0.1)
    return {"smile": smile, "mouth_open": _between(rng, 0.5, 1.0) if _chance(rng, 0.48) else 0.0}


def _sample_glasses(rng: np.random.Generator) -> dict[str, Any]:
    worn = _chance(rng, 0.14)
    kind = _pick(rng, {"round": 4, "square": 5, "sunglasses": 2})
    colour = _pick(rng, {(0.06, 0.05, 0.05): 5, (0.28, 0.15, 0.09): 2, (0.45, 0.10, 0.12): 1, (0.50, 0.42, 0.25): 1})
    return {"glasses": kind if worn else "none", "glasses_colour": colour}


def _sample_pose(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "yaw": _bell(rng, 0.13, 0.28),
        "pitch": _bell(rng, 0.05, 0.12),
        "roll": _bell(rng, 0.022, 0.05),
        "offset": (_bell(rng, 0.7, 1.5), _bell(rng, 0.7, 1.5)),
        "scale": 1 + _bell(rng, 0.015, 0.03),
        "lean": _bell(rng, 5, 10),
        "gaze": _bell(rng, 0.4, 1.0),
    }


def _sample_light(rng: np.random.Generator) -> dict[str, Any]:
    warmth = _between(rng, -1, 1)
    return {
        "light_azimuth": _between(rng, -1.1, 1.1),
        "light_elevation": _between(rng, 0.2, 0.85),
        "light_strength": _between(rng, 0.55, 0.9),
        "light_colour": (1.0 + 0.03 * warmth, 0.98, 0.95 - 0.07 * warmth),
        "exposure": _between(rng, 0.92, 1.12),
    }


def _sample_build(rng: np.random.Generator, male: bool, tone: float) -> dict[str, Any]:
    dark = min(int(tone), len(SKIN_TONES) - 2)
    skin = _mix(SKIN_TONES[dark], SKIN_TONES[dark + 1], tone - dark)
    hue = _between(rng, -0.02, 0.02)
    return {
        "skin": (skin[0], skin[1] + hue * 0.6, skin[2] - hue),
        "face_width": (0.995 if male else 0.96) + _bell(rng, 0.035, 0.07),
        "jaw_width": (1.04 if male else 0.96) + _bell(rng, 0.05, 0.1),
        "chin": (1.0 if male else -1.5) + _bell(rng, 1.8, 3.5),
        "nose_width": (1.06 if male else 0.94) + _bell(rng, 0.12, 0.25),
        "nose_length": _bell(rng, 1.0, 2.0),
        "lip_fullness": (0.9 if male else 1.06) + _bell(rng, 0.15, 0.35),
        "rosy": _between(rng, 0.8, 1.2) if _chance(rng, 0.02 if male else 0.16) else _between(rng, 0.05, 0.4),
    }


def _sample_eyes(rng: np.random.Generator, male: bool, tone: float) -> dict[str, Any]:
    light_eyes = max(tone - 3, 0) / 4
    arched, bushy = _chance(rng, 0.08 if male else 0.45), _chance(rng, 0.3 if male else 0.04)
    return {
        "eye_open": _between(rng, 0.62, 0.76) if _chance(rng, 0.12) else _between(rng, 0.88, 1.15),
        "eye_tilt": _between(rng, -0.3, 1.6),
        "iris": _pick(rng, dict(zip(IRISES, (1, 1, light_eyes, light_eyes), strict=True))),
        "brow_arch": _between(rng, 0.8, 1.3) if arched else _between(rng, -0.5, 0.2),
        "brow_thickness": _between(rng, 1.35, 1.6) if bushy else _between(rng, 0.75, 1.1),
    }


def _sample_hair(rng: np.random.Generator, male: bool, young: bool, tone: float) -> dict[str, Any]:
    if male:
        weights = {
            "short": 40,
            "quiff": 22,
            "buzz": 9,
            "receding": 5 if young else 30,
            "bald": 5 if young else 14,
            "long_behind": 3,
            "afro": 2 + 6 * (tone < 2.5),
        }
    else:
        weights = {
            "long": 38,
            "long_behind": 18,
            "bob": 17,
            "updo": 8,
            "ponytail": 9,
            "short": 4 if young else 14,
            "afro": 2 + 9 * (tone < 2.5),
        }
    style = _pick(rng, weights)
    fair = max(tone - 3, 0) / 3
    colours = {
        "black": 3.0 - 2 * fair,
        "brown": 0.8 + 2 * fair,
        "blond": 0.04 + 1.6 * fair * (0.6 if male else 1),
        "red": 0.3 * fair,
        "gray": 0.0 if young else 4.0,
    }
    colour = _mix(*HAIR_COLOURS[_pick(rng, colours)], _between(rng, 0, 1))
    texture = "curly" if style == "afro" else _pick(rng, {"straight": 5, "wavy": 4 if style in LONG_STYLES else 2})
    worn = _chance(rng, 0.03) and style != "afro" and style != "updo"
    hat = _hsv(_between(rng, 0, 1), _between(rng, 0.2, 0.7), _between(rng, 0.25, 0.8))
    fringe = _chance(rng, 0.3) and style in (*LONG_STYLES, "updo", "ponytail") and style != "afro" and not male
    phases = (_between(rng, 0, 6.28), _between(rng, 0, 6.28), _between(rng, 0, 6.28))
    volume = {"buzz": 1.0, "bald": 0.0, "receding": 2.5, "quiff": 11.0, "afro": 8.0, "updo": 3.0, "ponytail": 3.0}
    return {
        "hair_style": style,
        "hair_texture": texture,
        "hair_colour": colour,
        "hair_volume": volume.get(style, 7.0) * _between(rng, 0.7, 1.35),
        "hair_part": _between(rng, -1, 1),
        "hairline": _between(rng, -2.5, 4),
        "hair_phase": phases,
        "bangs": fringe and not worn,
        "hat_colour": hat if worn else None,
    }


def _sample_beard(rng: np.random.Generator, male: bool) -> dict[str, Any]:
    beard = _pick(rng, {"none": 58, "stubble": 12, "moustache": 6, "goatee": 9, "full": 15})
    return {"beard": beard if male else "none"}


def _sample_makeup(rng: np.random.Generator, male: bool) -> dict[str, Any]:
    painted, shadow = _chance(rng, 0.62), _chance(rng, 0.5)
    colour = _hsv(_between(rng, 0.93, 1.02), _between(rng, 0.55, 0.85), _between(rng, 0.5, 0.85))
    metal = _pick(rng, {(0.88, 0.72, 0.36): 1, (0.86, 0.86, 0.88): 1})
    strength = _between(rng, 0.6, 0.95)
    return {
        "lipstick": strength if painted and not male else 0.0,
        "eyeshadow": strength if painted and shadow and not male else 0.0,
        "lip_colour": colour,
        "earrings": metal if _chance(rng, 0.3) and not male else None,
    }


def _sample_clothes(rng: np.random.Generator, male: bool) -> dict[str, Any]:
    weights = {"crew": 30, "vneck": 20, "suit": 40 if male else 8, "turtleneck": 8, "scoop": 0 if male else 26}
    clothes = _pick(rng, weights)
    tie = _hsv(_between(rng, 0, 1), _between(rng, 0.4, 0.8), _between(rng, 0.25, 0.7))
    dark = clothes == "suit"
    return {
        "clothes": clothes,
        "clothes_colour": _hsv(
            _between(rng, 0, 1), _between(rng, 0.05, 0.35 if dark else 0.7), _between(rng, 0.1, 0.35 if dark else 0.9)
        ),
        "shirt_colour": _hsv(_between(rng, 0.5, 0.7), _between(rng, 0.0, 0.25), _between(rng, 0.85, 0.98)),
        "tie_colour": tie if dark and male and _chance(rng, 0.7) else None,
    }


def _sample_backdrop(rng: np.random.Generator) -> dict[str, Any]:
    hue, value = _between(rng, 0, 1), _between(rng, 0.2, 0.95)
    colours = tuple(
        _hsv(
            hue + _bell(rng, 0.08, 0.2),
            _between(rng, 0.02, 0.28),
            float(np.clip(value + _bell(rng, 0.18, 0.35), 0.08, 0.98)),
        )
        for _ in range(3)
    )
    spots = tuple(
        (_between(rng, 0, 178), _between(rng, 0, 150), _between(rng, 9, 30)) for _ in range(int(rng.integers(5, 10)))
    )
    return {
        "backdrop": _pick(rng, {"gradient": 4, "studio": 3, "two_tone": 2, "blurred": 4, "bokeh": 2}),
        "backdrop_colours": colours,
        "backdrop_angle": _between(rng, 0, 6.28),
        "backdrop_spots": spots,
    }


# --- The files -------------------------------------------------------------------------------------------------------


def write_synthetic_celeba(folder: Path, count: int, seed: int, workers: int | None = None) -> None:
    """Write `count` faces and CelebA's lists into `folder`, which appears only when complete.

    Creates img_align_celeba/000001.jpg … (178x218 RGB), list_attr_celeba.txt and list_eval_partition.txt. The same seed
    gives the same bytes whatever `workers` (processes; by default one a processor) and, face by face, whatever `count`.
    ValueError when count or workers is below 1, seed negative, or `folder` holds something already.
    """
    folder = Path(folder)
    workers = os.cpu_count() or 1 if workers is None else workers
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(
            f"{folder} exists and is not empty: remove it, or choose another folder for the synthetic faces"
        )
    with _appearing_complete(folder) as staging:
        images = staging / "img_align_celeba"
        images.mkdir()
        rows = _draw_all(images, count, seed, workers)
        (staging / "list_attr_celeba.txt").write_text(_attribute_list(rows), encoding="ascii", newline="\n")
        (staging / "list_eval_partition.txt").write_text(_partition_list(count), encoding="ascii", newline="\n")


@contextmanager
def _appearing_complete(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `folder`; it takes that name after success and is removed after failure."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        yield staging
        if folder.exists():
            folder.rmdir()
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _draw_all(images: Path, count: int, seed: int, workers: int) -> list[list[bool]]:
    """Draw the faces 0 … count - 1 as files in `images`; return the 40 attributes of each, in order."""
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    rows: dict[int, list[list[bool]]] = {}
    # Closing ends the workers before an error leaves this function, so that none writes into a folder being removed.
    with (
        tqdm(total=count, desc="Drawing faces", unit="face", disable=None) as progress,
        closing(_draw_chunks(chunks, images, seed, min(workers, len(chunks)))) as done,
    ):
        for chunk, drawn in done:
            rows[chunk.start] = drawn
            progress.update(len(chunk))
    return [row for start in sorted(rows) for row in rows[start]]


def _draw_chunks(
    chunks: Sequence[range], images: Path, seed: int, workers: int
) -> Generator[tuple[range, list[list[bool]]], None, None]:
    """Yield each chunk with its faces' attributes as soon as they are drawn, in any order."""
    if workers == 1:
        for chunk in chunks:
            yield chunk, _draw_chunk(images, seed, chunk)
        return
    # Spawned processes start clean: forked ones could inherit locks held by the threads of OpenCV, tqdm or TensorFlow.
    # They cost half a second more, once.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        waiting = {pool.submit(_draw_chunk, images, seed, chunk): chunk for chunk in chunks}
        for done in as_completed(waiting):
            yield waiting[done], done.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Keep a worker to one thread, and end it when the process that started it is gone."""
    cv2.setNumThreads(1)
    # Freeing one large array teaches glibc to keep freed memory, instead of asking the system for every picture anew: a
    # quarter of the time. Elsewhere it does nothing.
    np.empty(31 * 2**20, np.uint8)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        parent.join()
        os._exit(1)

    if parent is not None:
        threading.Thread(target=follow, daemon=True).start()


def _draw_chunk(images: Path, seed: int, chunk: range) -> list[list[bool]]:
    """Draw the faces of `chunk` as files in `images` and return their attributes, 40 each."""
    rows = []
    for index in chunk:
        face = draw_face(seed, index)
        (images / _file_name(index)).write_bytes(_encode_jpeg(face.image))
        rows.append(list(face.attributes.values()))
    return rows


def _encode_jpeg(image: np.ndarray) -> bytes:
    """Return an RGB image (h, w, 3) uint8 as JPEG, about 7 KB for a face."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _file_name(index: int) -> str:
    """Return the file's name in CelebA, which counts from 1."""
    return f"{index + 1:06d}.jpg"


def _attribute_list(rows: Sequence[Sequence[bool]]) -> str:
    """Return list_attr_celeba.txt: the count, the names, and a line of 1 and -1 for each image."""
    lines = [str(len(rows)), " ".join(ATTRIBUTE_NAMES) + " "]
    lines += [_file_name(index) + " " + " ".join(" 1" if on else "-1" for on in row) for index, row in enumerate(rows)]
    return "\n".join(lines) + "\n"


def _partition_list(count: int) -> str:
    """Return list_eval_partition.txt: 0 (train), then 1 (validation), then 2 (test), in CelebA's shares."""
    train, validation, test = CELEBA_PARTITION
    first = round(count * train / (train + validation + test))
    second = round(count * (train + validation) / (train + validation + test))
    parts = [0] * first + [1] * (second - first) + [2] * (count - second)
    return "\n".join(f"{_file_name(index)} {part}" for index, part in enumerate(parts))

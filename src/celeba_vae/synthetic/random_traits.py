"""Describe a face at random, by the seed and its number alone; another order of the draws would give other faces."""

import colorsys
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from celeba_vae.synthetic.traits import LONG_STYLES, Colour, FaceTraits, HairStyle

Choice = TypeVar("Choice")
Range = tuple[float, float]
Styles = dict[HairStyle, float]

SKIN_TONES: tuple[Colour, ...] = (
    (0.41, 0.27, 0.20),
    (0.53, 0.36, 0.26),
    (0.64, 0.44, 0.33),
    (0.77, 0.56, 0.43),
    (0.87, 0.67, 0.54),
    (0.94, 0.76, 0.65),
    (0.98, 0.85, 0.77),
)
HAIR_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "black": ((0.07, 0.06, 0.06), (0.13, 0.10, 0.09)),
    "brown": ((0.24, 0.15, 0.10), (0.44, 0.29, 0.18)),
    "blond": ((0.74, 0.58, 0.35), (0.90, 0.77, 0.53)),
    "gray": ((0.56, 0.56, 0.57), (0.82, 0.82, 0.82)),
    "red": ((0.48, 0.22, 0.11), (0.62, 0.31, 0.15)),
}
# how often young men and women wear a style, where the skin is not dark
MEN: Styles = {"short": 40, "quiff": 22, "buzz": 9, "receding": 5, "bald": 5, "long_behind": 3, "afro": 2}
WOMEN: Styles = {"long": 38, "long_behind": 18, "bob": 17, "updo": 8, "ponytail": 9, "short": 4, "afro": 2}
BROWN, HAZEL, BLUE, GREEN = (0.30, 0.18, 0.11), (0.42, 0.28, 0.16), (0.36, 0.48, 0.62), (0.38, 0.48, 0.34)
BLACK, HORN, RED, GOLDEN = (0.06, 0.05, 0.05), (0.28, 0.15, 0.09), (0.45, 0.10, 0.12), (0.50, 0.42, 0.25)
GOLD, SILVER = (0.88, 0.72, 0.36), (0.86, 0.86, 0.88)


def sample_traits(seed: int, index: int) -> FaceTraits:
    """Describe face ``index`` (from 0) of the series ``seed`` at random.

    Smile, open mouth and glasses are drawn independently of all else, so that each can be learnt by itself.

    Raises:
        ValueError: one of the two is negative.
    """
    if seed < 0 or index < 0:
        raise ValueError(f"seed and index must not be negative, got seed={seed}, index={index}")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
    traits = FaceTraits(male=rng.random() < 0.45, young=rng.random() < 0.78)
    tone = float(rng.beta(1.7, 1.0) * (len(SKIN_TONES) - 1))
    traits.smile = rng.uniform(0.65, 1.0) if rng.random() < 0.48 else rng.uniform(-0.25, 0.1)
    traits.mouth_open = rng.uniform(0.5, 1.0) if rng.random() < 0.48 else 0.0
    worn = rng.random() < 0.14
    traits.glasses = _pick(rng, {"round": 4, "square": 5, "sunglasses": 2})
    if not worn:
        traits.glasses = "none"
    traits.glasses_colour = _pick(rng, {BLACK: 5, HORN: 2, RED: 1, GOLDEN: 1})
    _choose_pose_and_light(traits, rng)
    _choose_features(traits, rng, tone)
    _choose_hair(traits, rng, tone)
    _choose_beard_makeup_and_clothes(traits, rng)
    _choose_backdrop(traits, rng)
    return traits


def _choose_pose_and_light(traits: FaceTraits, rng: np.random.Generator) -> None:
    traits.yaw = _bell(rng, 0.13, 0.28)
    traits.pitch = _bell(rng, 0.05, 0.12)
    traits.roll = _bell(rng, 0.022, 0.05)
    traits.offset = (_bell(rng, 0.7, 1.5), _bell(rng, 0.7, 1.5))
    traits.scale = 1 + _bell(rng, 0.015, 0.03)
    traits.lean = _bell(rng, 5.0, 10.0)
    traits.gaze = _bell(rng, 0.4, 1.0)
    warmth = rng.uniform(-1, 1)
    traits.light_azimuth = rng.uniform(-1.1, 1.1)
    traits.light_elevation = rng.uniform(0.2, 0.85)
    traits.light_strength = rng.uniform(0.55, 0.9)
    traits.light_colour = (1.0 + 0.03 * warmth, 0.98, 0.95 - 0.07 * warmth)
    traits.exposure = rng.uniform(0.92, 1.12)


def _choose_features(traits: FaceTraits, rng: np.random.Generator, tone: float) -> None:
    male = traits.male
    red, green, blue = _mix(SKIN_TONES, tone)
    hue = rng.uniform(-0.02, 0.02)
    traits.skin = (red, green + hue * 0.6, blue - hue)
    traits.face_width = (0.995 if male else 0.96) + _bell(rng, 0.035, 0.07)
    traits.jaw_width = (1.04 if male else 0.96) + _bell(rng, 0.05, 0.1)
    traits.chin = (1.0 if male else -1.5) + _bell(rng, 1.8, 3.5)
    traits.nose_width = (1.06 if male else 0.94) + _bell(rng, 0.12, 0.25)
    traits.nose_length = _bell(rng, 1.0, 2.0)
    traits.lip_fullness = (0.9 if male else 1.06) + _bell(rng, 0.15, 0.35)
    flushed = rng.random() < (0.02 if male else 0.16)
    traits.rosy = rng.uniform(0.8, 1.2) if flushed else rng.uniform(0.05, 0.4)
    fair = max(tone - 3, 0) / 4
    arched, bushy = rng.random() < (0.08 if male else 0.45), rng.random() < (0.3 if male else 0.04)
    traits.eye_open = rng.uniform(0.62, 0.76) if rng.random() < 0.12 else rng.uniform(0.88, 1.15)
    traits.eye_tilt = rng.uniform(-0.3, 1.6)
    traits.iris = _pick(rng, {BROWN: 1, HAZEL: 1, BLUE: fair, GREEN: fair})
    traits.brow_arch = rng.uniform(0.8, 1.3) if arched else rng.uniform(-0.5, 0.2)
    traits.brow_thickness = rng.uniform(1.35, 1.6) if bushy else rng.uniform(0.75, 1.1)


def _choose_hair(traits: FaceTraits, rng: np.random.Generator, tone: float) -> None:
    styles = dict(MEN if traits.male else WOMEN)
    if not traits.young:
        styles |= {"receding": 30, "bald": 14} if traits.male else {"short": 14}
    if tone < 2.5:
        styles["afro"] = 8 if traits.male else 11
    style = traits.hair_style = _pick(rng, styles)
    fair = max(tone - 3, 0) / 3
    weights = {
        "black": 3.0 - 2 * fair,
        "brown": 0.8 + 2 * fair,
        "blond": 0.04 + 1.6 * fair * (0.6 if traits.male else 1),
        "red": 0.3 * fair,
        "gray": 0.0 if traits.young else 4.0,
    }
    traits.hair_colour = _mix(HAIR_COLOURS[_pick(rng, weights)], rng.uniform(0, 1))
    wavy = 4 if style in LONG_STYLES else 2
    traits.hair_texture = "curly" if style == "afro" else _pick(rng, {"straight": 5, "wavy": wavy})
    hat_worn = rng.random() < 0.03 and style not in ("afro", "updo")
    hat = _colour(rng, (0, 1), (0.2, 0.7), (0.25, 0.8))
    traits.hat_colour = hat if hat_worn else None
    fringe = rng.random() < 0.3 and style in (*LONG_STYLES, "updo", "ponytail")
    traits.bangs = fringe and not traits.male and not hat_worn
    traits.hair_phase = (rng.uniform(0, 6.28), rng.uniform(0, 6.28), rng.uniform(0, 6.28))
    volumes = {"buzz": 1.0, "bald": 0.0, "receding": 2.5, "quiff": 11.0, "afro": 8.0, "updo": 3.0, "ponytail": 3.0}
    traits.hair_volume = volumes.get(style, 7.0) * rng.uniform(0.7, 1.35)
    traits.hair_part = rng.uniform(-1, 1)
    traits.hairline = rng.uniform(-2.5, 4)


def _choose_beard_makeup_and_clothes(traits: FaceTraits, rng: np.random.Generator) -> None:
    traits.beard = _pick(rng, {"none": 58, "stubble": 12, "moustache": 6, "goatee": 9, "full": 15})
    painted, shadowed = rng.random() < 0.62, rng.random() < 0.5
    traits.lip_colour = _colour(rng, (0.93, 1.02), (0.55, 0.85), (0.5, 0.85))
    metal, strength, ringed = _pick(rng, {GOLD: 1, SILVER: 1}), rng.uniform(0.6, 0.95), rng.random() < 0.3
    if not traits.male:
        traits.beard = "none"
        traits.lipstick = strength if painted else 0.0
        traits.eyeshadow = strength if painted and shadowed else 0.0
        traits.earrings = metal if ringed else None
    suits, scoops = (40, 0) if traits.male else (8, 26)
    traits.clothes = _pick(rng, {"crew": 30, "vneck": 20, "suit": suits, "turtleneck": 8, "scoop": scoops})
    suit = traits.clothes == "suit"
    tie = _colour(rng, (0, 1), (0.4, 0.8), (0.25, 0.7))
    traits.clothes_colour = _colour(rng, (0, 1), (0.05, 0.35 if suit else 0.7), (0.1, 0.35 if suit else 0.9))
    traits.shirt_colour = _colour(rng, (0.5, 0.7), (0.0, 0.25), (0.85, 0.98))
    traits.tie_colour = tie if suit and traits.male and rng.random() < 0.7 else None


def _choose_backdrop(traits: FaceTraits, rng: np.random.Generator) -> None:
    hue, value = rng.uniform(0, 1), rng.uniform(0.2, 0.95)

    def similar() -> Colour:
        near = hue + _bell(rng, 0.08, 0.2)
        saturation = rng.uniform(0.02, 0.28)
        shift = _bell(rng, 0.18, 0.35)
        return colorsys.hsv_to_rgb(near % 1.0, saturation, min(max(value + shift, 0.08), 0.98))

    traits.backdrop_colours = (similar(), similar(), similar())
    traits.backdrop_spots = tuple(
        (rng.uniform(0, 178), rng.uniform(0, 150), rng.uniform(9, 30)) for _ in range(rng.integers(5, 10))
    )
    traits.backdrop = _pick(rng, {"gradient": 4, "studio": 3, "two_tone": 2, "blurred": 4, "bokeh": 2})
    traits.backdrop_angle = rng.uniform(0, 6.28)


def _bell(rng: np.random.Generator, spread: float, limit: float) -> float:
    """Give a normal number of standard deviation ``spread``, cut at +-``limit``."""
    return min(max(rng.normal(0, spread), -limit), limit)


def _pick(rng: np.random.Generator, weights: Mapping[Choice, float]) -> Choice:
    """Give one of the keys, with a probability proportional to its weight."""
    share = np.asarray(list(weights.values()), float)
    return list(weights)[rng.choice(len(share), p=share / share.sum())]


def _colour(rng: np.random.Generator, hues: Range, saturations: Range, values: Range) -> Colour:
    """Give a colour whose hue, saturation and value lie in these ranges."""
    hue = rng.uniform(*hues)
    saturation = rng.uniform(*saturations)
    value = rng.uniform(*values)
    return colorsys.hsv_to_rgb(hue % 1.0, saturation, value)


def _mix(colours: Sequence[Colour], position: float) -> Colour:
    """Give the colour at a position, from 0 to n - 1, on the way through n colours."""
    red, green, blue = (float(np.interp(position, range(len(colours)), part)) for part in zip(*colours, strict=True))
    return (red, green, blue)

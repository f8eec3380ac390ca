"""Paint a described face as a softly shaded portrait in CelebA's form.

`FaceTraits` describes a face, `paint_face` paints it; nothing here is random. Shapes are smooth curves, filled at four
times the size and reduced; light comes from normals of a head-shaped surface with bumps for nose, brows, cheeks, lips
and chin.

Coordinates: x to the right and y down in pixels from the point between the eyes, depth towards the viewer.
Colours: RGB in [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

HEIGHT, WIDTH = 218, 178
EYES_CENTRE = (88.5, 112.0)
EYE_X = 19.5
OVERSAMPLE = 4

Colour = tuple[float, float, float]
HairStyle = Literal[
    "short", "quiff", "buzz", "receding", "bald", "afro", "long", "long_behind", "bob", "updo", "ponytail"
]
HairTexture = Literal["straight", "wavy", "curly"]
Beard = Literal["none", "stubble", "moustache", "goatee", "full"]
Clothes = Literal["crew", "vneck", "suit", "turtleneck", "scoop"]
Glasses = Literal["none", "round", "square", "sunglasses"]
Backdrop = Literal["gradient", "studio", "two_tone", "blurred", "bokeh"]

COVERS_EARS: tuple[HairStyle, ...] = ("long", "long_behind", "bob", "afro")
HAS_LONG_FRONT: tuple[HairStyle, ...] = ("long", "bob")


@dataclass(frozen=True)
class FaceTraits:
    """Everything that distinguishes one portrait from another; the defaults are a plain young woman.

    Angles are radians, lengths pixels at CelebA's size, colours RGB in [0, 1]; factors are around 1.
    `smile` runs from -0.4 (sullen) over 0 (neutral) to 1 (broad); `mouth_open` from 0 to 1.
    """

    male: bool = False
    young: bool = True

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    offset: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    lean: float = 0.0

    light_azimuth: float = 0.6
    light_elevation: float = 0.6
    light_strength: float = 0.75
    light_colour: Colour = (1.0, 0.97, 0.93)
    exposure: float = 1.0

    skin: Colour = (0.88, 0.69, 0.57)
    face_width: float = 1.0
    jaw_width: float = 1.0
    chin: float = 0.0
    nose_width: float = 1.0
    nose_length: float = 0.0
    rosy: float = 0.3

    eye_open: float = 1.0
    eye_tilt: float = 0.5
    iris: Colour = (0.35, 0.22, 0.14)
    gaze: float = 0.0
    brow_arch: float = 0.0
    brow_thickness: float = 1.0
    eyeshadow: float = 0.0

    smile: float = 0.0
    mouth_open: float = 0.0
    lip_fullness: float = 1.0
    lipstick: float = 0.0
    lip_colour: Colour = (0.72, 0.16, 0.22)

    hair_style: HairStyle = "long"
    hair_texture: HairTexture = "straight"
    hair_colour: Colour = (0.32, 0.21, 0.14)
    hair_volume: float = 6.0
    hair_part: float = 0.0
    hairline: float = 0.0
    hair_phase: tuple[float, float, float] = (0.0, 2.0, 4.0)
    bangs: bool = False
    beard: Beard = "none"

    glasses: Glasses = "none"
    glasses_colour: Colour = (0.08, 0.07, 0.07)
    hat_colour: Colour | None = None
    earrings: Colour | None = None

    clothes: Clothes = "crew"
    clothes_colour: Colour = (0.25, 0.30, 0.42)
    shirt_colour: Colour = (0.92, 0.93, 0.95)
    tie_colour: Colour | None = None

    backdrop: Backdrop = "gradient"
    backdrop_colours: tuple[Colour, Colour, Colour] = ((0.55, 0.6, 0.65), (0.35, 0.4, 0.45), (0.7, 0.7, 0.65))
    backdrop_angle: float = 0.8
    backdrop_spots: tuple[tuple[float, float, float], ...] = ()


def paint_face(traits: FaceTraits) -> np.ndarray:
    """Paint the portrait that `traits` describe: (218, 178, 3) uint8 RGB, the same traits giving the same bytes."""
    scene = _Scene(traits)
    _paint_backdrop(scene)
    _paint_hair_behind(scene)
    _paint_neck(scene)
    _paint_clothes(scene)
    _paint_ears(scene)
    _paint_skin(scene)
    _paint_creases(scene)
    _paint_beard(scene)
    _paint_mouth(scene)
    _paint_nose(scene)
    for side in (-1, 1):
        _paint_eye(scene, side)
    _paint_hair_in_front(scene)
    for side in (-1, 1):
        _paint_eyebrow(scene, side)
    _paint_hat(scene)
    _paint_earrings(scene)
    _paint_glasses(scene)
    return scene.developed()


# --- Curves: control points in, polygons out -------------------------------------------------------------------------


def _spline_weights(steps: int) -> np.ndarray:
    """Return the Catmull-Rom weights (steps, 4) of the knots before, at the start, at the end and after a segment."""
    t = np.arange(steps)[:, None] / steps
    powers = np.hstack([t**0, t, t**2, t**3])
    return powers @ (0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]))


_SPLINE = {steps: _spline_weights(steps) for steps in (4, 6)}


def _smooth(points: Sequence[tuple[float, float]] | np.ndarray, closed: bool = True, steps: int = 6) -> np.ndarray:
    """Return the Catmull-Rom curve through `points` (N, 2), with `steps` points a segment."""
    knots = np.asarray(points, np.float64)
    count = len(knots)
    if closed:
        around = (np.arange(count)[:, None] + (-1, 0, 1, 2)) % count
        return np.einsum("sk,nkd->nsd", _SPLINE[steps], knots[around]).reshape(-1, 2)
    padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    around = np.arange(count - 1)[:, None] + (0, 1, 2, 3)
    curve = np.einsum("sk,nkd->nsd", _SPLINE[steps], padded[around]).reshape(-1, 2)
    return np.vstack([curve, knots[-1]])


def _mirrored(right: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return the closed outline (2N, 2) whose right half, from top to bottom, is `right`."""
    half = np.asarray(right, np.float64)
    left = half[half[:, 0] > 0][::-1] * (-1.0, 1.0)
    return np.vstack([half, left])


def _ellipse(x: float, y: float, radius_x: float, radius_y: float, count: int = 28) -> np.ndarray:
    """Return an ellipse as a polygon (count, 2)."""
    angle = np.linspace(0.0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + radius_x * np.cos(angle), y + radius_y * np.sin(angle)], axis=1)


def _rounded_box(x: float, y: float, half_width: float, half_height: float, power: float) -> np.ndarray:
    """Return a superellipse (40, 2): an ellipse for power 2, towards a rectangle above."""
    angle = np.linspace(0.0, 2 * np.pi, 40, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack(
        [
            x + half_width * np.sign(cos) * np.abs(cos) ** (2 / power),
            y + half_height * np.sign(sin) * np.abs(sin) ** (2 / power),
        ],
        axis=1,
    )


def _ribbon(line: np.ndarray, widths: Sequence[float]) -> np.ndarray:
    """Return the polygon of a brush stroke along `line` (N, 2), its width interpolated from `widths` (any number)."""
    ahead, behind = np.vstack([line[1:], line[-1:]]), np.vstack([line[:1], line[:-1]])
    x, y = (ahead - behind).T
    half = 0.5 * np.interp(np.arange(len(line)) / (len(line) - 1), np.arange(len(widths)) / (len(widths) - 1), widths)
    across = np.stack([-y, x], axis=1) * (half / (np.hypot(x, y) + 1e-9))[:, None]
    return np.vstack([line + across, (line - across)[::-1]])


# --- Masks and the scene ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Mask:
    """Coverage `alpha` (h, w) float32 in [0, 1] of the canvas window (rows, columns)."""

    rows: slice
    columns: slice
    alpha: np.ndarray

    def full(self) -> np.ndarray:
        """Return the coverage of the whole canvas, (218, 178) float32."""
        whole = np.zeros((HEIGHT, WIDTH), np.float32)
        whole[self.rows, self.columns] = self.alpha
        return whole

    def within(self, whole: np.ndarray) -> _Mask:
        """Return the mask multiplied by a canvas-sized coverage."""
        return _Mask(self.rows, self.columns, self.alpha * whole[self.rows, self.columns])


def _trimmed(alpha: np.ndarray) -> _Mask:
    """Return a canvas-sized coverage (218, 178) as the mask of the smallest window that holds it."""
    x, y, width, height = cv2.boundingRect((alpha > 0.002).view(np.uint8))
    rows, columns = slice(y, y + height), slice(x, x + width)
    return _Mask(rows, columns, alpha[rows, columns])


def _fill(polygon: np.ndarray, soften: float = 0.0) -> _Mask:
    """Return the antialiased coverage of a polygon (N, 2) in canvas pixels, blurred by `soften` pixels."""
    margin = 1 + int(3 * soften)
    (low_x, low_y), (high_x, high_y) = polygon.min(axis=0).tolist(), polygon.max(axis=0).tolist()
    # A window a little beyond the canvas keeps the blur right at the border.
    left, top = max(int(low_x) - 1, 0) - margin, max(int(low_y) - 1, 0) - margin
    right, bottom = min(int(high_x) + 2, WIDTH) + margin, min(int(high_y) + 2, HEIGHT) + margin
    width, height = max(right - left, 1), max(bottom - top, 1)
    large = np.zeros((height * OVERSAMPLE, width * OVERSAMPLE), np.uint8)
    corners = ((polygon - (left - 0.5, top - 0.5)) * OVERSAMPLE - 0.5) * 16
    cv2.fillPoly(large, [np.rint(corners).astype(np.int32)], 255, shift=4)
    cover = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    if soften:
        cover = cv2.GaussianBlur(cover, (0, 0), soften)
    inside_rows, inside_columns = slice(max(top, 0), min(bottom, HEIGHT)), slice(max(left, 0), min(right, WIDTH))
    if inside_rows.stop <= inside_rows.start or inside_columns.stop <= inside_columns.start:
        return _Mask(slice(0, 0), slice(0, 0), np.zeros((0, 0), np.float32))
    cover = cover[
        inside_rows.start - top : inside_rows.stop - top, inside_columns.start - left : inside_columns.stop - left
    ]
    return _Mask(inside_rows, inside_columns, cover * np.float32(1 / 255))


class _Scene:
    """The canvas, the pose of the head and what several parts share: the masks of head and hair, the lights."""

    def __init__(self, traits: FaceTraits) -> None:
        self.traits = traits
        self.pixels = np.zeros((3, HEIGHT, WIDTH), np.float32)
        self.skin = _colour(traits.skin)
        self._centre = np.asarray(EYES_CENTRE) + traits.offset
        cos, sin = np.cos(traits.roll) * traits.scale, np.sin(traits.roll) * traits.scale
        self._turn = np.array([[cos, -sin], [sin, cos]])
        self._shift = np.array([np.sin(traits.yaw), np.sin(traits.pitch)])
        azimuth, elevation = traits.light_azimuth, traits.light_elevation
        self.light = np.array(
            [np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), np.cos(azimuth) * np.cos(elevation)], np.float32
        )
        self.head = self.fill(_head_outline(traits), depth=-18).full()
        self.hair_in_front, self.hair_behind = _hair_masks(self)
        self.hair_picture = _hair_picture(self)

    def shift(self, depth: float) -> np.ndarray:
        """Return how far (x, y) the head's turn moves what lies at `depth`."""
        return self._shift * depth

    def place(self, points: np.ndarray, depth: float = 0.0) -> np.ndarray:
        """Return canvas positions (N, 2) of points on the head."""
        return np.einsum("nk,dk->nd", np.asarray(points) + self.shift(depth), self._turn) + self._centre

    def on_head(self, depth: float) -> tuple[np.ndarray, np.ndarray]:
        """Return where each canvas pixel lies on the head at `depth`: x and y, each (218, 178)."""
        back = np.linalg.inv(self._turn)
        offset = back @ (np.asarray(EYES_CENTRE) - self._centre) - self.shift(depth)
        (xx, xy), (yx, yy), (dx, dy) = *back.tolist(), offset.tolist()
        return _X[None, :] * xx + (_Y[:, None] * xy + dx), _X[None, :] * yx + (_Y[:, None] * yy + dy)

    def place_body(self, points: np.ndarray) -> np.ndarray:
        """Return canvas positions (N, 2) of points on neck and shoulders, which do not turn with the head."""
        moved = np.array(points, np.float64)
        moved[:, 0] += self.traits.lean * (moved[:, 1] - 40) / 60
        return moved * self.traits.scale + self.shift(-22) + self._centre

    def fill(self, points: np.ndarray, depth: float = 0.0, soften: float = 0.0) -> _Mask:
        """Return the coverage of a polygon on the head."""
        return _fill(self.place(points, depth), soften)

    def fill_body(self, points: np.ndarray, soften: float = 0.0) -> _Mask:
        """Return the coverage of a polygon on neck and shoulders."""
        return _fill(self.place_body(points), soften)

    def stroke(
        self, points: Sequence[tuple[float, float]], widths: Sequence[float], depth: float = 0.0, soften: float = 0.0
    ) -> _Mask:
        """Return the coverage of a tapered brush stroke along a smooth line on the head."""
        return self.fill(_ribbon(_smooth(points, closed=False), widths), depth, soften)

    def paint(self, mask: _Mask, colour: np.ndarray | Colour, opacity: float = 1.0) -> None:
        """Cover the canvas with a colour or a picture, anything that broadcasts to (3, 218, 178), where the mask is."""
        window = self.pixels[:, mask.rows, mask.columns]
        colour = _colour(colour)
        if colour.shape != (3, 1, 1):
            colour = np.broadcast_to(colour, self.pixels.shape)[:, mask.rows, mask.columns]
        window += (colour - window) * (mask.alpha * np.float32(opacity))

    def tint(self, mask: _Mask, factor: Colour | np.ndarray, strength: float = 1.0) -> None:
        """Multiply the canvas by a colour where the mask is: shadow below 1, light above."""
        window = self.pixels[:, mask.rows, mask.columns]
        window *= 1 + (_colour(factor) - 1) * (mask.alpha * np.float32(strength))

    def head_to_canvas(self, field: np.ndarray) -> np.ndarray:
        """Return a picture (3, 218, 178) drawn for an upright head, tilted and placed as the head is."""
        matrix = np.hstack([self._turn, (self._centre - self._turn @ np.asarray(EYES_CENTRE))[:, None]])
        return np.stack([_warped(channel, matrix) for channel in field])

    def lit(self, x: np.ndarray, y: np.ndarray, z: np.ndarray, wrap: Colour = (0.25, 0.25, 0.25)) -> np.ndarray:
        """Return the light (3, h, w) that falls on a surface with the unit normals (x, y, z), each (h, w).

        `wrap` lets light reach round the edge, per channel: red furthest in skin, so that its shadows are warm.
        """
        facing = x * self.light[0] + y * self.light[1] + z * self.light[2]
        reach = _colour(wrap)
        strength = np.float32(self.traits.light_strength)
        key = _colour(self.traits.light_colour) * strength * np.float32(0.92) / (1 + reach)
        return key * np.maximum(facing + reach, 0) + (np.float32(1.12) - strength) * (
            np.float32(0.86) - np.float32(0.14) * y
        )

    def developed(self) -> np.ndarray:
        """Return the canvas as uint8, after exposure and a soft shoulder that keeps highlights from burning out."""
        pixels = np.maximum(self.pixels * np.float32(self.traits.exposure), 0)
        bright = np.maximum(pixels - np.float32(0.8), 0)
        pixels -= bright
        pixels += bright / (1 + 5 * bright)
        pixels *= 255
        return cv2.merge(np.rint(pixels).astype(np.uint8))


_X = np.arange(WIDTH, dtype=np.float32) - EYES_CENTRE[0]
_Y = np.arange(HEIGHT, dtype=np.float32) - EYES_CENTRE[1]


def _colour(colour: Colour | np.ndarray) -> np.ndarray:
    """Return a colour (3,) as (3, 1, 1) float32, to broadcast over a picture; a picture stays as it is."""
    array = np.asarray(colour, np.float32)
    return array.reshape(3, 1, 1) if array.ndim == 1 else array


def _shade(colour: Colour | np.ndarray, factor: float) -> np.ndarray:
    """Return the colour (3, 1, 1) lighter or darker, within [0, 1]."""
    return np.clip(_colour(colour) * np.float32(factor), 0, 1)


def _warped(field: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return a canvas-sized field (218, 178) moved by a 2x3 matrix, its border continued."""
    return cv2.warpAffine(field, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _shadow_of(mask: np.ndarray, x: float, y: float, soften: float) -> np.ndarray:
    """Return the coverage (218, 178) of a mask moved by (x, y) pixels and blurred."""
    return cv2.GaussianBlur(_warped(mask, np.float32([[1, 0, x], [0, 1, y]])), (0, 0), soften)


# --- Background, neck, clothes ---------------------------------------------------------------------------------------


def _paint_backdrop(scene: _Scene) -> None:
    """Fill the canvas with a soft backdrop."""
    traits = scene.traits
    first, second, third = (_colour(colour) for colour in traits.backdrop_colours)
    cos, sin = math.cos(traits.backdrop_angle), math.sin(traits.backdrop_angle)
    along = _X[None, :] / 89 * cos + _Y[:, None] / 109 * sin
    if traits.backdrop == "studio":
        blend = np.minimum(np.hypot(_X[None, :] - 40 * cos, _Y[:, None] - 10) / 150, 1)
    elif traits.backdrop == "two_tone":
        blend = 1 / (1 + np.exp(-along * 14))
    else:
        blend = np.clip(0.5 + 0.5 * along, 0, 1)
    scene.pixels[:] = first + (second - first) * blend
    for number, (x, y, radius) in enumerate(traits.backdrop_spots):
        colour = third if number % 2 else _shade(first, 1.25)
        if traits.backdrop == "blurred":
            spot = _glow([(0.75, x - EYES_CENTRE[0], y - EYES_CENTRE[1], radius, radius)])
            scene.paint(_trimmed(spot), colour)
        elif traits.backdrop == "bokeh":
            scene.paint(_fill(_ellipse(x, y, radius, radius), 1.6), colour, 0.35)


def _paint_neck(scene: _Scene) -> None:
    """Paint neck and chest, with the shadow of the head on them."""
    half = 31.0 if scene.traits.male else 25.5
    half *= scene.traits.face_width
    shoulders = [(64, 101), (96, 116)] if scene.traits.clothes == "scoop" else [(half + 16, 108), (half + 16, 120)]
    outline = _mirrored([(half * 0.94, 30), (half * 0.95, 58), (half, 78), (half + 13, 93), *shoulders, (60, 150)])
    mask = scene.fill_body(_smooth(outline))
    around = np.clip((_X[None, :] - scene.shift(-22)[0]) / (half * 1.35), -0.95, 0.95)
    around = around.astype(np.float32)
    light = scene.lit(around, np.full_like(around, 0.12), np.sqrt(1 - around**2), (0.5, 0.38, 0.34))
    scene.paint(mask, scene.skin * 0.93 * light)
    scene.tint(mask.within(_shadow_of(scene.head, -7 * scene.light[0], 11, 4.5)), (0.55, 0.43, 0.41))


def _paint_clothes(scene: _Scene) -> None:
    """Paint what the person wears, shaded as round shoulders."""
    traits = scene.traits
    half = (31.0 if traits.male else 25.5) * traits.face_width
    collar = half + 2
    around = np.clip(_X[None, :] / 110, -0.85, 0.85)
    light = scene.lit(around, np.full_like(around, -0.15), np.sqrt(1 - around**2))
    cloth = _colour(traits.clothes_colour) * light
    shoulders = [(collar + 10, 88), (66, 97), (92, 106), (104, 120), (104, 150)]
    necklines = {
        "crew": [(0, 99), (collar * 0.6, 95), (collar, 84)],
        "turtleneck": [(0, 76), (collar * 0.6, 74), (collar, 66)],
        "vneck": [(0, 122), (collar * 0.55, 100), (collar, 84)],
        "scoop": [(0, 112), (collar * 0.8, 107), (collar + 10, 92)],
        "suit": [(0, 98), (collar * 0.6, 92), (collar, 80)],
    }
    outline = _mirrored(necklines[traits.clothes] + shoulders)
    if traits.clothes != "suit":
        outline = _smooth(outline, steps=4)
        scene.tint(scene.fill_body(outline, 2.0), (0.75, 0.7, 0.7))
        scene.paint(scene.fill_body(outline), cloth)
        return
    shirt = _colour(traits.shirt_colour) * light
    scene.paint(scene.fill_body(_smooth(outline, steps=4)), shirt)
    for side in (-1, 1):
        flap = np.array([(2, 97), (collar * 0.75, 84), (collar + 3, 80), (collar + 2, 92), (10, 108)]) * (side, 1)
        scene.paint(scene.fill_body(flap, 0.5), shirt * (1.04 if side * scene.light[0] > 0 else 0.88))
    if traits.tie_colour is not None:
        tie = np.array([(-6, 98), (6, 98), (4.5, 108), (9, 140), (-9, 140), (-4.5, 108)])
        scene.paint(scene.fill_body(tie, 0.5), _colour(traits.tie_colour) * light)
    for side in (-1, 1):
        jacket = np.array([(collar + 2, 84), (66, 95), (92, 104), (110, 120), (110, 150), (8, 150), (collar - 6, 100)])
        scene.paint(scene.fill_body(jacket * (side, 1), 0.6), cloth)
        lapel = np.array(
            [(collar + 2, 84), (collar + 9, 96), (collar + 2, 102), (20, 118), (8, 150), (collar - 6, 100)]
        )
        scene.paint(scene.fill_body(lapel * (side, 1), 0.6), cloth * 1.18)


# --- Head ------------------------------------------------------------------------------------------------------------


def _half_outline(traits: FaceTraits) -> np.ndarray:
    """Return the right half of the head's outline (12, 2) from top to chin."""
    width = 45.5 * traits.face_width
    jaw = traits.jaw_width
    chin = 72.5 + traits.chin + 2.5 * traits.mouth_open
    return np.array(
        [
            (0, -67),
            (0.44 * width, -62.5),
            (0.77 * width, -49),
            (0.94 * width, -30),
            (0.995 * width, -12),
            (1.0 * width, 6),
            (0.96 * width, 22),
            (0.86 * width * (0.4 + 0.6 * jaw), 38),
            (0.67 * width * jaw, 53),
            (0.43 * width * jaw, chin - 8.5),
            (0.21 * width * jaw, chin - 1.3),
            (0, chin),
        ]
    )


def _head_outline(traits: FaceTraits) -> np.ndarray:
    return _smooth(_mirrored(_half_outline(traits)))


def _paint_ears(scene: _Scene) -> None:
    """Paint the ears, where hair leaves them free."""
    traits = scene.traits
    if traits.hair_style in COVERS_EARS:
        return
    edge = 45.5 * traits.face_width
    for side in (-1, 1):
        ear = np.array(
            [(edge - 4, -9), (edge + 3, -13), (edge + 7, -7), (edge + 6, 5), (edge + 2.5, 15), (edge - 4, 17)]
        )
        lit = 0.84 + 0.22 * side * float(scene.light[0])
        mask = scene.fill(_smooth(ear * (side, 1)), depth=-26, soften=0.4)
        scene.paint(mask, _shade(scene.skin * _colour((1.0, 0.9, 0.88)), lit))
        inner = _smooth(np.array([(edge, -7), (edge + 4, -6), (edge + 3, 4), (edge, 9)]) * (side, 1))
        scene.tint(scene.fill(inner, depth=-26, soften=1.2), (0.72, 0.6, 0.58))


def _bumps(scene: _Scene) -> list[tuple[float, float, float, float, float]]:
    """Return the relief of the face: one (height, x, y, width, length) in pixels for each smooth bump or hollow."""
    traits = scene.traits
    smile, wide, lower = max(traits.smile, 0.0), traits.nose_width, traits.nose_length
    rugged = 1.25 if traits.male else 0.8
    middle = [
        (5.5, 0, 9 + lower / 2, 4.4 * wide**0.5, 12, 8),
        (7.5, 0, 24 + lower, 5.6 * wide, 5.5, 16),
        (1.6, 0, 43, 19, 12, 6),
        (1.8 * traits.lip_fullness, 0, 46.5, 11, 3.2, 9),
        (-2.0, 0, 53, 12, 3.4, 7),
        (3.4 * rugged, 0, 63 + traits.chin, 11, 7, 8),
        (-0.9, 0, 33 + lower / 2, 2.4, 4, 11),
        (2.0, 0, -38, 26, 15, 0),
    ]
    pairs = [
        (3.6, 7.2 * wide, 27.5 + lower, 3.6 * wide, 3.4, 11),
        (2.2 * rugged, 17, -12, 11, 5, 4),
        (-4.2 * rugged**0.5, 17.5, -2, 10, 6.5, 0),
        (2.4, EYE_X, 0.5, 7.5, 5, 2),
        (3.0 + 3.6 * smile, 26, 19 - 2 * smile, 11, 9, 0),
        (-1.4 - 1.0 * (not traits.young), 33, 40, 8, 12, -4),
    ]
    sides = [(h, side * x, y, w, v, d) for h, x, y, w, v, d in pairs for side in (-1, 1)]
    turned = []
    for height, x, y, width, length, depth in middle + sides:
        dx, dy = scene.shift(depth)
        turned.append((height, x + dx, y + dy, width, length))
    return turned


def _outer_sum(down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Return the sum (218, 178) of separable bumps with the profiles `down` (n, 218) and `across` (n, 178)."""
    # Not a matrix product: BLAS would start threads in every worker, and its last bits may depend on their number.
    return np.einsum("ny,nx->yx", down, across)


def _head_normals(scene: _Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the unit normals (x, y, z), each (218, 178), of an upright head's surface with its relief."""
    half = _half_outline(scene.traits)
    shift_x, shift_y = scene.shift(-18)
    width = np.maximum(np.interp(_Y - shift_y, half[:, 1], half[:, 0]), 14).astype(np.float32)
    around = np.clip((_X[None, :] - np.float32(shift_x)) / width[:, None], -1, 1)
    x = np.sign(around) * np.abs(around) ** 1.7 * 0.93
    above, below = np.clip((-14 - _Y) / 58, 0, 1), np.clip((_Y - 14) / 66, 0, 1)
    y = (-0.8 * above**1.6 + 0.62 * below**2)[:, None].astype(np.float32)
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0.06))

    height, at_x, at_y, wide, long = np.asarray(_bumps(scene), np.float32).T[:, :, None]
    from_x, from_y = _X - at_x, _Y - at_y
    profile_x, profile_y = np.exp(-0.5 * (from_x / wide) ** 2), np.exp(-0.5 * (from_y / long) ** 2) * height
    x = x + _outer_sum(profile_y, profile_x * from_x / wide**2)
    y = y + _outer_sum(profile_y * from_y / long**2, profile_x)
    length = np.sqrt(x**2 + y**2 + z**2)
    return x / length, y / length, z / length


def _glow(spots: Sequence[tuple[float, float, float, float, float]]) -> np.ndarray:
    """Return the sum (218, 178) of soft spots, each (strength, x, y, width, length)."""
    strength, x, y, wide, long = np.asarray(spots, np.float32).T[:, :, None]
    profile_x = np.exp(-0.5 * ((_X - x) / wide) ** 2)
    profile_y = np.exp(-0.5 * ((_Y - y) / long) ** 2) * strength
    return _outer_sum(profile_y, profile_x)


def _paint_skin(scene: _Scene) -> None:
    """Paint the lit head: warm shadows, a sheen towards the light, flushed cheeks and nose, darker eye sockets."""
    traits = scene.traits
    x, y, z = _head_normals(scene)
    light = scene.lit(x, y, z, (0.5, 0.36, 0.32))
    halfway = scene.light + np.float32([0, 0, 1])
    halfway /= np.linalg.norm(halfway)
    sheen = np.maximum(x * halfway[0] + y * halfway[1] + z * halfway[2], 0) ** 16
    sheen *= np.float32(0.13)
    flush = _glow(
        [
            (traits.rosy, -26, 20, 11, 9),
            (traits.rosy, 26, 20, 11, 9),
            (0.22, scene.shift(16)[0], 25, 7, 6),
            (0.15, 0, 62, 12, 8),
        ]
    )
    sockets = _glow([(0.16, -EYE_X, -2, 12, 7), (0.16, EYE_X, -2, 12, 7)])
    colour = scene.skin * (1 - flush * _colour((0.02, 0.26, 0.24)))
    colour *= 1 - sockets * _colour((0.8, 1.0, 0.9))
    picture = scene.head_to_canvas(colour * light + sheen * _colour(traits.light_colour))
    scene.paint(_trimmed(scene.head), picture)


def _paint_creases(scene: _Scene) -> None:
    """Paint folds: nose to mouth (deeper in a smile and with age), under the eyes, on an old forehead."""
    traits = scene.traits
    smile, age = max(traits.smile, 0.0), 0.0 if traits.young else 1.0
    fold = 0.12 + 0.38 * smile + 0.28 * age
    corner_x, corner_y = 19 + 4.5 * smile, 40 - 3 * smile
    for side in (-1, 1):
        line = [(side * x, y) for x, y in [(11, 26), (16, 30), (corner_x, 36 - smile), (corner_x + 1, corner_y + 6)]]
        scene.tint(scene.stroke(line, (0.8, 2.6, 2.6, 0.4), 4, 1.3), (0.66, 0.5, 0.46), fold)
        bag = [(side * x, y) for x, y in [(11, 6.5), (19, 9.5), (27, 7.5)]]
        scene.tint(scene.stroke(bag, (0.5, 2.4, 0.5), 1, 1.2), (0.7, 0.58, 0.58), 0.22 + 0.4 * age + 0.15 * smile)
        if age:
            foot = [(side * x, y) for x, y in [(31, 1), (36, 4)]]
            scene.tint(scene.stroke(foot, (0.6, 1.2, 0.4), -4, 0.7), (0.7, 0.6, 0.58), 0.6)
    if age:
        for y in (-30, -37):
            line = [(-22, y + 2), (-8, y), (8, y), (22, y + 2)]
            scene.tint(scene.stroke(line, (0.4, 1.8, 1.8, 0.4), 2, 1.0), (0.72, 0.62, 0.6), 0.5)


def _paint_nose(scene: _Scene) -> None:
    """Paint nostrils, wings and the shadow under the tip; the bridge is the surface's own shading."""
    wide, lower = scene.traits.nose_width, scene.traits.nose_length
    dark = (0.45, 0.3, 0.28)
    under = _smooth([(-8 * wide, 29 + lower), (0, 30.5 + lower), (8 * wide, 29 + lower), (0, 34 + lower)])
    scene.tint(scene.fill(under, 12, 1.4), (0.72, 0.58, 0.56), 0.7)
    away = -1 if scene.light[0] > 0 else 1
    side_shadow = _smooth(
        [(away * 4, 6), (away * 10 * wide, 26 + lower), (away * 9 * wide, 30 + lower), (away * 3, 26)]
    )
    scene.tint(scene.fill(side_shadow, 10, 2.0), (0.8, 0.7, 0.68), 0.7 * abs(float(scene.light[0])))
    for side in (-1, 1):
        nostril = _ellipse(side * 4.6 * wide, 30 + lower, 2.5 * wide**0.5, 1.25)
        scene.tint(scene.fill(nostril, 13, 0.6), dark, 0.95)
        wing = [(side * x * wide, y + lower) for x, y in [(9.2, 22.5), (11, 26.5), (9.3, 30.5)]]
        scene.tint(scene.stroke(wing, (0.5, 1.7, 0.9), 9, 0.8), (0.6, 0.46, 0.42), 0.6)


def _paint_eye(scene: _Scene, side: int) -> None:
    """Paint one eye (side -1 or 1): white, iris, pupil, highlight, lashes, lids and eye shadow."""
    traits = scene.traits
    opening = traits.eye_open * (1 - 0.2 * max(traits.smile, 0.0))
    tilt = traits.eye_tilt

    def at(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(side * (EYE_X + x), y) for x, y in points]

    upper = at([(-9.6, 1.4), (-5, -3.4 * opening), (0.5, -5.0 * opening), (5.5, -3.9 * opening - tilt), (10, 0 - tilt)])
    lower = at([(10, 0 - tilt), (5, 2.9 * opening), (0, 3.8 * opening), (-5, 3.0 * opening), (-9.6, 1.4)])
    almond = np.vstack([_smooth(upper, closed=False), _smooth(lower, closed=False)])
    if traits.eyeshadow:
        lid = at([(-8, -2), (0, -9), (8, -8), (12, -3), (0, -3)])
        scene.tint(scene.fill(_smooth(lid), 1, 1.8), (0.62, 0.48, 0.54), traits.eyeshadow)
    inside = scene.fill(almond, 1, 0.35)
    whole = inside.full()
    lit = 0.78 + 0.17 * float(scene.light[2])
    scene.paint(inside, _shade((0.95, 0.93, 0.91), lit))
    gaze = traits.gaze * 1.7 + np.sin(traits.yaw) * 4
    centre_x = side * EYE_X + gaze
    iris = scene.fill(_ellipse(centre_x, -0.4, 4.9, 4.9), 1, 0.4).within(whole)
    scene.paint(iris, _shade(traits.iris, 0.62))
    scene.paint(scene.fill(_ellipse(centre_x, 0.4, 3.7, 3.6), 1, 0.7).within(whole), _shade(traits.iris, 1.25))
    scene.paint(scene.fill(_ellipse(centre_x, -0.4, 2.2, 2.2), 1, 0.35).within(whole), (0.03, 0.02, 0.02))
    lid_shadow = scene.stroke([(x, y + 1.6) for x, y in upper], (1, 2.6, 2.6, 1), 1, 0.8).within(whole)
    scene.tint(lid_shadow, (0.5, 0.45, 0.45), 0.8)
    spark_x = centre_x + (1.6 if scene.light[0] > 0 else -1.6)
    scene.paint(scene.fill(_ellipse(spark_x, -2.0, 1.15, 1.15), 1, 0.3).within(whole), (1.0, 1.0, 1.0), 0.95)

    lash = 1.5 if traits.male else 2.1 + 0.9 * min(traits.eyeshadow, 1)
    scene.paint(scene.stroke(upper, (0.7, lash, lash, lash, 0.9), 1, 0.4), _shade(scene.skin, 0.16), 0.92)
    scene.tint(scene.stroke(lower, (0.9, 0.9, 0.5), 1, 0.5), (0.55, 0.42, 0.4), 0.7)
    crease = at([(-8, -3.4), (-3, -7.2 * (0.5 + opening / 2)), (4, -7.8 * (0.5 + opening / 2)), (10.5, -3.6)])
    scene.tint(scene.stroke(crease, (0.3, 1.5, 1.5, 0.4), 1, 0.7), (0.6, 0.46, 0.43), 0.7)


def _paint_eyebrow(scene: _Scene, side: int) -> None:
    """Paint one eyebrow (side -1 or 1) in a darker colour of the hair."""
    traits = scene.traits
    raised = 1.0 * max(traits.smile, 0.0) - (0.8 if traits.male else 0.0)
    arch = traits.brow_arch
    line = [(8, -13.4), (14.5, -15.2 - 0.3 * arch), (21.5, -16.2 - 1.6 * arch), (27.5, -15 - 1.5 * arch), (33, -11.2)]
    mask = scene.stroke(
        [(side * x, y - raised) for x, y in line], np.array([2.2, 3.8, 3.6, 2.6, 0.8]) * traits.brow_thickness, 3, 0.7
    )
    colour = 0.55 * _colour(traits.hair_colour) + 0.12 * scene.skin
    scene.paint(mask, _shade(colour, 0.85), 0.82)


def _paint_mouth(scene: _Scene) -> None:
    """Paint lips, and between them teeth or darkness."""
    traits = scene.traits
    smile, glad = traits.smile, max(traits.smile, 0.0)
    # Without a smile an open mouth is narrow and rounds upwards too: else its lower lip alone would look like a smile.
    rounded = traits.mouth_open * (1 - glad)
    half = 15.2 + 4.6 * glad - 2.4 * rounded
    corner = 40.5 - 4.8 * smile + 1.8 * rounded
    middle = 40.6 + 1.2 * glad - 1.0 * rounded
    gap = traits.mouth_open * (4.2 + 3.4 * glad)
    full = traits.lip_fullness
    top, bottom = middle - 4.6 * full + 0.9 * glad, middle + gap + 6.2 * full - 0.8 * glad

    def curve(centre: float, power: float) -> np.ndarray:
        x = np.linspace(-1, 1, 21)
        return np.stack([x * half, centre + (corner - centre) * np.abs(x) ** power], axis=1)

    upper_top, upper_low = curve(top, 1.5), curve(middle, 2.0)
    lower_top, lower_low = curve(middle + gap, 2.2), curve(bottom, 2.1)
    upper_top[:, 1] += 1.1 * full * np.exp(-0.5 * (upper_top[:, 0] / 2.4) ** 2)
    natural = scene.skin * _colour((0.84, 0.56, 0.55))
    colour = natural + (_colour(traits.lip_colour) - natural) * np.float32(traits.lipstick)
    lit = 0.72 + 0.3 * float(scene.light[2])
    depth, soft = 7, 0.55 if traits.lipstick else 0.8
    if gap > 0.5:
        cavity = scene.fill(np.vstack([upper_low, lower_top[::-1]]), depth, 0.4)
        scene.paint(cavity, (0.22, 0.06, 0.07))
        reach = np.minimum(gap * (0.85 if glad > 0.3 else 0.45), 6.5)
        teeth = np.vstack([curve(middle - 0.5, 2.0) * (0.93, 1), (curve(middle + reach, 2.2) * (0.9, 1))[::-1]])
        scene.paint(scene.fill(teeth, depth, 0.5).within(cavity.full()), _shade((0.95, 0.92, 0.87), lit + 0.05))
    scene.paint(scene.fill(np.vstack([upper_top, upper_low[::-1]]), depth, soft), _shade(colour, 0.86 * lit))
    scene.paint(scene.fill(np.vstack([lower_top, lower_low[::-1]]), depth, soft), _shade(colour, 1.06 * lit))
    gleam = _ellipse(3 * float(scene.light[0]), (middle + gap + bottom) / 2 - 0.4, 5.5, 1.2)
    scene.tint(scene.fill(gleam, depth, 1.0), (1.25, 1.3, 1.3), 0.6 + 0.4 * traits.lipstick)
    dark = _shade(colour, 0.34)
    if gap <= 0.5:
        scene.paint(scene.fill(_ribbon(upper_low, (0.6, 1.3, 1.6, 1.3, 0.6)), depth, 0.45), dark, 0.9)
    for side in (-1, 1):
        dimple = _ellipse(side * (half + 0.6), corner, 1.9 + glad, 1.7 + 0.6 * glad)
        scene.tint(scene.fill(dimple, 4, 0.9), (0.55, 0.4, 0.38), 0.55 + 0.25 * glad)
    below = _smooth([(-9, bottom + 2), (0, bottom + 3.2), (9, bottom + 2), (0, bottom + 5)])
    scene.tint(scene.fill(below, depth, 1.5), (0.78, 0.66, 0.63), 0.7)


# --- Hair ------------------------------------------------------------------------------------------------------------


def _hair_outline(traits: FaceTraits) -> np.ndarray | None:
    """Return the silhouette of the hair (N, 2), or None for a bald head without any."""
    wide, volume = traits.face_width, traits.hair_volume
    crown = [(0, -68 - volume), (20 * wide, -64 - 0.95 * volume), (37 * wide, -51 - 0.75 * volume)]
    temple = (46.5 * wide + 0.4 * volume, -31)
    if traits.hair_style == "bald":
        crown, temple = [(0, -60), (21 * wide, -57), (36 * wide, -44)], (45.5 * wide, -28)
    if traits.hair_style in ("long", "long_behind"):
        sides = [(52, -2), (54, 34), (57, 70), (58, 104), (56, 150)]
    elif traits.hair_style == "bob":
        sides = [(52, -2), (55, 26), (53, 46), (45, 56), (30, 58)]
    else:
        sides = [(49, -12), (47.6, 2), (45, 13), (30, 16)]
    hangs = 0.55 * volume if traits.hair_style in COVERS_EARS else 0.1 * volume
    outline = crown + [temple] + [(x * wide + hangs, y) for x, y in sides]
    if traits.hair_style == "afro":
        outline = [(0, -70 - volume)]
        outline += [((50 + volume) * np.sin(a), -24 - (46 + volume) * np.cos(a)) for a in (0.45, 0.9, 1.35, 1.8, 2.2)]
    curve = _smooth(_mirrored(outline))
    return _ruffled(curve, traits)


def _ruffled(curve: np.ndarray, traits: FaceTraits) -> np.ndarray:
    """Return the outline with the waves of its hair: gentle for wavy, lumpy for curly hair."""
    if traits.hair_texture == "straight" or traits.hair_style in ("buzz", "bald"):
        return curve
    first, second, _ = traits.hair_phase
    tight = 0.45 if traits.hair_style in ("updo", "ponytail", "receding", "short") else 1.0
    along = np.cumsum(np.r_[0, np.linalg.norm(np.diff(curve, axis=0), axis=1)])
    size, length = (1.6, 30.0) if traits.hair_texture == "wavy" else (1.5, 11.0)
    turns = np.maximum(np.round(along[-1] / length), 1)
    phase = along / along[-1] * 2 * np.pi * turns
    outward = curve / (np.linalg.norm(curve, axis=1, keepdims=True) + 1e-9)
    return curve + outward * size * tight * (np.sin(phase + first) + 0.6 * np.sin(0.5 * phase + second))[:, None]


def _hair_opening(traits: FaceTraits) -> np.ndarray:
    """Return the part of the silhouette (N, 2) that hair leaves free in front: the face below the hairline."""
    wide, line, part = traits.face_width, traits.hairline, traits.hair_part
    style = traits.hair_style
    if style in ("long", "long_behind", "bob"):
        high = -54 - line

        def half(side: int) -> list[tuple[float, float]]:
            swept = part * side
            return [
                (part * 16 + side * 11, high + 6 + 2 * swept),
                (side * (32 + 2 * swept) * wide, -29 + 3 * swept),
                (side * 40.5 * wide, -6),
                (side * 42 * wide, 20),
                (side * 40.5 * wide, 46),
                (side * 42 * wide, 72),
                (side * 47 * wide, 150),
            ]

        return _smooth([(part * 16, high), *half(1), *half(-1)[::-1]])
    hairlines: dict[str, list[tuple[float, float]]] = {
        "receding": [(0, -53), (11, -56), (22, -63), (32, -55), (38, -34), (40, -14)],
        "bald": [(0, -110), (30, -100), (44, -60), (42, -34), (40.5, -22), (41, -12)],
        "afro": [(0, -45), (16, -45), (29, -40), (37, -26), (40, -10), (41, 4)],
        "updo": [(0, -47), (16, -47), (30, -41), (39, -24), (43, -6), (45, 6)],
        "ponytail": [(0, -48), (16, -48), (31, -41), (39, -24), (43, -6), (45, 6)],
        "quiff": [(0, -49), (15, -49), (30, -45), (37, -30), (40, -12), (43, 2)],
        "buzz": [(0, -46), (16, -46), (31, -44), (36, -30), (40, -12), (43, 2)],
        "short": [(0, -44), (16, -44), (30, -40), (37, -27), (40, -11), (43, 2)],
    }
    right = [(x * wide, y - line if y < -30 else y) for x, y in hairlines[style]]
    outline = _mirrored([*right, (46 * wide, 15), (64, 22), (80, 150)])
    # A side parting lifts one half of the hairline and lowers the other.
    swept = np.exp(-0.5 * ((outline[:, 1] + 44) / 9) ** 2) * outline[:, 0] / 30
    outline[:, 1] += 4.5 * part * swept * (style in ("short", "quiff"))
    return _smooth(outline)


def _bangs_outline(traits: FaceTraits) -> np.ndarray:
    """Return the fringe over the forehead (N, 2)."""
    wide, part = traits.face_width, traits.hair_part
    lowest = [
        (-42, -8),
        (-33, -19 + 2 * part),
        (-17, -22),
        (0, -22.5 + part),
        (17, -22),
        (33, -19 - 2 * part),
        (42, -8),
    ]
    top = [(46, -30), (36, -56), (0, -64), (-36, -56), (-46, -30)]
    return _smooth([(x * wide, y) for x, y in lowest + top])


def _hairline_softness(traits: FaceTraits) -> float:
    """Return the blur of the hairline in pixels: cropped and tied hair thins out, hanging hair has an edge."""
    if traits.hair_style in ("buzz", "bald", "receding"):
        return 2.2
    return 1.0 if traits.hair_style in HAS_LONG_FRONT else 1.6


def _hair_masks(scene: _Scene) -> tuple[np.ndarray, np.ndarray]:
    """Return the coverage (218, 178) of the hair before the face and of all hair behind the head."""
    traits = scene.traits
    outline = _hair_outline(traits)
    whole = scene.fill(outline, -20, 0.7).full()
    opening = scene.fill(_hair_opening(traits), -6, _hairline_softness(traits)).full()
    front = whole * (1 - opening)
    if traits.hair_style == "long_behind":
        front *= np.clip((scene.place(np.array([(0.0, 62.0)]))[0, 1] - np.arange(HEIGHT)) / 24, 0, 1)[:, None]
    if traits.bangs:
        front = np.maximum(front, scene.fill(_bangs_outline(traits), 2, 0.9).full() * np.maximum(whole, scene.head))
    behind = whole
    if traits.hair_style == "updo":
        behind = np.maximum(behind, scene.fill(_ellipse(0, -77, 21, 17), -40, 0.7).full())
    if traits.hair_style == "ponytail":
        side = 1 if traits.hair_part > 0 else -1
        tail = _smooth(np.array([(38, -20), (56, -10), (66, 30), (62, 80), (54, 112), (44, 80), (42, 30)]) * (side, 1))
        behind = np.maximum(behind, scene.fill(tail, -40, 0.8).full())
    return front.astype(np.float32), behind.astype(np.float32)


def _hair_picture(scene: _Scene) -> np.ndarray:
    """Return hair everywhere (3, 218, 178): locks along the head's meridians, a band of gloss, light from the side."""
    traits = scene.traits
    x, y = scene.on_head(-20)
    round_top = np.sqrt(np.clip(1 - (np.minimum(y + 4, 0) / 84) ** 2, 0.05, 1))
    lock = (x - 10 * traits.hair_part) / round_top
    first, second, third = traits.hair_phase
    if traits.hair_texture == "wavy":
        lock = lock + 4.0 * np.sin(y / 9.5 + first + 0.02 * x)
    streaks = (
        0.5 * np.sin(lock * 0.26 + first)
        + 0.36 * np.sin(lock * 0.55 + second + 0.02 * y)
        + 0.16 * np.sin(lock * 1.05 + third)
    )
    if traits.hair_texture == "curly":
        streaks = (
            0.65 * np.sin(x * 0.5 + 2 * np.sin(y * 0.23 + first)) * np.sin(y * 0.47 + 2 * np.sin(x * 0.21 + second))
        )
    normal_x, normal_y = np.clip(x / 66, -0.9, 0.9), np.clip((y + 8) / 86, -0.9, 0.55)
    normal_z = np.sqrt(np.maximum(1 - normal_x**2 - normal_y**2, 0.08))
    light = scene.lit(normal_x, normal_y, normal_z, (0.35, 0.33, 0.32))
    facing = normal_x * scene.light[0] + normal_y * scene.light[1] + normal_z * scene.light[2]
    gloss = np.exp(-(((facing - 0.86) / 0.11) ** 2)) * (0.8 + 0.35 * streaks)
    colour = _colour(traits.hair_colour)
    shine = (0.10 + 0.25 * colour) * {"straight": 1.0, "wavy": 0.75, "curly": 0.25}[traits.hair_texture]
    light *= colour * (1 + 0.17 * streaks)
    light += gloss * shine
    return light


def _paint_hair_behind(scene: _Scene) -> None:
    """Paint all hair behind head and neck, in shadow except at its rim."""
    scene.paint(_trimmed(scene.hair_behind), scene.hair_picture)
    inner = scene.fill(_ellipse(0, 52, 40, 44), -20, 9.0).within(scene.hair_behind)
    scene.tint(inner, (0.45, 0.43, 0.43), 0.9)


def _paint_hair_in_front(scene: _Scene) -> None:
    """Paint the hair before the face, and first the shadow that it casts on the skin."""
    traits = scene.traits
    thin = traits.hair_style in ("buzz", "bald")
    shadow = _shadow_of(scene.hair_in_front, -3 * scene.light[0], 3.5, 2.6)
    scene.tint(_trimmed(shadow * scene.head * (1 - scene.hair_in_front)), (0.7, 0.6, 0.57), 0.4 if thin else 0.85)
    scene.paint(_trimmed(scene.hair_in_front), scene.hair_picture, 0.82 if thin else 1.0)


def _paint_beard(scene: _Scene) -> None:
    """Paint stubble, moustache, goatee or a full beard in the colour of the hair."""
    traits = scene.traits
    if traits.beard == "none":
        return
    smile = max(traits.smile, 0.0)
    corner_x, corner_y = 17 + 4.5 * smile, 40.5 - 4.8 * smile
    colour = scene.hair_picture * 0.9
    lip = [(0, 33.5), (8, 34 - smile), (corner_x, corner_y - 2), (corner_x + 2, corner_y + 4), (10, corner_y + 1)]
    moustache = scene.fill(_smooth(_mirrored([*lip, (0, 40)])), 8, 1.1).full()
    chin = 73.0 + traits.chin + 2.5 * traits.mouth_open
    if traits.beard == "moustache":
        scene.paint(_trimmed(moustache), colour, 0.9)
        return
    if traits.beard == "goatee":
        patch = [(0, 50), (11, 50), (corner_x + 1, corner_y), (corner_x + 3, 50), (17, chin - 7), (0, chin + 1)]
        mask = np.maximum(scene.fill(_smooth(_mirrored(patch)), 4, 1.4).full(), moustache)
        scene.paint(_trimmed(mask), colour, 0.88)
        return
    half = _half_outline(traits)
    grown = 3.0 if traits.beard == "full" else 0.0
    jaw = [(x + grown * 0.4, y + grown) for x, y in half[6:]]
    cheek = [(0, 33), (13, 34), (corner_x + 3, 35), (31 * traits.face_width, 26), (41 * traits.face_width, 6)]
    edge = [*cheek, (45.5 * traits.face_width, 2), *jaw]
    mask = np.maximum(scene.fill(_smooth(_mirrored(edge)), -8, 2.4).full(), moustache)
    if traits.beard == "stubble":
        scene.tint(_trimmed(mask * scene.head), (0.72, 0.7, 0.72), 0.75)
        return
    scene.paint(_trimmed(mask), colour, 0.9)


# --- What people put on ----------------------------------------------------------------------------------------------


def _paint_hat(scene: _Scene) -> None:
    """Paint a knitted cap down to the forehead."""
    traits = scene.traits
    if traits.hat_colour is None:
        return
    wide = traits.face_width
    cap = [(0, -90), (24, -86), (44, -66), (53, -36), (51, -22), (0, -31)]
    band = [(0, -47), (30, -44), (53, -37), (53.5, -20), (28, -27), (0, -30)]
    cap, band = (_smooth(_mirrored(half) * (wide, 1)) for half in (cap, band))
    x = np.clip((_X[None, :] - np.float32(scene.shift(-18)[0])) / 60, -0.92, 0.92)
    y = np.clip((_Y[:, None] + 20) / 90, -0.8, 0.3)
    light = scene.lit(x, y, np.sqrt(np.maximum(1 - x**2 - y**2, 0.05)))
    cloth = scene.head_to_canvas(_colour(traits.hat_colour) * light)
    shadow = scene.fill(band + np.array([0, 5]), -8, 2.5).within(scene.head)
    scene.tint(shadow, (0.62, 0.52, 0.5), 0.8)
    scene.paint(scene.fill(cap, -14, 0.6), cloth)
    scene.paint(scene.fill(band, -10, 0.6), cloth * 0.82)


def _paint_earrings(scene: _Scene) -> None:
    """Paint a drop below each ear."""
    if scene.traits.earrings is None:
        return
    edge = 45.5 * scene.traits.face_width
    for side in (-1, 1):
        scene.paint(scene.fill(_ellipse(side * (edge + 0.5), 21, 2.6, 3.8), -24, 0.4), scene.traits.earrings)
        scene.paint(scene.fill(_ellipse(side * (edge + 0.5) - 0.8, 19.6, 0.9, 1.2), -24, 0.4), (1.0, 0.98, 0.92))


def _paint_glasses(scene: _Scene) -> None:
    """Paint glasses: shadow on the skin, lenses with a reflection, frame, bridge and temples."""
    traits = scene.traits
    if traits.glasses == "none":
        return
    half_width, half_height, power = {
        "round": (13.6, 12.2, 2.2),
        "square": (14.6, 10.2, 4.0),
        "sunglasses": (15.6, 12.2, 3.0),
    }[traits.glasses]
    frame_width = 2.0 if traits.glasses == "sunglasses" else 1.9
    bare = scene.head * (1 - scene.hair_in_front) if traits.hair_style in COVERS_EARS else scene.head
    frame = np.zeros((HEIGHT, WIDTH), np.float32)
    lenses = np.zeros((HEIGHT, WIDTH), np.float32)
    for side in (-1, 1):
        x, y = side * (EYE_X + 0.6), 2.0
        outer = scene.fill(_rounded_box(x, y, half_width, half_height, power), 9).full()
        inner = scene.fill(_rounded_box(x, y, half_width - frame_width, half_height - frame_width, power), 9).full()
        frame = np.maximum(frame, outer - inner)
        lenses = np.maximum(lenses, inner)
        temple = _ribbon(np.array([(side * 32.0, -2.0), (side * 40, -3), (side * 48, -3)]), (2.2, 1.8))
        frame = np.maximum(frame, scene.fill(temple, 0).within(bare).full())
    bridge = _ribbon(_smooth([(-8.0, 0.0), (0, -3.0), (8.0, 0.0)], closed=False), (2.0, 1.8, 2.0))
    frame = np.maximum(frame, scene.fill(bridge, 9).full())
    shadow = _shadow_of(frame, -1.5 * scene.light[0], 2.5, 1.2)
    scene.tint(_trimmed(shadow * scene.head), (0.68, 0.58, 0.56), 0.7)
    if traits.glasses == "sunglasses":
        scene.paint(_trimmed(lenses), (0.07, 0.06, 0.07), 0.9)
    glare = np.zeros((HEIGHT, WIDTH), np.float32)
    for side in (-1, 1):
        x = side * (EYE_X + 0.6)
        streak = np.array([(x - 9, 8), (x + 1, -12), (x + 6, -12), (x - 4, 8)])
        glare = np.maximum(glare, scene.fill(streak, 9, 1.2).full())
    scene.paint(_trimmed(glare * lenses), (1.0, 1.0, 1.0), 0.13)
    scene.paint(_trimmed(frame), traits.glasses_colour, 0.95)

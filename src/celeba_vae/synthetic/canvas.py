"""The canvas of a portrait: where a head's points lie on it, what covers it, and the light that falls on surfaces.

Coordinates: x to the right and y down in pixels from the point between the eyes, depth towards the viewer.
Colours: RGB in [0, 1]. Coverage: 0 where something is not to be seen, 1 where it hides what is behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from celeba_vae.synthetic.shapes import Points, ribbon, smooth
from celeba_vae.synthetic.traits import Colour, FaceTraits

HEIGHT, WIDTH = 218, 178
# where CelebA has the point between the eyes
CENTRE = np.array([88.5, 112.0])
OVERSAMPLE = 4

X = np.arange(WIDTH, dtype=np.float32) - np.float32(CENTRE[0])
Y = np.arange(HEIGHT, dtype=np.float32) - np.float32(CENTRE[1])


def rgb(colour: Colour | np.ndarray) -> np.ndarray:
    """Give a colour (3,) as (3, 1, 1) float32, to broadcast over a picture; a picture stays as it is."""
    array = np.asarray(colour, np.float32)
    return array.reshape(3, 1, 1) if array.ndim == 1 else array


def shade(colour: Colour | np.ndarray, factor: float) -> np.ndarray:
    """Give the colour (3, 1, 1) lighter or darker, within [0, 1]."""
    return np.clip(rgb(colour) * np.float32(factor), 0, 1)


@dataclass(frozen=True)
class Mask:
    """Coverage ``alpha`` (h, w) float32 of a window of the canvas: rows and columns."""

    window: tuple[slice, slice]
    alpha: np.ndarray

    def full(self) -> np.ndarray:
        """Give the coverage of the whole canvas, (218, 178) float32."""
        whole = np.zeros((HEIGHT, WIDTH), np.float32)
        whole[self.window] = self.alpha
        return whole

    def within(self, whole: np.ndarray) -> "Mask":
        """Give the mask multiplied by a coverage of the whole canvas."""
        return Mask(self.window, self.alpha * whole[self.window])


def shadow_of(coverage: np.ndarray, x: float, y: float, soften: float) -> np.ndarray:
    """Give a coverage (218, 178) moved by (x, y) pixels and blurred."""
    return cv2.GaussianBlur(_warped(coverage, np.array([[1, 0, x], [0, 1, y]], np.float32)), (0, 0), soften)


def glow(spots: Sequence[tuple[float, float, float, float, float]]) -> np.ndarray:
    """Give the sum (218, 178) of soft spots, each (strength, x, y, width, length)."""
    strength, x, y, wide, long = np.asarray(spots, np.float32).T[:, :, None]
    profile_x = np.exp(-0.5 * ((X - x) / wide) ** 2)
    profile_y = np.exp(-0.5 * ((Y - y) / long) ** 2) * strength
    return outer_sum(profile_y, profile_x)


def outer_sum(down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Give the sum (218, 178) of separable bumps with the profiles ``down`` (n, 218) and ``across`` (n, 178)."""
    # Not a matrix product: BLAS would start threads in every worker, and its last bits may depend on their number.
    return np.einsum("ny,nx->yx", down, across)


def fill(polygon: np.ndarray, soften: float = 0.0) -> Mask:
    """Give the antialiased coverage of a polygon (n, 2) in canvas pixels, blurred by ``soften`` pixels."""
    # A window a little beyond the canvas keeps the blur right at the border.
    margin = 1 + int(3 * soften)
    first = np.maximum(polygon.min(axis=0).astype(int) - 1, 0) - margin
    last = np.minimum(polygon.max(axis=0).astype(int) + 2, (WIDTH, HEIGHT)) + margin
    width, height = np.maximum(last - first, 1).tolist()
    large = np.zeros((height * OVERSAMPLE, width * OVERSAMPLE), np.uint8)
    corners = ((polygon - (first - 0.5)) * OVERSAMPLE - 0.5) * 16
    cv2.fillPoly(large, [np.rint(corners).astype(np.int32)], 255, shift=4)
    cover = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    if soften:
        cover = cv2.GaussianBlur(cover, (0, 0), soften)
    (left, top), (right, bottom) = np.clip((first, last), 0, (WIDTH, HEIGHT)).tolist()
    cover = cover[top - first[1] : bottom - first[1], left - first[0] : right - first[0]]
    return Mask((slice(top, bottom), slice(left, right)), cover * np.float32(1 / 255))


def _window(coverage: Mask | np.ndarray) -> Mask:
    """Give the smallest window that holds a coverage (218, 178); a mask stays as it is."""
    if isinstance(coverage, Mask):
        return coverage
    x, y, width, height = cv2.boundingRect((coverage > 0.002).view(np.uint8))
    window = slice(y, y + height), slice(x, x + width)
    return Mask(window, coverage[window])


def _warped(field: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Give a field (218, 178) moved by a 2x3 matrix, its border continued."""
    return cv2.warpAffine(field, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def facing(normals: Sequence[np.ndarray], direction: np.ndarray) -> np.ndarray:
    """Give how much a surface faces a direction (3,): the cosine, below 0 where it turns away."""
    x, y, z = normals
    return x * direction[0] + y * direction[1] + z * direction[2]


class Canvas:
    """The picture that is being painted, ``pixels`` (3, 218, 178), with the pose and the light of what it shows."""

    def __init__(self, traits: FaceTraits) -> None:
        self.traits = traits
        self.pixels = np.zeros((3, HEIGHT, WIDTH), np.float32)
        self.skin = rgb(traits.skin)
        # half the widths of the head, at the ears, and of the neck, in pixels
        self.half_head = 45.5 * traits.face_width
        self.half_neck = (31.0 if traits.male else 25.5) * traits.face_width
        self._centre = CENTRE + traits.offset
        cos = np.cos(traits.roll) * traits.scale
        sin = np.sin(traits.roll) * traits.scale
        self._turn = np.array([[cos, -sin], [sin, cos]])
        self._shift = np.array([np.sin(traits.yaw), np.sin(traits.pitch)])
        azimuth, elevation = traits.light_azimuth, traits.light_elevation
        self.light = np.array(
            [np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), np.cos(azimuth) * np.cos(elevation)], np.float32
        )

    def shift(self, depth: float | np.ndarray) -> np.ndarray:
        """Give how far (x, y) the head's turn moves what lies at ``depth``, or at each of the depths (n, 1)."""
        return self._shift * depth

    def place(self, points: Points, depth: float = 0.0) -> np.ndarray:
        """Give canvas positions (n, 2) of points on the head."""
        return np.einsum("nk,dk->nd", np.asarray(points) + self.shift(depth), self._turn) + self._centre

    def on_head(self, depth: float) -> tuple[np.ndarray, np.ndarray]:
        """Give where each canvas pixel lies on the head at ``depth``: x and y, each (218, 178)."""
        back = np.linalg.inv(self._turn)
        dx, dy = (back @ (CENTRE - self._centre) - self.shift(depth)).tolist()
        (xx, xy), (yx, yy) = back.tolist()
        return X * xx + (Y[:, None] * xy + dx), X * yx + (Y[:, None] * yy + dy)

    def head_to_canvas(self, field: np.ndarray) -> np.ndarray:
        """Give a picture (3, 218, 178) drawn for an upright head, tilted and placed as the head is."""
        matrix = np.hstack([self._turn, (self._centre - self._turn @ CENTRE)[:, None]])
        return np.stack([_warped(channel, matrix) for channel in field])

    def fill(self, points: Points, depth: float = 0.0, soften: float = 0.0) -> Mask:
        """Give the coverage of a polygon (n, 2) on the head."""
        return fill(self.place(points, depth), soften)

    def fill_body(self, points: Points, soften: float = 0.0) -> Mask:
        """Give the coverage of a polygon (n, 2) on neck and shoulders, which do not turn with the head."""
        moved = np.array(points, np.float64)
        moved[:, 0] += self.traits.lean * (moved[:, 1] - 40) / 60
        return fill(moved * self.traits.scale + self.shift(-22) + self._centre, soften)

    def stroke(self, points: Points, widths: Sequence[float], depth: float = 0.0, soften: float = 0.0) -> Mask:
        """Give the coverage of a tapered brush stroke along a smooth line (n, 2) on the head."""
        return self.fill(ribbon(smooth(points, closed=False), widths), depth, soften)

    def paint(self, where: Mask | np.ndarray, colour: np.ndarray | Colour, opacity: float = 1.0) -> None:
        """Cover the canvas with a colour or a picture, anything that broadcasts to (3, 218, 178)."""
        mask = _window(where)
        pixels = self.pixels[:, *mask.window]
        picture = np.broadcast_to(rgb(colour), self.pixels.shape)[:, *mask.window]
        pixels += (picture - pixels) * (mask.alpha * np.float32(opacity))

    def tint(self, where: Mask | np.ndarray, factor: Colour, strength: float = 1.0) -> None:
        """Multiply the canvas by a colour: shadow below 1, light above."""
        mask = _window(where)
        pixels = self.pixels[:, *mask.window]
        pixels *= 1 + (rgb(factor) - 1) * (mask.alpha * np.float32(strength))

    def lit(self, normals: Sequence[np.ndarray], wrap: Colour = (0.25, 0.25, 0.25)) -> np.ndarray:
        """Give the light (3, h, w) that falls on a surface with these unit normals: x, y and depth, which broadcast.

        ``wrap`` lets light reach round the edge, per channel: red furthest in skin, so that its shadows are warm.
        """
        reach = rgb(wrap)
        strength = np.float32(self.traits.light_strength)
        key = rgb(self.traits.light_colour) * strength * np.float32(0.92) / (1 + reach)
        sky = (np.float32(1.12) - strength) * (np.float32(0.86) - np.float32(0.14) * normals[1])
        return key * np.maximum(facing(normals, self.light) + reach, 0) + sky

    def developed(self) -> np.ndarray:
        """Give the canvas (218, 178, 3) uint8, exposed, with a soft shoulder that keeps highlights from burning out."""
        pixels = np.maximum(self.pixels * np.float32(self.traits.exposure), 0)
        bright = np.maximum(pixels - np.float32(0.8), 0)
        pixels -= bright
        pixels += bright / (1 + 5 * bright)
        pixels *= 255
        return cv2.merge(np.rint(pixels).astype(np.uint8))

"""Eyes, eyebrows and mouth: what a face looks at and how it feels."""

import numpy as np

from celeba_vae.synthetic.canvas import Canvas, rgb, shade
from celeba_vae.synthetic.face import EYE_X
from celeba_vae.synthetic.shapes import SIDES, Points, ellipse, on_side, ribbon, smooth
from celeba_vae.synthetic.traits import FaceTraits

EYE_DEPTH = 1
LIP_DEPTH = 7


def paint_eyes(canvas: Canvas) -> None:
    """Paint both eyes: eye shadow, white, iris, pupil, highlight, lashes and lids."""
    for side in SIDES:
        _paint_eye(canvas, side)


def _paint_eye(canvas: Canvas, side: int) -> None:
    traits = canvas.traits
    opening, tilt = traits.eye_open * (1 - 0.2 * max(traits.smile, 0.0)), traits.eye_tilt
    crease_y = 0.5 + opening / 2

    def at(points: Points) -> np.ndarray:
        return on_side(np.add(points, (EYE_X, 0)), side)

    upper = at([(-9.6, 1.4), (-5, -3.4 * opening), (0.5, -5.0 * opening), (5.5, -3.9 * opening - tilt), (10, -tilt)])
    lower = at([(10, -tilt), (5, 2.9 * opening), (0, 3.8 * opening), (-5, 3.0 * opening), (-9.6, 1.4)])
    crease = at([(-8, -3.4), (-3, -7.2 * crease_y), (4, -7.8 * crease_y), (10.5, -3.6)])
    if traits.eyeshadow:
        lid = smooth(at([(-8, -2), (0, -9), (8, -8), (12, -3), (0, -3)]))
        canvas.tint(canvas.fill(lid, EYE_DEPTH, 1.8), (0.62, 0.48, 0.54), traits.eyeshadow)
    _paint_eyeball(canvas, side, upper, lower)
    lash = 1.5 if traits.male else 2.1 + 0.9 * min(traits.eyeshadow, 1)
    lashes = canvas.stroke(upper, (0.7, lash, lash, lash, 0.9), EYE_DEPTH, 0.4)
    canvas.paint(lashes, shade(canvas.skin, 0.16), 0.92)
    canvas.tint(canvas.stroke(lower, (0.9, 0.9, 0.5), EYE_DEPTH, 0.5), (0.55, 0.42, 0.4), 0.7)
    canvas.tint(canvas.stroke(crease, (0.3, 1.5, 1.5, 0.4), EYE_DEPTH, 0.7), (0.6, 0.46, 0.43), 0.7)


def _paint_eyeball(canvas: Canvas, side: int, upper: np.ndarray, lower: np.ndarray) -> None:
    """Paint what is seen between the lids, which are lines (5, 2) on the head."""
    traits = canvas.traits
    inside = canvas.fill(np.vstack([smooth(upper, closed=False), smooth(lower, closed=False)]), EYE_DEPTH, 0.35)
    visible = inside.full()
    x = side * EYE_X + (traits.gaze * 1.7 + np.sin(traits.yaw) * 4)
    spark_x = x + (1.6 if canvas.light[0] > 0 else -1.6)
    canvas.paint(inside, shade((0.95, 0.93, 0.91), 0.78 + 0.17 * float(canvas.light[2])))
    for disc, soften, colour in (
        (ellipse(x, -0.4, 4.9, 4.9), 0.4, shade(traits.iris, 0.62)),
        (ellipse(x, 0.4, 3.7, 3.6), 0.7, shade(traits.iris, 1.25)),
        (ellipse(x, -0.4, 2.2, 2.2), 0.35, rgb((0.03, 0.02, 0.02))),
    ):
        canvas.paint(canvas.fill(disc, EYE_DEPTH, soften).within(visible), colour)
    lid_shadow = canvas.stroke(np.add(upper, (0, 1.6)), (1, 2.6, 2.6, 1), EYE_DEPTH, 0.8)
    canvas.tint(lid_shadow.within(visible), (0.5, 0.45, 0.45), 0.8)
    spark = canvas.fill(ellipse(spark_x, -2.0, 1.15, 1.15), EYE_DEPTH, 0.3)
    canvas.paint(spark.within(visible), (1.0, 1.0, 1.0), 0.95)


def paint_eyebrows(canvas: Canvas) -> None:
    """Paint the eyebrows in a darker colour of the hair."""
    traits = canvas.traits
    arch, raised = traits.brow_arch, max(traits.smile, 0.0) - (0.8 if traits.male else 0.0)
    line = np.array(
        [(8, -13.4), (14.5, -15.2 - 0.3 * arch), (21.5, -16.2 - 1.6 * arch), (27.5, -15 - 1.5 * arch), (33, -11.2)]
    ) - (0, raised)
    widths = [width * traits.brow_thickness for width in (2.2, 3.8, 3.6, 2.6, 0.8)]
    colour = shade(0.55 * rgb(traits.hair_colour) + 0.12 * canvas.skin, 0.85)
    for side in SIDES:
        canvas.paint(canvas.stroke(on_side(line, side), widths, 3, 0.7), colour, 0.82)


class _Lips:
    """The lines of the lips, each (21, 2): the upper lip's edges, the lower lip's edges, and the opening between."""

    def __init__(self, traits: FaceTraits) -> None:
        glad, full = max(traits.smile, 0.0), traits.lip_fullness
        # Without a smile an open mouth is narrow and rounds upwards too: else its lower lip alone would look like a
        # smile.
        rounded = traits.mouth_open * (1 - glad)
        self.half_width = 15.2 + 4.6 * glad - 2.4 * rounded
        self.corner = 40.5 - 4.8 * traits.smile + 1.8 * rounded
        self.middle = 40.6 + 1.2 * glad - 1.0 * rounded
        self.gap = traits.mouth_open * (4.2 + 3.4 * glad)
        self.bottom = self.middle + self.gap + 6.2 * full - 0.8 * glad
        self.upper_top = self.curve(self.middle - 4.6 * full + 0.9 * glad, 1.5)
        self.upper_top[:, 1] += 1.1 * full * np.exp(-0.5 * (self.upper_top[:, 0] / 2.4) ** 2)
        self.upper_low = self.curve(self.middle, 2.0)
        self.lower_top = self.curve(self.middle + self.gap, 2.2)
        self.lower_low = self.curve(self.bottom, 2.1)

    def curve(self, centre: float, power: float) -> np.ndarray:
        """Give the line from corner to corner through the y ``centre``, flatter in the middle with a higher power."""
        x = np.linspace(-1, 1, 21)
        return np.stack([x * self.half_width, centre + (self.corner - centre) * np.abs(x) ** power], axis=1)


def paint_mouth(canvas: Canvas) -> None:
    """Paint lips, and between them teeth or darkness."""
    traits = canvas.traits
    lips = _Lips(traits)
    natural = canvas.skin * rgb((0.84, 0.56, 0.55))
    colour = natural + (rgb(traits.lip_colour) - natural) * np.float32(traits.lipstick)
    lit, soften = 0.72 + 0.3 * float(canvas.light[2]), 0.55 if traits.lipstick else 0.8
    is_open = lips.gap > 0.5
    if is_open:
        _paint_teeth(canvas, lips, lit)
    canvas.paint(canvas.fill(_between(lips.upper_top, lips.upper_low), LIP_DEPTH, soften), shade(colour, 0.86 * lit))
    canvas.paint(canvas.fill(_between(lips.lower_top, lips.lower_low), LIP_DEPTH, soften), shade(colour, 1.06 * lit))
    gleam = ellipse(3 * float(canvas.light[0]), (lips.middle + lips.gap + lips.bottom) / 2 - 0.4, 5.5, 1.2)
    canvas.tint(canvas.fill(gleam, LIP_DEPTH, 1.0), (1.25, 1.3, 1.3), 0.6 + 0.4 * traits.lipstick)
    if not is_open:
        line = ribbon(lips.upper_low, (0.6, 1.3, 1.6, 1.3, 0.6))
        canvas.paint(canvas.fill(line, LIP_DEPTH, 0.45), shade(colour, 0.34), 0.9)
    glad, y = max(traits.smile, 0.0), lips.bottom
    for side in SIDES:
        dimple = ellipse(side * (lips.half_width + 0.6), lips.corner, 1.9 + glad, 1.7 + 0.6 * glad)
        canvas.tint(canvas.fill(dimple, 4, 0.9), (0.55, 0.4, 0.38), 0.55 + 0.25 * glad)
    below = smooth([(-9, y + 2), (0, y + 3.2), (9, y + 2), (0, y + 5)])
    canvas.tint(canvas.fill(below, LIP_DEPTH, 1.5), (0.78, 0.66, 0.63), 0.7)


def _paint_teeth(canvas: Canvas, lips: _Lips, lit: float) -> None:
    cavity = canvas.fill(_between(lips.upper_low, lips.lower_top), LIP_DEPTH, 0.4)
    canvas.paint(cavity, (0.22, 0.06, 0.07))
    reach = min(lips.gap * (0.85 if canvas.traits.smile > 0.3 else 0.45), 6.5)
    gums, edge = lips.curve(lips.middle - 0.5, 2.0) * (0.93, 1), lips.curve(lips.middle + reach, 2.2) * (0.9, 1)
    teeth = canvas.fill(_between(gums, edge), LIP_DEPTH, 0.5)
    canvas.paint(teeth.within(cavity.full()), shade((0.95, 0.92, 0.87), lit + 0.05))


def _between(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Give the outline between two lines from left to right."""
    return np.vstack([upper, lower[::-1]])

"""Paint a described face as a softly shaded portrait in CelebA's form; nothing here is random.

Shapes are smooth curves, filled at four times the size and reduced; light comes from normals of a head-shaped surface
with bumps for nose, brows, cheeks, lips and chin.
"""

import math

import numpy as np

from celeba_vae.synthetic.accessories import paint_clothes, paint_earrings, paint_glasses, paint_hat
from celeba_vae.synthetic.canvas import CENTRE, Canvas, X, Y, fill, glow, rgb, shade
from celeba_vae.synthetic.expression import paint_eyebrows, paint_eyes, paint_mouth
from celeba_vae.synthetic.face import (
    HEAD_DEPTH,
    half_head_outline,
    paint_creases,
    paint_ears,
    paint_neck,
    paint_nose,
    paint_skin,
)
from celeba_vae.synthetic.hair import cover_hair, draw_locks, paint_beard, paint_hair_behind, paint_hair_in_front
from celeba_vae.synthetic.shapes import ellipse, smooth, symmetric
from celeba_vae.synthetic.traits import FaceTraits


def paint_face(traits: FaceTraits) -> np.ndarray:
    """Paint the portrait that ``traits`` describe, from back to front.

    Returns:
        (218, 178, 3) uint8 RGB; the same traits give the same bytes.
    """
    canvas = Canvas(traits)
    head = canvas.fill(smooth(symmetric(half_head_outline(canvas))), HEAD_DEPTH).full()
    front, behind = cover_hair(canvas, head)
    locks = draw_locks(canvas)
    _paint_backdrop(canvas)
    paint_hair_behind(canvas, behind, locks)
    paint_neck(canvas, head)
    paint_clothes(canvas)
    paint_ears(canvas)
    paint_skin(canvas, head)
    paint_creases(canvas)
    paint_beard(canvas, head, locks)
    paint_mouth(canvas)
    paint_nose(canvas)
    paint_eyes(canvas)
    paint_hair_in_front(canvas, head, front, locks)
    paint_eyebrows(canvas)
    paint_hat(canvas, head)
    paint_earrings(canvas)
    paint_glasses(canvas, head, front)
    return canvas.developed()


def _paint_backdrop(canvas: Canvas) -> None:
    traits = canvas.traits
    first, second, third = (rgb(colour) for colour in traits.backdrop_colours)
    cos, sin = math.cos(traits.backdrop_angle), math.sin(traits.backdrop_angle)
    along = X / 89 * cos + Y[:, None] / 109 * sin
    if traits.backdrop == "studio":
        blend = np.minimum(np.hypot(X - 40 * cos, Y[:, None] - 10) / 150, 1)
    elif traits.backdrop == "two_tone":
        blend = 1 / (1 + np.exp(-along * 14))
    else:
        blend = np.clip(0.5 + 0.5 * along, 0, 1)
    canvas.pixels[:] = first + (second - first) * blend
    for number, (x, y, radius) in enumerate(traits.backdrop_spots):
        colour = third if number % 2 else shade(first, 1.25)
        if traits.backdrop == "blurred":
            canvas.paint(glow([(0.75, x - CENTRE[0], y - CENTRE[1], radius, radius)]), colour)
        elif traits.backdrop == "bokeh":
            canvas.paint(fill(ellipse(x, y, radius, radius), 1.6), colour, 0.35)

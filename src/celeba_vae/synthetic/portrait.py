"""Paint a described face as a softly shaded portrait in CelebA's form; nothing here is random.

Shapes are smooth curves, filled at four times the size and reduced; light comes from normals of a head-shaped surface
with bumps for nose, brows, cheeks, lips and chin.
"""

import math

import numpy as np

from celeba_vae.synthetic import accessories, face, hair
from celeba_vae.synthetic.canvas import CENTRE, Canvas, X, Y, fill, glow, rgb, shade
from celeba_vae.synthetic.shapes import ellipse, smooth, symmetric
from celeba_vae.synthetic.traits import FaceTraits


def paint_face(traits: FaceTraits) -> np.ndarray:
    """Paint the portrait that ``traits`` describe, from back to front: (218, 178, 3) uint8 RGB."""
    canvas = Canvas(traits)
    head = canvas.fill(smooth(symmetric(face.half_head_outline(canvas))), face.HEAD_DEPTH).full()
    front, behind = hair.cover_hair(canvas, head)
    locks = hair.draw_locks(canvas)
    _paint_backdrop(canvas)
    hair.paint_hair_behind(canvas, behind, locks)
    face.paint_neck(canvas, head)
    accessories.paint_clothes(canvas)
    face.paint_ears(canvas)
    face.paint_skin(canvas, head)
    face.paint_creases(canvas)
    hair.paint_beard(canvas, head, locks)
    face.paint_mouth(canvas)
    face.paint_nose(canvas)
    face.paint_eyes(canvas)
    hair.paint_hair_in_front(canvas, head, front, locks)
    face.paint_eyebrows(canvas)
    accessories.paint_hat(canvas, head)
    accessories.paint_earrings(canvas)
    accessories.paint_glasses(canvas, head, front)
    return canvas.developed()


def _paint_backdrop(canvas: Canvas) -> None:
    traits = canvas.traits
    first, second, third = (rgb(colour) for colour in traits.backdrop_colours)
    cos = math.cos(traits.backdrop_angle)
    sin = math.sin(traits.backdrop_angle)
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

"""What people wear: clothes, hat, earrings, glasses."""

import numpy as np

from celeba_vae.synthetic.canvas import Canvas, X, Y, rgb, shadow_of
from celeba_vae.synthetic.face import EYE_X, HEAD_DEPTH
from celeba_vae.synthetic.shapes import SIDES, ellipse, on_side, ribbon, smooth, symmetric
from celeba_vae.synthetic.traits import COVERS_EARS

EARRING_DEPTH = -24
GLASSES_DEPTH = 9
LENS_X = EYE_X + 0.6


def paint_clothes(canvas: Canvas) -> None:
    """Paint what the person wears, shaded as round shoulders."""
    traits = canvas.traits
    collar = canvas.half_neck + 2
    around = np.clip(X / 110, -0.85, 0.85)
    light = canvas.lit((around, np.full_like(around, -0.15), np.sqrt(1 - around**2)))
    neckline = {
        "crew": [(0, 99), (collar * 0.6, 95), (collar, 84)],
        "turtleneck": [(0, 76), (collar * 0.6, 74), (collar, 66)],
        "vneck": [(0, 122), (collar * 0.55, 100), (collar, 84)],
        "scoop": [(0, 112), (collar * 0.8, 107), (collar + 10, 92)],
        "suit": [(0, 98), (collar * 0.6, 92), (collar, 80)],
    }[traits.clothes]
    shoulders = [(collar + 10, 88), (66, 97), (92, 106), (104, 120), (104, 150)]
    outline = smooth(symmetric(neckline + shoulders), steps=4)
    shirt = rgb(traits.shirt_colour) * light
    cloth = rgb(traits.clothes_colour) * light
    if traits.clothes != "suit":
        canvas.tint(canvas.fill_body(outline, 2.0), (0.75, 0.7, 0.7))
        canvas.paint(canvas.fill_body(outline), cloth)
        return
    canvas.paint(canvas.fill_body(outline), shirt)
    flap = [(2, 97), (collar * 0.75, 84), (collar + 3, 80), (collar + 2, 92), (10, 108)]
    for side in SIDES:
        towards_light = side * canvas.light[0] > 0
        canvas.paint(canvas.fill_body(on_side(flap, side), 0.5), shirt * (1.04 if towards_light else 0.88))
    if traits.tie_colour is not None:
        tie = [(-6, 98), (6, 98), (4.5, 108), (9, 140), (-9, 140), (-4.5, 108)]
        canvas.paint(canvas.fill_body(tie, 0.5), rgb(traits.tie_colour) * light)
    top, bottom = (collar + 2, 84), [(8, 150), (collar - 6, 100)]
    front = [top, (66, 95), (92, 104), (110, 120), (110, 150), *bottom]
    lapel = [top, (collar + 9, 96), (collar + 2, 102), (20, 118), *bottom]
    for side in SIDES:
        canvas.paint(canvas.fill_body(on_side(front, side), 0.6), cloth)
        canvas.paint(canvas.fill_body(on_side(lapel, side), 0.6), cloth * 1.18)


def paint_hat(canvas: Canvas, head: np.ndarray) -> None:
    """Paint a knitted cap down to the forehead of the head (218, 178)."""
    if canvas.traits.hat_colour is None:
        return
    size = (canvas.traits.face_width, 1)
    cap = smooth(symmetric([(0, -90), (24, -86), (44, -66), (53, -36), (51, -22), (0, -31)]) * size)
    band = smooth(symmetric([(0, -47), (30, -44), (53, -37), (53.5, -20), (28, -27), (0, -30)]) * size)
    x = np.clip((X - np.float32(canvas.shift(HEAD_DEPTH)[0])) / 60, -0.92, 0.92)
    y = np.clip((Y[:, None] + 20) / 90, -0.8, 0.3)
    light = canvas.lit((x, y, np.sqrt(np.maximum(1 - x**2 - y**2, 0.05))))
    cloth = canvas.head_to_canvas(rgb(canvas.traits.hat_colour) * light)
    canvas.tint(canvas.fill(np.add(band, (0, 5)), -8, 2.5).within(head), (0.62, 0.52, 0.5), 0.8)
    canvas.paint(canvas.fill(cap, -14, 0.6), cloth)
    canvas.paint(canvas.fill(band, -10, 0.6), cloth * 0.82)


def paint_earrings(canvas: Canvas) -> None:
    """Paint a drop below each ear."""
    if canvas.traits.earrings is None:
        return
    for side in SIDES:
        x = side * (canvas.half_head + 0.5)
        canvas.paint(canvas.fill(ellipse(x, 21, 2.6, 3.8), EARRING_DEPTH, 0.4), canvas.traits.earrings)
        canvas.paint(canvas.fill(ellipse(x - 0.8, 19.6, 0.9, 1.2), EARRING_DEPTH, 0.4), (1.0, 0.98, 0.92))


def paint_glasses(canvas: Canvas, head: np.ndarray, front: np.ndarray) -> None:
    """Paint glasses on a head behind hair (218, 178): shadow, lenses with a reflection, frame, bridge and temples."""
    traits = canvas.traits
    if traits.glasses == "none":
        return
    bare = head * (1 - front) if traits.hair_style in COVERS_EARS else head
    lenses = _cover_lenses(canvas, 2.0 if traits.glasses == "sunglasses" else 1.9)
    temple = ribbon(np.array([(32.0, -2.0), (40, -3), (48, -3)]), (2.2, 1.8))
    temples = [canvas.fill(on_side(temple, side)).within(bare).full() for side in SIDES]
    bridge = ribbon(smooth([(-8.0, 0.0), (0, -3.0), (8.0, 0.0)], closed=False), (2.0, 1.8, 2.0))
    rims = _cover_lenses(canvas, 0.0) - lenses
    frame = np.maximum.reduce([rims, *temples, canvas.fill(bridge, GLASSES_DEPTH).full()])
    canvas.tint(shadow_of(frame, -1.5 * canvas.light[0], 2.5, 1.2) * head, (0.68, 0.58, 0.56), 0.7)
    if traits.glasses == "sunglasses":
        canvas.paint(lenses, (0.07, 0.06, 0.07), 0.9)
    streak = [(-9, 8), (1, -12), (6, -12), (-4, 8)]
    streaks = [canvas.fill(np.add(streak, (side * LENS_X, 0)), GLASSES_DEPTH, 1.2).full() for side in SIDES]
    canvas.paint(np.maximum(*streaks) * lenses, (1.0, 1.0, 1.0), 0.13)
    canvas.paint(frame, traits.glasses_colour, 0.95)


def _cover_lenses(canvas: Canvas, frame_width: float) -> np.ndarray:
    """Give the coverage (218, 178) of both lenses, smaller by the width of a frame."""
    across, down, power = {
        "round": (13.6, 12.2, 2.2),
        "square": (14.6, 10.2, 4.0),
        "sunglasses": (15.6, 12.2, 3.0),
    }[canvas.traits.glasses]
    radii = across - frame_width, down - frame_width
    boxes = [ellipse(side * LENS_X, 2.0, *radii, power, corners=40) for side in SIDES]
    return np.maximum(*(canvas.fill(box, GLASSES_DEPTH).full() for box in boxes))

"""Head and neck: their outlines, the surface that light falls on, skin, ears and nose, eyes, eyebrows and mouth."""

import numpy as np

from celeba_vae.synthetic.canvas import Canvas, X, Y, facing, glow, outer_sum, rgb, shade, shadow_of
from celeba_vae.synthetic.shapes import SIDES, ellipse, on_side, ribbon, smooth, symmetric
from celeba_vae.synthetic.traits import COVERS_EARS

# how far an eye's middle is from the face's
EYE_X = 19.5
HEAD_DEPTH = -18
EYE_DEPTH = 1
LIP_DEPTH = 7


def half_head_outline(canvas: Canvas) -> np.ndarray:
    """Give the right half of the head's outline (12, 2), from top to chin."""
    width, jaw = canvas.half_head, canvas.traits.jaw_width
    tip = 72.5 + canvas.traits.chin + 2.5 * canvas.traits.mouth_open
    skull = [(0, -67), (0.44 * width, -62.5), (0.77 * width, -49), (0.94 * width, -30), (0.995 * width, -12)]
    cheek = [(width, 6), (0.96 * width, 22), (0.86 * width * (0.4 + 0.6 * jaw), 38), (0.67 * width * jaw, 53)]
    chin = [(0.43 * width * jaw, tip - 8.5), (0.21 * width * jaw, tip - 1.3), (0, tip)]
    return np.array([*skull, *cheek, *chin])


def paint_neck(canvas: Canvas, head: np.ndarray) -> None:
    """Paint neck and chest, with the shadow of the head (218, 178) on them."""
    half = canvas.half_neck
    bare = canvas.traits.clothes == "scoop"
    shoulders = [(64.0, 101.0), (96.0, 116.0)] if bare else [(half + 16, 108.0), (half + 16, 120.0)]
    outline = [(half * 0.94, 30.0), (half * 0.95, 58.0), (half, 78.0), (half + 13, 93.0), *shoulders, (60.0, 150.0)]
    mask = canvas.fill_body(smooth(symmetric(outline)))
    around = np.clip((X - canvas.shift(-22)[0]) / (half * 1.35), -0.95, 0.95).astype(np.float32)
    light = canvas.lit((around, np.full_like(around, 0.12), np.sqrt(1 - around**2)), (0.5, 0.38, 0.34))
    canvas.paint(mask, canvas.skin * 0.93 * light)
    canvas.tint(mask.within(shadow_of(head, -7 * canvas.light[0], 11, 4.5)), (0.55, 0.43, 0.41))


def paint_ears(canvas: Canvas) -> None:
    """Paint the ears, where hair leaves them free."""
    if canvas.traits.hair_style in COVERS_EARS:
        return
    edge = canvas.half_head
    outline = [(edge - 4, -9), (edge + 3, -13), (edge + 7, -7), (edge + 6, 5), (edge + 2.5, 15), (edge - 4, 17)]
    hollow = [(edge, -7), (edge + 4, -6), (edge + 3, 4), (edge, 9)]
    for side in SIDES:
        ear = canvas.fill(smooth(on_side(outline, side)), -26, 0.4)
        lit = 0.84 + 0.22 * side * float(canvas.light[0])
        canvas.paint(ear, shade(canvas.skin * rgb((1.0, 0.9, 0.88)), lit))
        canvas.tint(canvas.fill(smooth(on_side(hollow, side)), -26, 1.2), (0.72, 0.6, 0.58))


def paint_nose(canvas: Canvas) -> None:
    """Paint nostrils, wings and the shadow under the tip; the bridge is the surface's own shading."""
    wide, lower = canvas.traits.nose_width, canvas.traits.nose_length
    light_x = float(canvas.light[0])
    under = [(-8 * wide, 29 + lower), (0, 30.5 + lower), (8 * wide, 29 + lower), (0, 34 + lower)]
    canvas.tint(canvas.fill(smooth(under), 12, 1.4), (0.72, 0.58, 0.56), 0.7)
    away = on_side([(4, 6), (10 * wide, 26 + lower), (9 * wide, 30 + lower), (3, 26)], -1 if light_x > 0 else 1)
    canvas.tint(canvas.fill(smooth(away), 10, 2.0), (0.8, 0.7, 0.68), 0.7 * abs(light_x))
    for side in SIDES:
        nostril = ellipse(side * 4.6 * wide, 30 + lower, 2.5 * wide**0.5, 1.25)
        canvas.tint(canvas.fill(nostril, 13, 0.6), (0.45, 0.3, 0.28), 0.95)
        wing = on_side([(x * wide, y + lower) for x, y in [(9.2, 22.5), (11, 26.5), (9.3, 30.5)]], side)
        canvas.tint(canvas.stroke(wing, (0.5, 1.7, 0.9), 9, 0.8), (0.6, 0.46, 0.42), 0.6)


def paint_skin(canvas: Canvas, head: np.ndarray) -> None:
    """Paint the lit head (218, 178): warm shadows, a sheen towards the light, flushed cheeks, darker eye sockets."""
    normals = _head_normals(canvas)
    light = canvas.lit(normals, (0.5, 0.36, 0.32))
    halfway = canvas.light + np.array([0, 0, 1], np.float32)
    halfway /= np.linalg.norm(halfway)
    sheen = np.maximum(facing(normals, halfway), 0) ** 16 * np.float32(0.13)
    cheeks = [(canvas.traits.rosy, side * 26, 20, 11, 9) for side in SIDES]
    flush = glow([*cheeks, (0.22, canvas.shift(16)[0], 25, 7, 6), (0.15, 0, 62, 12, 8)])
    sockets = glow([(0.16, side * EYE_X, -2, 12, 7) for side in SIDES])
    colour = canvas.skin * (1 - flush * rgb((0.02, 0.26, 0.24)))
    colour *= 1 - sockets * rgb((0.8, 1.0, 0.9))
    canvas.paint(head, canvas.head_to_canvas(colour * light + sheen * rgb(canvas.traits.light_colour)))


def paint_creases(canvas: Canvas) -> None:
    """Paint folds: nose to mouth (deeper in a smile and with age), under the eyes, on an old forehead."""
    smile = max(canvas.traits.smile, 0.0)
    age = 0.0 if canvas.traits.young else 1.0
    fold = [(11, 26), (16, 30), (19 + 4.5 * smile, 36 - smile), (19 + 4.5 * smile + 1, 40 - 3 * smile + 6)]
    depth_of_fold = 0.12 + 0.38 * smile + 0.28 * age
    depth_of_bag = 0.22 + 0.4 * age + 0.15 * smile
    bag = [(11, 6.5), (19, 9.5), (27, 7.5)]
    crow_foot = [(31, 1), (36, 4)]
    for side in SIDES:
        mask = canvas.stroke(on_side(fold, side), (0.8, 2.6, 2.6, 0.4), 4, 1.3)
        canvas.tint(mask, (0.66, 0.5, 0.46), depth_of_fold)
        canvas.tint(canvas.stroke(on_side(bag, side), (0.5, 2.4, 0.5), 1, 1.2), (0.7, 0.58, 0.58), depth_of_bag)
        if age:
            mask = canvas.stroke(on_side(crow_foot, side), (0.6, 1.2, 0.4), -4, 0.7)
            canvas.tint(mask, (0.7, 0.6, 0.58), 0.6)
    for y in (-30, -37) if age else ():
        line = [(-22, y + 2), (-8, y), (8, y), (22, y + 2)]
        canvas.tint(canvas.stroke(line, (0.4, 1.8, 1.8, 0.4), 2, 1.0), (0.72, 0.62, 0.6), 0.5)


def _head_normals(canvas: Canvas) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the unit normals of an upright head's surface with its relief: x, y and depth, each (218, 178)."""
    half = half_head_outline(canvas)
    shift_x, shift_y = canvas.shift(HEAD_DEPTH)
    width = np.maximum(np.interp(Y - shift_y, half[:, 1], half[:, 0]), 14).astype(np.float32)
    around = np.clip((X - np.float32(shift_x)) / width[:, None], -1, 1)
    above = np.clip((-14 - Y) / 58, 0, 1)
    below = np.clip((Y - 14) / 66, 0, 1)
    x = np.sign(around) * np.abs(around) ** 1.7 * 0.93
    y = (-0.8 * above**1.6 + 0.62 * below**2)[:, None].astype(np.float32)
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0.06))
    height, at_x, at_y, wide, long = _relief(canvas).astype(np.float32).T[:, :, None]
    from_x, from_y = X - at_x, Y - at_y
    profile_x = np.exp(-0.5 * (from_x / wide) ** 2)
    profile_y = np.exp(-0.5 * (from_y / long) ** 2) * height
    x = x + outer_sum(profile_y, profile_x * from_x / wide**2)
    y = y + outer_sum(profile_y * from_y / long**2, profile_x)
    length = np.sqrt(x**2 + y**2 + z**2)
    return x / length, y / length, z / length


def _relief(canvas: Canvas) -> np.ndarray:
    """Give the face's bumps and hollows (n, 5), each (height, x, y, width, length) in pixels."""
    traits = canvas.traits
    smile, wide, lower = max(traits.smile, 0.0), traits.nose_width, traits.nose_length
    rugged = 1.25 if traits.male else 0.8
    # height, x (what is not in the middle is on both sides), y, width, length, depth
    bumps = [
        (5.5, 0, 9 + lower / 2, 4.4 * wide**0.5, 12, 8),
        (7.5, 0, 24 + lower, 5.6 * wide, 5.5, 16),
        (1.6, 0, 43, 19, 12, 6),
        (1.8 * traits.lip_fullness, 0, 46.5, 11, 3.2, 9),
        (-2.0, 0, 53, 12, 3.4, 7),
        (3.4 * rugged, 0, 63 + traits.chin, 11, 7, 8),
        (-0.9, 0, 33 + lower / 2, 2.4, 4, 11),
        (2.0, 0, -38, 26, 15, 0),
        (3.6, 7.2 * wide, 27.5 + lower, 3.6 * wide, 3.4, 11),
        (2.2 * rugged, 17, -12, 11, 5, 4),
        (-4.2 * rugged**0.5, 17.5, -2, 10, 6.5, 0),
        (2.4, EYE_X, 0.5, 7.5, 5, 2),
        (3.0 + 3.6 * smile, 26, 19 - 2 * smile, 11, 9, 0),
        (-1.4 - 1.0 * (not traits.young), 33, 40, 8, 12, -4),
    ]
    relief = np.array([(h, side * x, *rest) for h, x, *rest in bumps for side in (SIDES if x else (1,))])
    relief[:, 1:3] += canvas.shift(relief[:, 5:])
    return relief[:, :5]


def paint_eyes(canvas: Canvas) -> None:
    """Paint both eyes: eye shadow, white, iris, pupil, highlight, lashes and lids."""
    traits = canvas.traits
    opening, tilt = traits.eye_open * (1 - 0.2 * max(traits.smile, 0.0)), traits.eye_tilt
    crease_y = 0.5 + opening / 2
    lash = 1.5 if traits.male else 2.1 + 0.9 * min(traits.eyeshadow, 1)
    # from the middle of an eye
    upper = [(-9.6, 1.4), (-5, -3.4 * opening), (0.5, -5.0 * opening), (5.5, -3.9 * opening - tilt), (10, -tilt)]
    lower = [(10, -tilt), (5, 2.9 * opening), (0, 3.8 * opening), (-5, 3.0 * opening), (-9.6, 1.4)]
    crease = [(-8, -3.4), (-3, -7.2 * crease_y), (4, -7.8 * crease_y), (10.5, -3.6)]
    shadow = [(-8, -2), (0, -9), (8, -8), (12, -3), (0, -3)]
    for side in SIDES:
        over, under, fold, lid = (on_side(np.add(line, (EYE_X, 0)), side) for line in (upper, lower, crease, shadow))
        if traits.eyeshadow:
            canvas.tint(canvas.fill(smooth(lid), EYE_DEPTH, 1.8), (0.62, 0.48, 0.54), traits.eyeshadow)
        _paint_eyeball(canvas, side, over, under)
        lashes = canvas.stroke(over, (0.7, lash, lash, lash, 0.9), EYE_DEPTH, 0.4)
        canvas.paint(lashes, shade(canvas.skin, 0.16), 0.92)
        canvas.tint(canvas.stroke(under, (0.9, 0.9, 0.5), EYE_DEPTH, 0.5), (0.55, 0.42, 0.4), 0.7)
        canvas.tint(canvas.stroke(fold, (0.3, 1.5, 1.5, 0.4), EYE_DEPTH, 0.7), (0.6, 0.46, 0.43), 0.7)


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
    line = [(8, -13.4), (14.5, -15.2 - 0.3 * arch), (21.5, -16.2 - 1.6 * arch), (27.5, -15 - 1.5 * arch), (33, -11.2)]
    widths = [width * traits.brow_thickness for width in (2.2, 3.8, 3.6, 2.6, 0.8)]
    colour = shade(0.55 * rgb(traits.hair_colour) + 0.12 * canvas.skin, 0.85)
    for side in SIDES:
        canvas.paint(canvas.stroke(on_side(line, side) - (0, raised), widths, 3, 0.7), colour, 0.82)


def paint_mouth(canvas: Canvas) -> None:
    """Paint lips, and between them teeth or darkness."""
    traits = canvas.traits
    glad, full = max(traits.smile, 0.0), traits.lip_fullness
    # Without a smile an open mouth is narrow and rounds upwards too: else its lower lip alone would look like a smile.
    rounded = traits.mouth_open * (1 - glad)
    half_width = 15.2 + 4.6 * glad - 2.4 * rounded
    corner = 40.5 - 4.8 * traits.smile + 1.8 * rounded
    middle = 40.6 + 1.2 * glad - 1.0 * rounded
    gap = traits.mouth_open * (4.2 + 3.4 * glad)
    bottom = middle + gap + 6.2 * full - 0.8 * glad

    def curve(centre: float, power: float) -> np.ndarray:
        """Give the line (21, 2) between the corners through the y ``centre``, flatter there with a higher power."""
        x = np.linspace(-1, 1, 21)
        return np.stack([x * half_width, centre + (corner - centre) * np.abs(x) ** power], axis=1)

    upper_top = curve(middle - 4.6 * full + 0.9 * glad, 1.5)
    upper_top[:, 1] += 1.1 * full * np.exp(-0.5 * (upper_top[:, 0] / 2.4) ** 2)
    upper_low = curve(middle, 2.0)
    lower_top = curve(middle + gap, 2.2)
    lower_low = curve(bottom, 2.1)
    natural = canvas.skin * rgb((0.84, 0.56, 0.55))
    colour = natural + (rgb(traits.lip_colour) - natural) * np.float32(traits.lipstick)
    lit = 0.72 + 0.3 * float(canvas.light[2])
    soften = 0.55 if traits.lipstick else 0.8
    is_open = gap > 0.5
    if is_open:
        cavity = canvas.fill(_between(upper_low, lower_top), LIP_DEPTH, 0.4)
        canvas.paint(cavity, (0.22, 0.06, 0.07))
        reach = min(gap * (0.85 if traits.smile > 0.3 else 0.45), 6.5)
        gums = curve(middle - 0.5, 2.0) * (0.93, 1)
        edge = curve(middle + reach, 2.2) * (0.9, 1)
        teeth = canvas.fill(_between(gums, edge), LIP_DEPTH, 0.5)
        canvas.paint(teeth.within(cavity.full()), shade((0.95, 0.92, 0.87), lit + 0.05))
    canvas.paint(canvas.fill(_between(upper_top, upper_low), LIP_DEPTH, soften), shade(colour, 0.86 * lit))
    canvas.paint(canvas.fill(_between(lower_top, lower_low), LIP_DEPTH, soften), shade(colour, 1.06 * lit))
    gleam = ellipse(3 * float(canvas.light[0]), (middle + gap + bottom) / 2 - 0.4, 5.5, 1.2)
    canvas.tint(canvas.fill(gleam, LIP_DEPTH, 1.0), (1.25, 1.3, 1.3), 0.6 + 0.4 * traits.lipstick)
    if not is_open:
        line = ribbon(upper_low, (0.6, 1.3, 1.6, 1.3, 0.6))
        canvas.paint(canvas.fill(line, LIP_DEPTH, 0.45), shade(colour, 0.34), 0.9)
    for side in SIDES:
        dimple = ellipse(side * (half_width + 0.6), corner, 1.9 + glad, 1.7 + 0.6 * glad)
        canvas.tint(canvas.fill(dimple, 4, 0.9), (0.55, 0.4, 0.38), 0.55 + 0.25 * glad)
    below = smooth([(-9, bottom + 2), (0, bottom + 3.2), (9, bottom + 2), (0, bottom + 5)])
    canvas.tint(canvas.fill(below, LIP_DEPTH, 1.5), (0.78, 0.66, 0.63), 0.7)


def _between(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Give the outline between two lines from left to right."""
    return np.vstack([upper, lower[::-1]])

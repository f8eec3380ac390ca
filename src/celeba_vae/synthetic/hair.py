"""Hair and beard: their outlines for each style, and one picture of locks that both are cut from."""

import numpy as np

from celeba_vae.synthetic.canvas import HEIGHT, Canvas, facing, rgb, shadow_of
from celeba_vae.synthetic.face import half_head_outline
from celeba_vae.synthetic.shapes import ellipse, on_side, smooth, symmetric
from celeba_vae.synthetic.traits import COVERS_EARS, LONG_STYLES, FaceTraits, HairStyle

# The right half of the hairline, from the middle of the forehead to the ear.
HAIRLINES: dict[HairStyle, list[tuple[float, float]]] = {
    "receding": [(0, -53), (11, -56), (22, -63), (32, -55), (38, -34), (40, -14)],
    "bald": [(0, -110), (30, -100), (44, -60), (42, -34), (40.5, -22), (41, -12)],
    "afro": [(0, -45), (16, -45), (29, -40), (37, -26), (40, -10), (41, 4)],
    "updo": [(0, -47), (16, -47), (30, -41), (39, -24), (43, -6), (45, 6)],
    "ponytail": [(0, -48), (16, -48), (31, -41), (39, -24), (43, -6), (45, 6)],
    "quiff": [(0, -49), (15, -49), (30, -45), (37, -30), (40, -12), (43, 2)],
    "buzz": [(0, -46), (16, -46), (31, -44), (36, -30), (40, -12), (43, 2)],
    "short": [(0, -44), (16, -44), (30, -40), (37, -27), (40, -11), (43, 2)],
}
# The right edge of hanging hair, below the crown; the styles that are not named end above the ears.
HANGING: dict[HairStyle, list[tuple[float, float]]] = {
    "long": [(52, -2), (54, 34), (57, 70), (58, 104), (56, 150)],
    "long_behind": [(52, -2), (54, 34), (57, 70), (58, 104), (56, 150)],
    "bob": [(52, -2), (55, 26), (53, 46), (45, 56), (30, 58)],
}
CROPPED = [(49.0, -12.0), (47.6, 2.0), (45.0, 13.0), (30.0, 16.0)]
# The blur of the hairline in pixels: cropped and tied hair thins out, hanging hair has an edge.
SOFTNESS: dict[HairStyle, float] = {"buzz": 2.2, "bald": 2.2, "receding": 2.2, "long": 1.0, "bob": 1.0}
FRONT_DEPTH, HAIR_DEPTH, BACK_DEPTH = -6, -20, -40


def cover_hair(canvas: Canvas, head: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the coverage (218, 178) of the hair before the face and of all that is behind the head (218, 178)."""
    traits = canvas.traits
    behind = canvas.fill(_outline(traits), HAIR_DEPTH, 0.7).full()
    front = behind * (1 - canvas.fill(_opening(traits), FRONT_DEPTH, SOFTNESS.get(traits.hair_style, 1.6)).full())
    if traits.hair_style == "long_behind":
        shoulders = canvas.place([(0.0, 62.0)])[0, 1]
        front *= np.clip((shoulders - np.arange(HEIGHT)) / 24, 0, 1)[:, None]
    if traits.bangs:
        wide, part = traits.face_width, traits.hair_part
        left = [(-42, -8), (-33, -19 + 2 * part), (-17, -22)]
        right = [(17, -22), (33, -19 - 2 * part), (42, -8)]
        top = [(46, -30), (36, -56), (0, -64), (-36, -56), (-46, -30)]
        fringe = smooth([(x * wide, y) for x, y in [*left, (0, -22.5 + part), *right, *top]])
        front = np.maximum(front, canvas.fill(fringe, 2, 0.9).full() * np.maximum(behind, head))
    if traits.hair_style == "updo":
        behind = np.maximum(behind, canvas.fill(ellipse(0, -77, 21, 17), BACK_DEPTH, 0.7).full())
    if traits.hair_style == "ponytail":
        tail = [(38, -20), (56, -10), (66, 30), (62, 80), (54, 112), (44, 80), (42, 30)]
        tail_side = on_side(tail, 1 if traits.hair_part > 0 else -1)
        behind = np.maximum(behind, canvas.fill(smooth(tail_side), BACK_DEPTH, 0.8).full())
    return front, behind


def _outline(traits: FaceTraits) -> np.ndarray:
    """Give the silhouette of the hair (n, 2), on a bald head that of the rest at its sides."""
    wide, volume, style = traits.face_width, traits.hair_volume, traits.hair_style
    if style == "afro":
        angles = (0.45, 0.9, 1.35, 1.8, 2.2)
        ball = [((50 + volume) * np.sin(angle), -24 - (46 + volume) * np.cos(angle)) for angle in angles]
        return _ruffled(smooth(symmetric([(0, -70 - volume), *ball])), traits)
    if style == "bald":
        crown = [(0.0, -60.0), (21 * wide, -57.0), (36 * wide, -44.0), (45.5 * wide, -28.0)]
    else:
        crown = [(0, -68 - volume), (20 * wide, -64 - 0.95 * volume), (37 * wide, -51 - 0.75 * volume)]
        crown += [(46.5 * wide + 0.4 * volume, -31)]
    hangs = 0.55 * volume if style in COVERS_EARS else 0.1 * volume
    sides = [(x * wide + hangs, y) for x, y in HANGING.get(style, CROPPED)]
    return _ruffled(smooth(symmetric(crown + sides)), traits)


def _ruffled(curve: np.ndarray, traits: FaceTraits) -> np.ndarray:
    """Give the outline with the waves of its hair: gentle for wavy, lumpy for curly hair."""
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


def _opening(traits: FaceTraits) -> np.ndarray:
    """Give the part of the silhouette (n, 2) that hair leaves free in front: the face below the hairline."""
    wide, line, part = traits.face_width, traits.hairline, traits.hair_part
    if traits.hair_style in LONG_STYLES:
        return smooth([(part * 16, -54 - line), *_curtain(traits, 1), *_curtain(traits, -1)[::-1]])
    right = [(x * wide, y - line if y < -30 else y) for x, y in HAIRLINES[traits.hair_style]]
    outline = symmetric([*right, (46 * wide, 15), (64, 22), (80, 150)])
    if traits.hair_style in ("short", "quiff"):
        # A side parting lifts one half of the hairline and lowers the other.
        swept = np.exp(-0.5 * ((outline[:, 1] + 44) / 9) ** 2) * outline[:, 0] / 30
        outline[:, 1] += 4.5 * part * swept
    return smooth(outline)


def _curtain(traits: FaceTraits, side: int) -> list[tuple[float, float]]:
    """Give the inner edge of long hair on one side of its parting, from top to bottom."""
    wide, swept = traits.face_width, traits.hair_part * side
    edge = [(40.5, -6), (42, 20), (40.5, 46), (42, 72), (47, 150)]
    parting = (traits.hair_part * 16 + side * 11, -54 - traits.hairline + 6 + 2 * swept)
    temple = (side * (32 + 2 * swept) * wide, -29 + 3 * swept)
    return [parting, temple, *((side * x * wide, y) for x, y in edge)]


def draw_locks(canvas: Canvas) -> np.ndarray:
    """Give hair everywhere (3, 218, 178): locks along the head's meridians, a band of gloss, light from the side."""
    traits = canvas.traits
    first, second, third = traits.hair_phase
    x, y = canvas.on_head(HAIR_DEPTH)
    # how light each lock is, about -1 to 1
    if traits.hair_texture == "curly":
        curls = np.sin(x * 0.5 + 2 * np.sin(y * 0.23 + first)), np.sin(y * 0.47 + 2 * np.sin(x * 0.21 + second))
        streaks = 0.65 * curls[0] * curls[1]
    else:
        round_top = np.sqrt(np.clip(1 - (np.minimum(y + 4, 0) / 84) ** 2, 0.05, 1))
        across = (x - 10 * traits.hair_part) / round_top
        if traits.hair_texture == "wavy":
            across = across + 4.0 * np.sin(y / 9.5 + first + 0.02 * x)
        streaks = 0.5 * np.sin(across * 0.26 + first) + 0.36 * np.sin(across * 0.55 + second + 0.02 * y)
        streaks += 0.16 * np.sin(across * 1.05 + third)
    normal_x = np.clip(x / 66, -0.9, 0.9)
    normal_y = np.clip((y + 8) / 86, -0.9, 0.55)
    normals = normal_x, normal_y, np.sqrt(np.maximum(1 - normal_x**2 - normal_y**2, 0.08))
    gloss = np.exp(-(((facing(normals, canvas.light) - 0.86) / 0.11) ** 2)) * (0.8 + 0.35 * streaks)
    colour = rgb(traits.hair_colour)
    picture = canvas.lit(normals, (0.35, 0.33, 0.32))
    picture *= colour * (1 + 0.17 * streaks)
    picture += gloss * ((0.10 + 0.25 * colour) * {"straight": 1.0, "wavy": 0.75, "curly": 0.25}[traits.hair_texture])
    return picture


def paint_hair_behind(canvas: Canvas, behind: np.ndarray, locks: np.ndarray) -> None:
    """Paint all hair behind head and neck, in shadow except at its rim."""
    canvas.paint(behind, locks)
    inner = canvas.fill(ellipse(0, 52, 40, 44), HAIR_DEPTH, 9.0).within(behind)
    canvas.tint(inner, (0.45, 0.43, 0.43), 0.9)


def paint_hair_in_front(canvas: Canvas, head: np.ndarray, front: np.ndarray, locks: np.ndarray) -> None:
    """Paint the hair before the face, and first the shadow that it casts on the head (218, 178)."""
    thin = canvas.traits.hair_style in ("buzz", "bald")
    shadow = shadow_of(front, -3 * canvas.light[0], 3.5, 2.6)
    canvas.tint(shadow * head * (1 - front), (0.7, 0.6, 0.57), 0.4 if thin else 0.85)
    canvas.paint(front, locks, 0.82 if thin else 1.0)


def paint_beard(canvas: Canvas, head: np.ndarray, locks: np.ndarray) -> None:
    """Paint stubble, moustache, goatee or a full beard in the colour of the hair."""
    traits = canvas.traits
    if traits.beard == "none":
        return
    smile, wide = max(traits.smile, 0.0), traits.face_width
    x, y = 17 + 4.5 * smile, 40.5 - 4.8 * smile
    lip = [(0, 33.5), (8, 34 - smile), (x, y - 2), (x + 2, y + 4), (10, y + 1), (0, 40)]
    mask = canvas.fill(smooth(symmetric(lip)), 8, 1.1).full()
    if traits.beard == "goatee":
        chin = 73.0 + traits.chin + 2.5 * traits.mouth_open
        patch = [(0, 50), (11, 50), (x + 1, y), (x + 3, 50), (17, chin - 7), (0, chin + 1)]
        mask = np.maximum(mask, canvas.fill(smooth(symmetric(patch)), 4, 1.4).full())
    elif traits.beard != "moustache":
        grown = 3.0 if traits.beard == "full" else 0.0
        jaw = np.add(half_head_outline(canvas)[6:], (grown * 0.4, grown))
        cheek = [(0, 33), (13, 34), (x + 3, 35), (31 * wide, 26), (41 * wide, 6), (canvas.half_head, 2)]
        mask = np.maximum(mask, canvas.fill(smooth(symmetric([*cheek, *jaw])), -8, 2.4).full())
    if traits.beard == "stubble":
        canvas.tint(mask * head, (0.72, 0.7, 0.72), 0.75)
    else:
        canvas.paint(mask, locks * 0.9, 0.88 if traits.beard == "goatee" else 0.9)

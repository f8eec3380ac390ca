"""What a drawn face is described by, and the 40 attributes that follow from it."""

from dataclasses import dataclass
from typing import Literal

Colour = tuple[float, float, float]
HairStyle = Literal[
    "short", "quiff", "buzz", "receding", "bald", "afro", "long", "long_behind", "bob", "updo", "ponytail"
]

LONG_STYLES: tuple[HairStyle, ...] = ("long", "long_behind", "bob")
COVERS_EARS: tuple[HairStyle, ...] = (*LONG_STYLES, "afro")


@dataclass
class FaceTraits:
    """Everything that distinguishes one portrait from another; the defaults are a plain young woman.

    Angles are radians, lengths pixels at CelebA's size, colours RGB in [0, 1]; factors are around 1.
    ``smile`` runs from -0.4 (sullen) over 0 (neutral) to 1 (broad); ``mouth_open`` from 0 to 1.
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
    hair_texture: Literal["straight", "wavy", "curly"] = "straight"
    hair_colour: Colour = (0.32, 0.21, 0.14)
    hair_volume: float = 6.0
    hair_part: float = 0.0
    hairline: float = 0.0
    hair_phase: tuple[float, float, float] = (0.0, 2.0, 4.0)
    bangs: bool = False
    beard: Literal["none", "stubble", "moustache", "goatee", "full"] = "none"

    glasses: Literal["none", "round", "square", "sunglasses"] = "none"
    glasses_colour: Colour = (0.08, 0.07, 0.07)
    hat_colour: Colour | None = None
    earrings: Colour | None = None

    clothes: Literal["crew", "vneck", "suit", "turtleneck", "scoop"] = "crew"
    clothes_colour: Colour = (0.25, 0.30, 0.42)
    shirt_colour: Colour = (0.92, 0.93, 0.95)
    tie_colour: Colour | None = None

    backdrop: Literal["gradient", "studio", "two_tone", "blurred", "bokeh"] = "gradient"
    backdrop_colours: tuple[Colour, Colour, Colour] = ((0.55, 0.6, 0.65), (0.35, 0.4, 0.45), (0.7, 0.7, 0.65))
    backdrop_angle: float = 0.8
    backdrop_spots: tuple[tuple[float, float, float], ...] = ()


def attributes_of(traits: FaceTraits) -> dict[str, bool]:
    """Give CelebA's 40 attributes of a described face, in CelebA's order; what is never drawn is False."""
    hair = _visible_hair_colour(traits)
    bare_headed = traits.hat_colour is None
    return {
        "5_o_Clock_Shadow": traits.beard == "stubble",
        "Arched_Eyebrows": traits.brow_arch > 0.5,
        "Attractive": False,
        "Bags_Under_Eyes": not traits.young,
        "Bald": traits.hair_style == "bald" and bare_headed,
        "Bangs": traits.bangs and bare_headed,
        "Big_Lips": traits.lip_fullness > 1.25,
        "Big_Nose": traits.nose_width > 1.18,
        "Black_Hair": hair == "black",
        "Blond_Hair": hair == "blond",
        "Blurry": False,
        "Brown_Hair": hair == "brown",
        "Bushy_Eyebrows": traits.brow_thickness > 1.25,
        "Chubby": traits.face_width > 1.03 and traits.jaw_width > 1.05,
        "Double_Chin": False,
        "Eyeglasses": traits.glasses != "none",
        "Goatee": traits.beard == "goatee",
        "Gray_Hair": hair == "gray",
        "Heavy_Makeup": traits.eyeshadow > 0.5 and traits.lipstick > 0.5,
        "High_Cheekbones": False,
        "Male": traits.male,
        "Mouth_Slightly_Open": traits.mouth_open > 0.3,
        "Mustache": traits.beard in ("moustache", "goatee", "full"),
        "Narrow_Eyes": traits.eye_open < 0.8,
        "No_Beard": traits.beard == "none",
        "Oval_Face": traits.face_width < 0.97 and traits.jaw_width < 0.97,
        "Pale_Skin": traits.skin[2] > 0.68,
        "Pointy_Nose": traits.nose_width < 0.86,
        "Receding_Hairline": traits.hair_style == "receding" and bare_headed,
        "Rosy_Cheeks": traits.rosy > 0.7,
        "Sideburns": traits.beard == "full",
        "Smiling": traits.smile > 0.4,
        "Straight_Hair": hair is not None and traits.hair_texture == "straight" and traits.hair_style != "buzz",
        "Wavy_Hair": hair is not None and traits.hair_texture != "straight",
        "Wearing_Earrings": traits.earrings is not None,
        "Wearing_Hat": traits.hat_colour is not None,
        "Wearing_Lipstick": traits.lipstick > 0.4,
        "Wearing_Necklace": False,
        "Wearing_Necktie": traits.clothes == "suit" and traits.tie_colour is not None,
        "Young": traits.young,
    }


def _visible_hair_colour(traits: FaceTraits) -> str | None:
    """Give black, blond, brown, gray or red; None where hardly any hair is to be seen."""
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


ATTRIBUTE_NAMES = tuple(attributes_of(FaceTraits()))

"""The drawn faces: true attributes, and faces where CelebA has them."""

from dataclasses import replace

import numpy as np
import pytest

from celeba_vae.synthetic.portrait import paint_face
from celeba_vae.synthetic.random_traits import sample_traits
from celeba_vae.synthetic.traits import ATTRIBUTE_NAMES, FaceTraits, attributes_of

# as the second line of list_attr_celeba.txt has them
CELEBAS_NAMES = (
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
)
NEVER_DRAWN = {"Attractive", "Blurry", "Double_Chin", "High_Cheekbones", "Wearing_Necklace"}


@pytest.fixture(scope="module")
def faces() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """320 faces as (320, 218, 178, 3) float32 in [0, 1], and each attribute as (320,) bool."""
    drawn = [sample_traits(seed=11, index=index) for index in range(320)]
    images = np.stack([paint_face(traits) for traits in drawn]).astype(np.float32) / 255
    attributes = [attributes_of(traits) for traits in drawn]
    return images, {name: np.array([face[name] for face in attributes]) for name in ATTRIBUTE_NAMES}


@pytest.fixture(scope="module")
def sampled() -> np.ndarray:
    """The attributes of 4,000 described faces, (4000, 40) float."""
    return np.array([list(attributes_of(sample_traits(4, index)).values()) for index in range(4000)], float)


def _around(images: np.ndarray, x: int, y: int, half_width: int = 4, half_height: int = 2) -> np.ndarray:
    """Mean colour (n, 3) of the window around CelebA's position (x, y)."""
    return images[:, y - half_height : y + half_height + 1, x - half_width : x + half_width + 1].mean(axis=(1, 2))


def test_image_and_attributes_have_the_promised_types():
    traits = sample_traits(0, 0)
    image, attributes = paint_face(traits), attributes_of(traits)

    assert image.shape == (218, 178, 3)
    assert image.dtype == np.uint8
    assert tuple(attributes) == ATTRIBUTE_NAMES == CELEBAS_NAMES
    assert {type(value) for value in attributes.values()} == {bool}


def test_eyes_and_mouth_lie_where_celeba_has_them(faces):
    images, attributes = faces
    bare = images[~attributes["Eyeglasses"]].mean(axis=0, keepdims=True)
    for x in (69, 108):
        eye = _around(bare, x, 112).mean()
        assert eye < 0.85 * _around(bare, x, 127).mean(), "darker than the cheek below"
        assert eye < 0.85 * _around(bare, 88, 110, half_width=3).mean(), "darker than the bridge of the nose"

    shaven = images[attributes["No_Beard"] & ~attributes["Mouth_Slightly_Open"]].mean(axis=0, keepdims=True)
    redness = {
        name: _around(shaven, x, y)[0]
        for name, (x, y) in {"mouth": (88, 154), "chin": (88, 172), "left": (62, 140), "right": (114, 140)}.items()
    }
    redness = {name: colour[0] / colour.sum() for name, colour in redness.items()}
    assert redness["mouth"] > 1.04 * max(redness["chin"], redness["left"], redness["right"])


def test_faces_differ_from_one_another(faces):
    images, _ = faces

    # Real CelebA faces have a standard deviation of about 0.26 in a pixel; half of that is enough to learn from.
    assert images.std(axis=0).mean() > 0.13
    # And not only in brightness: no two faces are near-copies.
    small = images[:, ::8, ::8].reshape(len(images), -1)
    distances = np.sqrt(((small[:100, None] - small[None, :100]) ** 2).mean(axis=2))
    assert distances[~np.eye(100, dtype=bool)].min() > 0.04


def test_attributes_occur_as_far_as_they_are_drawn(sampled):
    shares = dict(zip(ATTRIBUTE_NAMES, sampled.mean(axis=0), strict=True))

    assert {name for name, share in shares.items() if share == 0} == NEVER_DRAWN
    assert 0.4 < shares["Smiling"] < 0.56
    assert 0.08 < shares["Eyeglasses"] < 0.22


@pytest.mark.parametrize("name", ["Smiling", "Eyeglasses"])
def test_smile_and_glasses_are_independent_of_everything_else(sampled, name: str):
    names = [other for other in ATTRIBUTE_NAMES if other not in NEVER_DRAWN]
    table = sampled[:, [ATTRIBUTE_NAMES.index(other) for other in names]]
    correlations = dict(zip(names, np.corrcoef(table.T)[names.index(name)], strict=True))
    del correlations[name]

    # Four standard errors of a correlation between independent attributes of 4,000 faces.
    assert max(map(abs, correlations.values())) < 4 / np.sqrt(4000)


@pytest.mark.parametrize(
    ("name", "rows", "columns", "at_least"),
    [("Smiling", slice(120, 176), slice(55, 122), 0.85), ("Eyeglasses", slice(95, 130), slice(40, 138), 0.9)],
)
def test_a_linear_classifier_sees_the_attribute(faces, name, rows, columns, at_least):
    images, attributes = faces
    seen = images[:, rows, columns].mean(axis=3)
    # Half the size, each patch with the same brightness and contrast: what remains is shape.
    seen = seen[:, : seen.shape[1] // 2 * 2, : seen.shape[2] // 2 * 2]
    seen = (seen[:, ::2, ::2] + seen[:, 1::2, ::2] + seen[:, ::2, 1::2] + seen[:, 1::2, 1::2]).reshape(len(images), -1)
    seen = (seen - seen.mean(axis=1, keepdims=True)) / seen.std(axis=1, keepdims=True)
    known, unknown = slice(0, 160), slice(160, 320)
    truth = attributes[name] * 2.0 - 1
    middle, bias = seen[known].mean(axis=0), truth[known].mean()
    kernel = (seen - middle) @ (seen[known] - middle).T
    weights = np.linalg.solve(kernel[known] + 300 * np.eye(160), truth[known] - bias)
    guessed = kernel[unknown] @ weights + bias

    right = [(guessed[truth[unknown] == value] * value > 0).mean() for value in (-1, 1)]
    assert min(right) > at_least - 0.2
    assert np.mean((guessed > 0) == (truth[unknown] > 0)) > at_least


def test_hair_colours_are_those_of_the_attributes(faces):
    images, attributes = faces
    uncovered = ~attributes["Wearing_Hat"] & ~attributes["Bald"] & ~attributes["Receding_Hairline"]
    hair = _around(images, 88, 50, half_width=8, half_height=3)
    mean = {
        name: hair[attributes[name] & uncovered].mean(axis=0)
        for name in ("Black_Hair", "Brown_Hair", "Blond_Hair", "Gray_Hair")
    }

    assert mean["Black_Hair"].mean() + 0.1 < mean["Brown_Hair"].mean() < mean["Blond_Hair"].mean() - 0.1
    assert mean["Gray_Hair"].mean() > mean["Black_Hair"].mean() + 0.25
    assert np.ptp(mean["Gray_Hair"]) < 0.08 < 0.2 < np.ptp(mean["Blond_Hair"])


def test_pale_skin_is_lighter_and_a_beard_darker(faces):
    images, attributes = faces
    cheek = _around(images, 66, 132).mean(axis=1)
    chin = _around(images, 88, 170).mean(axis=1)
    full = attributes["Sideburns"] & attributes["Black_Hair"]

    assert cheek[attributes["Pale_Skin"]].mean() > cheek[~attributes["Pale_Skin"]].mean() + 0.15
    assert chin[full].mean() < 0.6 * chin[attributes["No_Beard"]].mean()


def test_a_chosen_face_changes_only_where_it_is_changed():
    plain = FaceTraits()
    changed = paint_face(plain) != paint_face(replace(plain, glasses="square"))
    rows = np.flatnonzero(changed.any(axis=(1, 2)))

    assert attributes_of(replace(plain, glasses="square"))["Eyeglasses"]
    assert not attributes_of(plain)["Eyeglasses"]
    assert 90 < rows.min() < rows.max() < 140


def test_extreme_descriptions_can_be_painted():
    for offset in ((-300.0, 0.0), (300.0, 0.0), (0.0, -400.0), (0.0, 400.0)):
        traits = FaceTraits(offset=offset, glasses="round", beard="full", hair_style="ponytail", backdrop="studio")
        assert paint_face(traits).shape == (218, 178, 3)

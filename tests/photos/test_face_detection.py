"""Faces found in a real photograph, and any face brought to where CelebA has it."""

import importlib.util

import numpy as np
import pytest
import skimage.data
from PIL import Image

from celeba_vae.photos.face_detection import CELEBA_LANDMARKS, align_as_celeba, find_faces

needs_faces = pytest.mark.skipif(
    importlib.util.find_spec("mtcnn") is None,
    reason="the extra is not installed: pip install -c constraints.txt -e '.[faces]'",
)
# the middle of the pupils in scikit-image's portrait of an astronaut, read off by eye
PUPILS = np.array([(203.7, 100.9), (246.7, 103.7)])


def placed(points, scale, angle, shift):
    """Where points of CelebA's form lie in a photo that shows it scaled, turned (degrees) and shifted."""
    turn = np.exp(1j * np.radians(angle)) * scale
    places = turn * (points @ (1, 1j)) + complex(*shift)
    return np.stack([places.real, places.imag], axis=1)


def astronaut(scale, angle, shift, size):
    """The portrait in a larger picture, and where its pupils lie."""
    picture = Image.new("RGB", size, (90, 120, 100))
    turn = scale * np.exp(1j * np.radians(angle))
    back = 1 / turn
    origin = -back * complex(*shift)
    portrait = Image.fromarray(skimage.data.astronaut())
    if scale < 1:
        portrait = portrait.resize((round(512 * scale),) * 2, Image.Resampling.BOX)
        back, origin = back * scale, origin * scale
    moved = portrait.convert("RGBA").transform(
        size,
        Image.Transform.AFFINE,
        (back.real, -back.imag, origin.real, back.imag, back.real, origin.imag),
        Image.Resampling.BICUBIC,
    )
    picture.paste(moved, (0, 0), moved)
    return np.asarray(picture), placed(PUPILS, scale, angle, shift)


def dots(places, size, radius):
    """A white disc at each place on black."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    inside = [(columns - x) ** 2 + (rows - y) ** 2 <= radius**2 for x, y in places]
    return np.repeat(np.where(np.any(inside, axis=0), 255, 0).astype(np.uint8)[..., None], 3, axis=2)


@needs_faces
@pytest.mark.parametrize(
    ("scale", "angle", "shift", "size"),
    [
        (1, 0, (0, 0), (512, 512)),
        (0.4, 0, (500, 350), (900, 600)),
        (5, 0, (900, 200), (4000, 3000)),
        (1, 15, (300, 20), (1100, 800)),
        (1, -15, (100, 200), (800, 900)),
    ],
)
def test_face_is_found_at_any_size_and_place_and_slightly_turned(scale, angle, shift, size):
    photo, pupils = astronaut(scale, angle, shift, size)

    faces = find_faces(photo)

    assert len(faces) == 1
    between_eyes = np.linalg.norm(pupils[1] - pupils[0])
    assert np.linalg.norm(faces[0].landmarks[:2] - pupils, axis=1).max() < 0.1 * between_eyes
    assert 1.5 * between_eyes < np.sqrt(faces[0].area) < 3 * between_eyes


@needs_faces
def test_the_largest_face_comes_first():
    photo = np.hstack([astronaut(0.5, 0, (0, 0), (300, 600))[0], astronaut(1, 0, (0, 0), (512, 600))[0]])

    faces = find_faces(photo)

    assert len(faces) == 2
    assert faces[0].landmarks[:, 0].min() > 300 > faces[1].landmarks[:, 0].max()


@needs_faces
@pytest.mark.parametrize("name", ["coffee", "brick", "chelsea", "text"])
def test_where_there_is_no_face_none_is_found(name):
    photo = np.asarray(Image.fromarray(getattr(skimage.data, name)()).convert("RGB"))

    assert find_faces(photo) == []


@needs_faces
@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (2000, 3), (8, 8)])
def test_photos_too_small_for_a_face_have_none(size):
    assert find_faces(np.full((*size, 3), 100, np.uint8)) == []


# ---------------------------------------------------------------------------------------------------------- alignment


@pytest.mark.parametrize(
    ("scale", "angle", "shift"),
    [(1, 0, (0, 0)), (0.5, 0, (130, 40)), (2.5, 10, (150, 60)), (9.3, 0, (700, 500)), (6, -40, (100, 1000))],
)
def test_landmarks_come_to_where_celeba_has_them(scale, angle, shift):
    landmarks = placed(CELEBA_LANDMARKS, scale, angle, shift)
    photo = dots(landmarks, size=(2600, 2600), radius=4 * scale)

    image = align_as_celeba(photo, landmarks)

    assert image.shape == (218, 178, 3)
    rows, columns = np.mgrid[:218, :178]
    for x, y in CELEBA_LANDMARKS:
        weights = image[..., 0] * ((columns - x) ** 2 + (rows - y) ** 2 < 9**2)
        centre = np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()
        assert np.linalg.norm(centre - (x, y)) < 0.4
        assert weights.sum() / 255 == pytest.approx(np.pi * 16, rel=0.15)


def test_landmarks_that_no_similarity_fits_come_as_near_as_possible():
    landmarks = CELEBA_LANDMARKS * (1.1, 0.9) + 300

    image = align_as_celeba(dots(landmarks, size=(600, 600), radius=4), landmarks)

    # least squares by NumPy: columns for the real and the imaginary part of the factor, and for the shift
    x, y = landmarks.T
    zero, one = np.zeros(5), np.ones(5)
    system = np.block([[x[:, None], -y[:, None], one[:, None], zero[:, None]], [np.stack([y, x, zero, one], axis=1)]])
    solution = np.linalg.lstsq(system, CELEBA_LANDMARKS.T.ravel(), rcond=None)[0]
    for x, y in (system @ solution).reshape(2, 5).T:
        assert image[round(y), round(x), 0] > 200


def test_finest_pattern_of_a_large_photo_becomes_grey():
    pattern = (np.indices((3000, 4000)).sum(axis=0) % 2 * 255).astype(np.uint8)
    landmarks = placed(CELEBA_LANDMARKS, 13.7, 5, (800, 200))

    image = align_as_celeba(np.repeat(pattern[..., None], 3, axis=2), landmarks)

    assert np.abs(image.astype(int) - 127).max() <= 4


def test_what_lies_outside_the_photo_repeats_its_border():
    photo = np.full((100, 100, 3), 60, np.uint8)
    photo[:, 0] = 200

    image = align_as_celeba(photo, CELEBA_LANDMARKS - (60, 60))

    assert (np.abs(image[:, :55].astype(int) - 200) <= 2).all()
    assert (image[:, 70:] == 60).all()

"""Own photos: any size, rotation, colours and format become what the models know; the rest is named."""

import importlib.util
import logging
import os
import subprocess
import sys

import numpy as np
import pytest
import skimage.data
from PIL import Image

from celeba_vae.photos.own_photos import photo_box, read_photos

SHAPE = (32, 32, 3)
needs_faces = pytest.mark.skipif(
    importlib.util.find_spec("mtcnn") is None,
    reason="the extra is not installed: pip install -c constraints.txt -e '.[faces]'",
)


def face(width=240, height=160):
    """Red at the left of the centre square, blue at its right, green above, black around it."""
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    image = np.zeros((height, width, 3), np.uint8)
    image[top : top + side, left : left + side // 2] = (220, 30, 30)
    image[top : top + side, left + side // 2 : left + side] = (30, 30, 220)
    image[top : top + side // 4, left : left + side] = (30, 220, 30)
    return Image.fromarray(image)


def looks_like_face(image):
    """Green above, red at the left, blue at the right, and nothing of the black around it."""
    return (
        image[3, 16].argmax() == 1
        and image[20, 1].argmax() == 0
        and image[20, 30].argmax() == 2
        and image.max(axis=2).min() > 100
    )


@pytest.mark.parametrize("size", [(240, 160), (160, 240), (31, 40), (1000, 1001), (8, 8)])
def test_centre_square_of_any_size_is_used(tmp_path, size):
    face(*size).save(tmp_path / "photo.png")

    photos = read_photos(tmp_path, SHAPE, crop=148)

    assert photos.names == ["photo.png"]
    assert photos.captions == ["photo.png *"]
    assert photos.images.shape == (1, *SHAPE)
    assert photos.images.dtype == np.uint8
    assert looks_like_face(photos.images[0])


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_90), (8, Image.Transpose.ROTATE_270)],
)
def test_rotation_in_the_photos_data_is_obeyed(tmp_path, orientation, turned):
    exif = Image.Exif()
    exif[0x0112] = orientation
    face().transpose(turned).save(tmp_path / "phone.jpg", exif=exif, quality=95)

    assert looks_like_face(read_photos(tmp_path, SHAPE, crop=148).images[0])


@pytest.mark.parametrize("suffix", ["jpg", "jfif", "png", "webp", "gif", "bmp", "tif", "avif"])
def test_formats(tmp_path, suffix):
    face().save(tmp_path / f"photo.{suffix}")

    assert looks_like_face(read_photos(tmp_path, SHAPE, crop=148).images[0])


def test_colours_become_rgb(tmp_path):
    face().convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    face().convert("P").save(tmp_path / "palette.png")
    grey = np.full((50, 50), 100, np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "grey16.png")
    Image.fromarray(np.zeros((50, 50, 4), np.uint8)).save(tmp_path / "transparent.png")

    photos = read_photos(tmp_path, SHAPE, crop=148)

    images = dict(zip(photos.names, photos.images, strict=True))

    assert looks_like_face(images["cmyk.jpg"])
    assert looks_like_face(images["palette.png"])
    assert (images["grey.png"] == 100).all()
    assert (images["grey16.png"] == 100).all()
    assert (images["transparent.png"] == 255).all()


def test_what_cannot_be_read_is_named_and_the_rest_is_used(tmp_path, caplog):
    face().save(tmp_path / "good.jpg")
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "good.jpg").read_bytes()[:400])
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.txt").write_text("not a photo")
    (tmp_path / ".hidden").write_text("not a photo")

    with caplog.at_level(logging.WARNING):
        photos = read_photos(tmp_path, SHAPE, crop=148)

    assert photos.names == ["good.jpg"]
    assert len(photos.images) == 1
    named = [name for name in ("broken.jpg", "empty.png", "notes.txt", ".hidden") if name in caplog.text]
    assert named == ["broken.jpg", "empty.png", "notes.txt"]
    assert all(name in photos.note for name in named)
    assert "the file is empty" in caplog.text


def test_subfolders_are_read_in_order_and_a_missing_folder_is_empty(tmp_path):
    for name in ("b.png", "a/c.png", "c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        face().save(tmp_path / name)

    assert read_photos(tmp_path, SHAPE, crop=148).names == ["c.png", "b.png", "c.png"]
    nothing = read_photos(tmp_path / "nothing here", SHAPE, crop=148)
    assert nothing.names == nothing.captions == []
    assert nothing.note == ""
    assert nothing.images.shape == (0, *SHAPE)


def test_linked_folders_are_followed_once_and_broken_links_named(tmp_path, caplog):
    photos, elsewhere = tmp_path / "photos", tmp_path / "elsewhere"
    for file in (photos / "a.png", elsewhere / "b.png"):
        file.parent.mkdir()
        face().save(file)
    (photos / "linked").symlink_to(elsewhere)
    (photos / "linked again").symlink_to(elsewhere)
    (photos / "loop").symlink_to(photos)
    (photos / "gone.png").symlink_to(tmp_path / "nowhere")

    found = read_photos(photos, SHAPE, crop="auto")

    assert found.names == ["a.png", "b.png"]
    assert found.left_out == ["gone.png"]
    assert "gone.png is left out" in caplog.text


def test_names_without_a_picture_of_their_own_are_shown_with_a_replacement(tmp_path, caplog):
    face().save(tmp_path / "new\nline.png")
    face().save(os.fsencode(tmp_path) + b"/\xff.png")
    (tmp_path / "tab\tand\x1b.png").touch()

    photos = read_photos(tmp_path, SHAPE, crop="auto")

    assert [caption.removesuffix(" *") for caption in photos.captions] == ["new\ufffdline.png", "\ufffd.png"]
    assert photos.note.endswith("tab\ufffdand\ufffd.png")
    assert "tab\ufffdand\ufffd.png is left out: the file is empty" in caplog.text


def test_only_the_first_of_very_many_are_used(tmp_path, caplog):
    for i in range(72):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{i:03}.png")

    names = read_photos(tmp_path, SHAPE, crop=148).names

    assert names == [f"{i:03}.png" for i in range(70)]
    assert "Only the first 70 photos" in caplog.text


def test_portrait_of_celebas_form_is_cropped_as_celeba_is(tmp_path):
    pixels = np.zeros((218, 178, 3), np.uint8)
    pixels[35:183, 15:163] = 255
    Image.fromarray(pixels).save(tmp_path / "000001.png")

    photos = read_photos(tmp_path, SHAPE, crop=148)

    assert (photos.images == 255).all()
    assert photos.captions == ["000001.png"]
    assert photos.note == ""
    assert (read_photos(tmp_path, SHAPE, crop=178).images == 0).any()


@pytest.mark.parametrize(
    ("size", "aspect", "crop", "box"),
    [
        ((4000, 3000), 1, 148, (500, 0, 3500, 3000)),
        ((3000, 4000), 1, 148, (0, 500, 3000, 3500)),
        ((400, 400), 2, 148, (0, 100, 400, 300)),
        ((178, 218), 1, (9, 20, 169, 180), (9, 20, 169, 180)),
        ((178, 218), 1, None, (0, 0, 178, 218)),
        ((178, 218), 1, 200, (0, 20, 178, 198)),
        ((1, 1000), 1, 148, (0, 499, 1, 500)),
    ],
)
def test_box(size, aspect, crop, box):
    assert photo_box(*size, aspect, crop) == box


# -------------------------------------------------------------------------------------------------------------- faces


def portrait(scale=1.0, place=(0, 0), size=(512, 512)):
    """A real photograph of a person somewhere in a larger picture."""
    picture = Image.new("RGB", size, (70, 110, 90))
    person = Image.fromarray(skimage.data.astronaut())
    picture.paste(person.resize((round(512 * scale),) * 2, Image.Resampling.LANCZOS), place)
    return picture


@needs_faces
def test_face_is_cropped_alike_wherever_it_is(tmp_path):
    portrait().save(tmp_path / "as it is.png")
    portrait(0.5, place=(700, 400), size=(1200, 700)).save(tmp_path / "small.png")
    portrait(4, place=(900, 300), size=(4000, 3000)).save(tmp_path / "large.png")
    portrait(1, place=(30, 10), size=(900, 600)).rotate(12, Image.Resampling.BICUBIC).save(tmp_path / "turned.png")

    photos = read_photos(tmp_path, (120, 120, 3), crop=120)

    assert photos.captions == ["as it is.png", "large.png", "small.png", "turned.png"]
    assert photos.note == ""
    for image in photos.images:
        # CelebA's eyes are near (69.5, 111.5) and (108.5, 111.5), the crop's corner is (29, 49); a pupil is darkest
        for x, y in ((40, 62), (79, 62)):
            near = image[y - 7 : y + 8, x - 7 : x + 8].sum(axis=2, dtype=int)
            row, column = np.unravel_index(near.argmin(), near.shape)
            assert np.hypot(column - 7, row - 7) < 4


@needs_faces
def test_of_several_faces_the_largest_is_used(tmp_path, caplog):
    both = portrait(0.5, place=(20, 0), size=(1100, 600))
    both.paste(portrait(1), (500, 50))
    both.save(tmp_path / "two.png")
    portrait(1, place=(500, 50), size=(1100, 600)).save(tmp_path / "zone.png")

    with caplog.at_level(logging.INFO):
        images = read_photos(tmp_path, SHAPE, crop=148).images

    assert "two.png shows 2 faces: the largest is used" in caplog.text
    assert np.abs(images[0].astype(int) - images[1]).mean() < 5


@needs_faces
def test_without_a_face_the_centre_is_used_and_the_photo_is_named(tmp_path, caplog):
    Image.fromarray(skimage.data.coffee()).save(tmp_path / "coffee.png")
    portrait().save(tmp_path / "me.png")

    photos = read_photos(tmp_path, SHAPE, crop=148)

    assert photos.captions == ["coffee.png *", "me.png"]
    assert photos.note == "* centre crop: no face found"
    assert "No face was found in" in caplog.text
    assert caplog.text.count(".png") == caplog.text.count("coffee.png") == 1
    centre = Image.fromarray(skimage.data.coffee()).resize((32, 32), Image.Resampling.BOX, box=(100, 0, 500, 400))
    assert np.abs(photos.images[0].astype(int) - np.asarray(centre)).max() <= 1


def test_without_the_extra_the_centre_is_used_and_a_note_says_how_to_have_it(tmp_path):
    portrait(0.5, place=(920, 100), size=(1200, 600)).save(tmp_path / "me.png")
    # a process of its own, in which the package that the extra installs is not to be found
    program = f"""
import logging, sys
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "mtcnn" else found(name, package)
logging.basicConfig(stream=sys.stdout)
from pathlib import Path
from celeba_vae.photos.own_photos import read_photos
photos = read_photos(Path({str(tmp_path)!r}), {SHAPE}, 148)
print(photos.captions, photos.note)
print(photos.images.std(axis=(0, 1, 2)).max())
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    log, captions, deviation = result.stdout.splitlines()
    assert "The centre of your photos is used" in log
    assert captions == "['me.png *'] * centre crop: pip install -c constraints.txt -e '.[faces]' for face detection"
    # the centre shows nothing but the ground
    assert float(deviation) == 0

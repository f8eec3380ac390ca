"""Own photos: any size, rotation, colours and format become what the models know; the rest is named."""

import logging

import numpy as np
import pytest
from PIL import Image

from celeba_vae.imaging.own_photos import photo_box, read_photos

SHAPE = (32, 32, 3)


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

    images, names = read_photos(tmp_path, SHAPE, crop=148)

    assert names == ["photo.png"]
    assert images.shape == (1, *SHAPE)
    assert images.dtype == np.uint8
    assert looks_like_face(images[0])


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_90), (8, Image.Transpose.ROTATE_270)],
)
def test_rotation_in_the_photos_data_is_obeyed(tmp_path, orientation, turned):
    exif = Image.Exif()
    exif[0x0112] = orientation
    face().transpose(turned).save(tmp_path / "phone.jpg", exif=exif, quality=95)

    assert looks_like_face(read_photos(tmp_path, SHAPE, crop=148)[0][0])


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tif", "avif"])
def test_formats(tmp_path, suffix):
    face().save(tmp_path / f"photo.{suffix}")

    assert looks_like_face(read_photos(tmp_path, SHAPE, crop=148)[0][0])


def test_colours_become_rgb(tmp_path):
    face().convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    face().convert("P").save(tmp_path / "palette.png")
    grey = np.full((50, 50), 100, np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "grey16.png")
    Image.fromarray(np.zeros((50, 50, 4), np.uint8)).save(tmp_path / "transparent.png")

    images = dict(zip(*reversed(read_photos(tmp_path, SHAPE, crop=148)), strict=True))

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
        images, names = read_photos(tmp_path, SHAPE, crop=148)

    assert names == ["good.jpg"]
    assert len(images) == 1
    named = [name for name in ("broken.jpg", "empty.png", "notes.txt", ".hidden") if name in caplog.text]
    assert named == ["broken.jpg", "empty.png", "notes.txt"]
    assert "the file is empty" in caplog.text


def test_subfolders_are_read_in_order_and_a_missing_folder_is_empty(tmp_path):
    for name in ("b.png", "a/c.png", "c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        face().save(tmp_path / name)

    assert read_photos(tmp_path, SHAPE, crop=148)[1] == ["c.png", "b.png", "c.png"]
    images, names = read_photos(tmp_path / "nothing here", SHAPE, crop=148)
    assert names == []
    assert images.shape == (0, *SHAPE)


def test_only_the_first_of_very_many_are_used(tmp_path, caplog):
    for i in range(72):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{i:03}.png")

    _, names = read_photos(tmp_path, SHAPE, crop=148)

    assert names == [f"{i:03}.png" for i in range(70)]
    assert "Only the first 70 photos" in caplog.text


def test_portrait_of_celebas_form_is_cropped_as_celeba_is(tmp_path):
    pixels = np.zeros((218, 178, 3), np.uint8)
    pixels[35:183, 15:163] = 255
    Image.fromarray(pixels).save(tmp_path / "000001.png")

    assert (read_photos(tmp_path, SHAPE, crop=148)[0] == 255).all()
    assert (read_photos(tmp_path, SHAPE, crop=178)[0] == 0).any()


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

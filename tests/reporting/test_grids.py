"""Grids: every image is there, at its place, and texts are readable and inside the picture."""

import numpy as np
import pytest

from celeba_vae.reporting.grids import comparison_grid, image_grid, text_picture

COLOURS = np.random.default_rng(0).integers(10, 200, (10, 3), np.uint8)


def plain_images(count, height=32, width=24):
    """Each of one colour of its own."""
    return np.broadcast_to(COLOURS[:count, None, None], (count, height, width, 3))


def boxes(picture, images):
    """Where each image of one colour lies: (left, top, right, bottom)."""
    pixels = np.asarray(picture)
    found = []
    for image in images:
        rows, columns = np.nonzero((pixels == image[0, 0]).all(axis=2))
        found.append((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    return found


def ink(picture):
    """Where there is something else than white."""
    return np.asarray(picture).min(axis=2) < 128


@pytest.mark.parametrize("scale", [1, 3])
def test_each_image_is_at_its_place(scale):
    images = plain_images(10)

    places = boxes(image_grid(images, columns=4, scale=scale), images)

    assert {(right - left, bottom - top) for left, top, right, bottom in places} == {(24 * scale, 32 * scale)}
    lefts, tops = [place[0] for place in places], [place[1] for place in places]
    assert lefts == [*lefts[:4], *lefts[:4], *lefts[:2]]
    assert lefts[:4] == sorted(set(lefts))
    assert tops == [tops[0]] * 4 + [tops[4]] * 4 + [tops[8]] * 2
    assert lefts[1] > places[0][2]
    assert tops[4] > places[0][3]


def test_pixels_are_those_of_the_image():
    image = np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8)

    picture = np.asarray(image_grid([image], columns=7))

    places = [
        (y, x)
        for y in range(picture.shape[0] - 15)
        for x in range(picture.shape[1] - 15)
        if (picture[y : y + 16, x : x + 16] == image).all()
    ]
    assert len(places) == 1


def test_texts_are_drawn_beside_the_images_and_not_over_them():
    images = plain_images(6, height=64, width=64)
    options = {"title": "A title", "captions": [f"face {i}" for i in range(6)], "row_labels": ["original", "VAE"]}

    picture = image_grid(images, columns=3, **options)

    places = boxes(picture, images)
    drawn = ink(picture)
    assert all(np.asarray(picture)[t:b, left:r].std(axis=(0, 1)).max() == 0 for left, t, r, b in places)
    left, top, _, bottom = places[0]
    assert drawn[: top - 1].any()
    assert drawn[top:bottom, : left - 1].any()
    assert all(drawn[place[3] + 1 : place[3] + 15, place[0] : place[2]].any() for place in places)
    assert not drawn[0].any()
    assert not drawn[-1].any()
    assert not drawn[:, 0].any()
    assert not drawn[:, -1].any()


def test_long_texts_do_not_leave_their_place():
    images = plain_images(2, height=64, width=64)

    picture = image_grid(images, columns=2, title="a long title " * 20, captions=["DSC_" + "0" * 80 + ".jpg"] * 2)

    gap = slice(boxes(picture, images)[0][2], boxes(picture, images)[1][0])
    assert not ink(picture)[boxes(picture, images)[0][3] :, gap].any()
    assert not ink(picture)[:, -3:].any()
    assert picture.width == image_grid(images, columns=2).width


def test_rows_without_captions_take_no_room_for_them():
    images = plain_images(4)

    _, _, with_caption, without = boxes(image_grid(images, columns=1, captions=["", "", "x", ""]), images)
    first, second, *_ = boxes(image_grid(images, columns=1, captions=["", "", "x", ""]), images)

    assert second[1] - first[1] < without[1] - with_caption[1]


@pytest.mark.parametrize(
    ("count", "options"),
    [(0, {}), (4, {"captions": ["one"]}), (4, {"row_labels": ["one"]})],
)
def test_texts_that_do_not_fit_the_images_are_refused(count, options):
    with pytest.raises(ValueError, match=r"at least one image|4 images in 2 rows have"):
        image_grid(plain_images(count), columns=2, **options)


def test_versions_of_an_image_stand_in_one_column_block_by_block():
    images = np.broadcast_to(np.random.default_rng(2).integers(10, 200, (10, 1, 1, 3), np.uint8), (10, 32, 24, 3))
    rows = {"original": images[:5], "VAE": images[5:]}

    picture = comparison_grid(rows, columns=3, title="Both", captions=["a", "b", "c", "d", "e"])

    places = boxes(picture, images)
    for original, version in zip(places[:5], places[5:], strict=True):
        assert original[0] == version[0]
        assert original[3] < version[1]
    assert [place[0] for place in places[:3]] == sorted({place[0] for place in places})
    assert places[3][0] == places[0][0]
    assert places[3][1] > places[5][3]
    drawn = ink(picture)
    below_each_block = [
        drawn[places[row][3] + 1 : places[row][3] + 12, places[row][0] : places[row][2]] for row in (5, 9)
    ]
    assert all(text.any() for text in below_each_block)
    assert not drawn[places[0][3] : places[5][1], places[0][0] :].any()


def test_text_picture_shows_its_text():
    picture = text_picture("No photos yet", "Put some\nhere.\n\nThen run again.")

    assert ink(picture).any()
    assert ink(picture)[picture.height // 2 :].any()
    assert not ink(picture)[:, -10:].any()


@pytest.mark.parametrize("odd", ["\n", "\r\n", "\t", "\x1b", "\u2028", "\udcff", "\u202e"])
def test_what_can_not_be_drawn_is_drawn_as_a_replacement(odd):
    images = plain_images(2, width=120)
    texts = {"captions": [f"a{odd}b", ""], "row_labels": [f"c{odd}d"]}
    replacement = "\ufffd" * len(odd)

    picture = image_grid(images, columns=2, title="Two", **texts)

    expected = {"captions": [f"a{replacement}b", ""], "row_labels": [f"c{replacement}d"]}
    assert picture.tobytes() == image_grid(images, columns=2, title="Two", **expected).tobytes()
    assert ink(text_picture("A title", f"no trace of {odd}")).any()

"""Directions of attributes, against means computed group by group."""

import numpy as np
import pandas as pd
import pytest

from celeba_vae.errors import SettingError
from celeba_vae.latent.attributes import attribute_directions, check_attribute

NAMES = ["Smiling", "Eyeglasses", "Male"]


def test_direction_is_the_difference_of_the_two_groups_means(tmp_path):
    random = np.random.default_rng(0)
    # more rows than are read at once
    values = random.choice([1, -1, 0], (20_000, 3), p=[0.3, 0.6, 0.1]).astype(np.int8)
    latents = random.normal(size=(20_000, 6)).astype(np.float32) + values[:, :1] * np.float32([1, 0, 0, -2, 0, 0])
    np.save(tmp_path / "latents.npy", latents)

    directions, images_with, images_without = attribute_directions(np.load(tmp_path / "latents.npy", "r"), values)

    table = pd.DataFrame(latents.astype(float))
    for column, direction in enumerate(directions):
        means = table.groupby(values[:, column]).mean()
        np.testing.assert_allclose(direction, means.loc[1] - means.loc[-1], atol=1e-5)
    np.testing.assert_array_equal(images_with, (values == 1).sum(axis=0))
    np.testing.assert_array_equal(images_without, (values == -1).sum(axis=0))
    np.testing.assert_allclose(directions[0], [2, 0, 0, -4, 0, 0], atol=0.06)


def test_where_one_group_is_empty_there_is_no_direction():
    values = np.array([[1, -1, 1, 0], [1, -1, -1, 0], [1, -1, 0, 0]], np.int8)

    directions, images_with, images_without = attribute_directions(np.eye(3, dtype=np.float32), values)

    assert np.isnan(directions[[0, 1, 3]]).all()
    np.testing.assert_allclose(directions[2], [1, -1, 0])
    assert list(images_with) == [3, 0, 1, 0]
    assert list(images_without) == [0, 3, 1, 0]


def test_images_without_a_list_have_no_directions():
    directions, images_with, _ = attribute_directions(np.zeros((0, 4), np.float32), np.zeros((0, 0), np.int8))

    assert directions.shape == (0, 4)
    assert len(images_with) == 0


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("smiling", NAMES, ["'smiling'", "Did you mean 'Smiling'?", "Known: Smiling, Eyeglasses, Male."]),
        ("Tall", NAMES, ["'Tall'. Known: Smiling, Eyeglasses, Male."]),
        ("Smiling", [], ["'Smiling'", "list_attr_celeba"]),
    ],
)
def test_unknown_attributes_are_refused_with_the_nearest_and_all_known(name, known, expected):
    with pytest.raises(SettingError) as caught:
        check_attribute(name, known)

    assert all(text in str(caught.value) for text in ["generation.attributes.names", *expected])

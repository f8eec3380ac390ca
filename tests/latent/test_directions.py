"""Directions of attributes, against means group by group; principal components, against scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from celeba_vae.errors import DataError, SettingError
from celeba_vae.latent.directions import attribute_directions, check_attribute, principal_components

NAMES = ["Smiling", "Eyeglasses", "Male"]


def test_direction_is_the_difference_of_the_two_groups_means(tmp_path):
    random = np.random.default_rng(0)
    # more rows than are read at once
    values = random.choice([1, -1, 0], (20_000, 3), p=[0.3, 0.6, 0.1]).astype(np.int8)
    latents = random.normal(size=(20_000, 6)).astype(np.float32) + values[:, :1] * np.float32([1, 0, 0, -2, 0, 0])
    np.save(tmp_path / "latents.npy", latents)

    found = attribute_directions(np.load(tmp_path / "latents.npy", "r"), pd.DataFrame(values, columns=NAMES))

    table = pd.DataFrame(latents.astype(float))
    directions = found.filter(like="z_").to_numpy()
    for column, direction in enumerate(directions):
        means = table.groupby(values[:, column]).mean()
        np.testing.assert_allclose(direction, means.loc[1] - means.loc[-1], atol=1e-5)
    assert list(found["attribute"]) == NAMES
    np.testing.assert_array_equal(found["images_with"], (values == 1).sum(axis=0))
    np.testing.assert_array_equal(found["images_without"], (values == -1).sum(axis=0))
    np.testing.assert_allclose(directions[0], [2, 0, 0, -4, 0, 0], atol=0.06)


def test_where_one_group_is_empty_there_is_no_direction():
    values = np.array([[1, -1, 1, 0], [1, -1, -1, 0], [1, -1, 0, 0]], np.int8)

    found = attribute_directions(np.eye(3, dtype=np.float32), pd.DataFrame(values))

    directions = found.filter(like="z_").to_numpy()
    assert np.isnan(directions[[0, 1, 3]]).all()
    np.testing.assert_allclose(directions[2], [1, -1, 0])
    assert list(found["images_with"]) == [3, 0, 1, 0]
    assert list(found["images_without"]) == [0, 3, 1, 0]


def test_images_without_a_list_have_no_directions():
    found = attribute_directions(np.zeros((3, 4), np.float32), pd.DataFrame(index=range(3)))

    assert list(found.columns) == ["attribute", "images_with", "images_without", "z_0", "z_1", "z_2", "z_3"]
    assert found.empty


def test_images_beyond_those_that_were_encoded_count_for_nothing():
    values = pd.DataFrame({"Smiling": [1, -1, 1, -1]})

    found = attribute_directions(np.array([[3.0], [1.0]], np.float32), values)

    assert found.iloc[0].tolist() == ["Smiling", 1, 1, 2.0]


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


def correlated(count, latent_dim, seed=0):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(latent_dim, latent_dim)) * np.linspace(3, 0.1, latent_dim)[:, None]
    return (random.normal(size=(count, latent_dim)) @ mixing + 5).astype(np.float32)


@pytest.mark.parametrize(("count", "latent_dim"), [(20_000, 12), (9, 12)])
def test_components_are_those_of_scikit_learn(tmp_path, count, latent_dim):
    np.save(tmp_path / "latents.npy", correlated(count, latent_dim))
    latents = np.load(tmp_path / "latents.npy", "r")

    found = principal_components(latents, 4)

    expected = PCA(4, svd_solver="full").fit(latents.astype(float))
    np.testing.assert_allclose(found.mean, expected.mean_, rtol=1e-6)
    np.testing.assert_allclose(found.deviations, np.sqrt(expected.explained_variance_), rtol=1e-6)
    np.testing.assert_allclose(found.shares, expected.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(np.abs((found.directions * expected.components_).sum(axis=1)), 1, rtol=1e-6)


def test_directions_have_the_same_sign_whatever_the_images_order():
    latents = correlated(200, 6)

    directions = principal_components(latents, 6).directions

    np.testing.assert_allclose(principal_components(latents[::-1], 6).directions, directions, atol=1e-6)
    np.testing.assert_allclose(principal_components(-latents, 6).directions, directions, atol=1e-6)
    assert (np.abs(directions).max(axis=1) == directions.max(axis=1)).all()


def test_traversal_goes_through_the_mean_in_standard_deviations():
    latents = correlated(500, 3)
    found = principal_components(latents, 2)

    way = found.traversal(1, [-3, 0, 1.5])

    assert way.dtype == np.float32
    np.testing.assert_allclose(way[1], latents.mean(axis=0, dtype=float), rtol=1e-6)
    offsets = (way - way[1]) @ found.directions.T / (latents @ found.directions.T).std(axis=0, ddof=1)
    np.testing.assert_allclose(offsets, [[0, -3], [0, 0], [0, 1.5]], atol=1e-5)


def test_there_are_no_more_components_than_dimensions():
    found = principal_components(correlated(50, 3), 8)

    assert found.directions.shape == (3, 3)
    assert found.shares.sum() == pytest.approx(1)


@pytest.mark.parametrize("latents", [np.ones((5, 3), np.float32), np.ones((1, 3), np.float32), np.ones((0, 3))])
def test_latents_that_do_not_vary_are_refused(latents):
    with pytest.raises(DataError, match=f"{len(latents)} images don't vary"):
        principal_components(latents, 2)

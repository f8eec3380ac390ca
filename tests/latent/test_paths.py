"""Ways between two points: straight lines by hand, great circles against SciPy's."""

import numpy as np
import pytest
from scipy.spatial import geometric_slerp

from celeba_vae.latent.points import angle_between, linear_path, spherical_path

POSITIONS = np.linspace(0, 1, 11)


def two_points(latent_dim=256, lengths=(16.0, 16.0)):
    points = np.random.default_rng(0).normal(size=(2, latent_dim))
    points *= np.array(lengths)[:, None] / np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype(np.float32)


@pytest.mark.parametrize("path", [linear_path, spherical_path])
def test_way_leads_from_one_point_to_the_other(path):
    start, end = two_points(lengths=(12, 20))

    way = path(start, end, POSITIONS)

    assert way.dtype == np.float32
    assert way.shape == (11, 256)
    np.testing.assert_array_equal(way[0], start)
    np.testing.assert_array_equal(way[-1], end)
    np.testing.assert_allclose(path(end, start, POSITIONS)[::-1], way, atol=1e-5)


def test_linear_way_is_a_straight_line_that_comes_closer_to_the_origin():
    start, end = two_points()

    way = linear_path(start, end, POSITIONS)

    np.testing.assert_allclose(way[3], start * 0.7 + end * 0.3, atol=1e-5)
    assert np.linalg.norm(way[5]) < 0.8 * 16


def test_spherical_way_is_a_great_circle():
    start, end = two_points()

    way = spherical_path(start, end, POSITIONS)

    units = [point.astype(float) / np.linalg.norm(point.astype(float)) for point in (start, end)]
    expected = geometric_slerp(*units, POSITIONS)
    np.testing.assert_allclose(way, expected * 16, atol=1e-4)


def test_spherical_way_between_unequal_distances_is_an_ellipse():
    way = spherical_path(np.float32([12, 0, 0]), np.float32([0, 0, 20]), POSITIONS)

    angles = POSITIONS * np.pi / 2
    np.testing.assert_allclose(way, np.stack([12 * np.cos(angles), 0 * angles, 20 * np.sin(angles)], axis=1), atol=1e-5)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param([2.0, 0, 0], id="same direction"),
        pytest.param([1 + 1e-7, 1e-8, 0], id="nearly the same point"),
        pytest.param([1.0, 0, 0], id="same point"),
        pytest.param([-1.0, 0, 0], id="opposite"),
        pytest.param([0.0, 0, 0], id="origin"),
    ],
)
def test_where_no_great_circle_is_singled_out_the_way_is_straight(end):
    start, end = np.array([1, 0, 0], np.float32), np.array(end, np.float32)

    way = spherical_path(start, end, POSITIONS)

    np.testing.assert_allclose(way, start + POSITIONS[:, None] * (end - start), atol=1e-6)


def test_angles_are_exact_where_a_cosine_is_not():
    for angle in (1e-9, 1e-4, 1.0, np.pi / 2, np.pi - 1e-9):
        first, second = np.array([3.0, 0]), 0.5 * np.array([np.cos(angle), np.sin(angle)])
        assert angle_between(first, second) == pytest.approx(angle, rel=1e-7)

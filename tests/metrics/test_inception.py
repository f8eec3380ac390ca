"""Inception's features from files with random weights: the way from images to features, and what is said without."""

import socket

import numpy as np
import pytest
from PIL import Image

from celeba_vae.metrics.inception import WEIGHTS_NAME, InceptionFeatures, inception_input


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "models"


def test_features_are_those_of_the_network_in_the_file(random_inception):
    import keras

    inception = keras.applications.InceptionV3(include_top=False, weights=str(random_inception), pooling="avg")
    images = np.random.default_rng(0).random((6, 48, 40, 3), np.float32)

    features = InceptionFeatures(weights=random_inception, batch_size=3)
    given = features(images)

    assert features.unavailable() is None
    assert given.shape == (6, 2048)
    assert given.dtype == np.float32
    assert given.std(axis=0).max() > 0.01
    np.testing.assert_allclose(given, inception(inception_input(images)), rtol=1e-3, atol=1e-3)
    assert features(images[:0]).shape == (0, 2048)


def test_input_is_pillows_antialiased_bicubic():
    stripes = np.zeros((2, 600, 598, 3), np.uint8)
    stripes[:, :, ::2] = 255

    expected = np.asarray(Image.fromarray(stripes[0]).resize((299, 299), Image.Resampling.BICUBIC)) / 127.5 - 1
    given = inception_input(stripes)

    np.testing.assert_allclose(given, [expected, expected], atol=1e-6)
    # every second column: looked up without smoothing, it would be black or white
    assert np.abs(given[:, 10:-10, 10:-10]).max() < 0.05
    np.testing.assert_array_equal(inception_input((stripes / 255).astype(np.float32)), given)
    assert inception_input(np.full((1, 8, 8, 3), 255, np.uint8)).max() == 1
    assert inception_input(np.zeros((1, 8, 8, 3), np.uint8)).min() == -1


def test_without_weights_it_says_in_a_line_what_to_do_and_asks_no_network(empty_cache, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("asks the network"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("asks the network"))

    default = InceptionFeatures().unavailable()
    elsewhere = InceptionFeatures(weights="nowhere/at_all.h5", download=True).unavailable()

    assert str(empty_cache / WEIGHTS_NAME) in default
    assert "download" in default
    assert "nowhere/at_all.h5" in elsewhere
    assert "\n" not in default + elsewhere


def test_a_download_without_network_ends_soon_in_a_line(empty_cache, monkeypatch):
    def no_network(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)

    reason = InceptionFeatures(download=True).unavailable()

    assert "can't be had from the network" in reason
    assert "Name or service not known" in reason
    assert "\n" not in reason
    assert not list(empty_cache.glob("*.h5"))
    assert socket.getdefaulttimeout() is None


def test_damaged_weights_in_keras_cache_are_named(empty_cache, random_inception):
    empty_cache.mkdir()
    file = empty_cache / WEIGHTS_NAME
    file.write_bytes(random_inception.read_bytes()[:5000])

    assert str(file) in InceptionFeatures().unavailable()

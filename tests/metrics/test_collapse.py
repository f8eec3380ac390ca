"""A collapsed posterior is said with what to change, and told from images that are all alike."""

import numpy as np
import pytest

from celeba_vae.metrics.collapse import collapse_note, likeness_note, training_note

SHAPE = (16, 16, 3)
VAE = {"name": "mine", "model": "vae", "latent_dim": 2, "kl_weight": 40.0}


@pytest.fixture
def images():
    return np.random.default_rng(5).integers(0, 256, (60, *SHAPE), np.uint8)


def encoder(deviation, images):
    """A variational encoder whose mu has this standard deviation over the images, in one dimension; none in another."""
    import keras

    flat = images.reshape(len(images), -1) / 255
    direction = np.random.default_rng(6).normal(size=flat.shape[1])
    direction *= deviation / (flat @ direction).std(ddof=1)
    inputs = keras.Input(SHAPE)
    layers = [keras.layers.Dense(2), keras.layers.Dense(2)]
    model = keras.Model(inputs, [layer(keras.layers.Flatten()(inputs)) for layer in layers])
    layers[0].set_weights([np.stack([direction, 0 * direction], axis=1), np.array([3.0, 3.0])])
    return model


# a variance of 0.01 is where a unit becomes active
@pytest.mark.parametrize(("deviation", "collapsed"), [(0.09, True), (0.11, False)])
def test_a_posterior_has_collapsed_where_no_mean_varies(images, deviation, collapsed):
    note = training_note(encoder(deviation, images), images, VAE)

    assert bool(note) == collapsed
    if collapsed:
        assert note.startswith("mine: the posterior has collapsed, 0 of 2 latent dimensions are active")
        for change in ("kl_weight lower (it is 40)", "linear_warm_up", "free_bits", "variants.mine.fresh=true"):
            assert change in note


def test_images_all_over_the_array_are_looked_at(images):
    most_alike = np.concatenate([np.repeat(images[:1], 600, axis=0), images])

    assert training_note(encoder(1, images), most_alike, VAE) == ""
    assert training_note(encoder(1, images), images[:0], VAE) == ""


def test_an_autoencoder_has_no_posterior(images):
    assert collapse_note({**VAE, "model": "ae"}, 0.0) == ""
    assert collapse_note(VAE, 0.0) != ""
    assert collapse_note(VAE, 1.0) == collapse_note(VAE, None) == ""


def test_equal_images_are_no_collapse(images):
    alike = np.repeat(images[:1], 30, axis=0)

    note = training_note(encoder(1, images), alike, VAE)

    assert note.startswith("mine: The 30 training images are all alike")
    assert "collapsed" not in note


def test_likeness_is_of_one_image_or_of_equal_ones(images):
    differs = np.repeat(images[:1], 30, axis=0)
    differs[-1, -1, -1, -1] ^= 1

    assert "only 1 test image" in likeness_note(images[:1], "test")
    assert "The 2 test images are all alike" in likeness_note(images[[3, 3]], "test")
    assert likeness_note(differs, "test") == likeness_note(images, "test") == likeness_note(images[:0], "test") == ""

"""Encoders and decoders: the reference network's published sizes, any fitting image size, clear words for the rest."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from base_config import base_config
from pydantic import ValidationError

from celeba_vae.config import LayersConfig
from celeba_vae.errors import SettingError
from celeba_vae.models.decoders import ConvTransposeDecoder, ResidualDecoder, UpsamplingDecoder
from celeba_vae.models.encoders import ConvEncoder, ResidualEncoder

SHAPE = (96, 96, 3)


def build_encoder(encoder=None, shape=SHAPE, latent_dim=256, outputs=("mu", "logvar"), **options):
    options = {"layers": base_config(LayersConfig), "precision": "float32", "seed": 1, **options}
    return (encoder or ConvEncoder()).build(shape, latent_dim, outputs, **options)


def build_decoder(decoder=None, shape=SHAPE, latent_dim=256, **options):
    options = {"layers": base_config(LayersConfig), "precision": "float32", "seed": 1, **options}
    return (decoder or ConvTransposeDecoder()).build(shape, latent_dim, **options)


@pytest.mark.parametrize(
    ("latent_dim", "dense_units", "encoder_parameters", "decoder_parameters"),
    [
        (256, None, 5_109_440, 2_757_571),
        (256, 256, 2_881_472, 2_757_571),
        (256, 384, 4_126_784, 2_757_571),
        (512, None, 9_828_544, 5_116_867),
    ],
)
def test_reference_network_has_the_articles_parameters(latent_dim, dense_units, encoder_parameters, decoder_parameters):
    assert (
        build_encoder(ConvEncoder(dense_units=dense_units), latent_dim=latent_dim).count_params() == encoder_parameters
    )
    assert build_decoder(latent_dim=latent_dim).count_params() == decoder_parameters


def test_articles_autoencoder_has_the_parameters_counted_by_hand():
    encoder = ConvEncoder(filters=(64, 64, 128, 128), kernel_sizes=(5, 5, 3, 3))
    convolutions = (3 * 25 + 1) * 64 + (64 * 25 + 1) * 64 + (64 * 9 + 1) * 128 + (128 * 9 + 1) * 128
    normalisation = 4 * (64 + 64 + 128 + 128)
    dense = (6 * 6 * 128 + 1) * 1600
    assert (
        build_encoder(encoder, latent_dim=1600, outputs=("z",)).count_params() == convolutions + normalisation + dense
    )


@pytest.mark.parametrize("side", [64, 96, 128])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_decoder_gives_back_the_image_size(side, padding):
    options = {} if padding == "same" else {"kernel_sizes": (2, 2, 2, 2)}
    encoder = ConvEncoder(padding=padding, **options)
    decoder = ConvTransposeDecoder(padding=padding, **options)
    shape = (side, 2 * side, 3)
    encoder.check(shape, 8)
    decoder.check(shape, 8)
    mu, logvar = build_encoder(encoder, shape, 8)(np.zeros((1, *shape), np.float32))
    assert mu.shape == logvar.shape == (1, 8)
    assert build_decoder(decoder, shape, 8).output_shape == (None, *shape)


@pytest.mark.parametrize("shape", [(64, 64, 3), (96, 96, 3), (128, 128, 3), (32, 64, 3), (48, 48, 1)])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    ("encoder", "decoder"),
    [(ConvEncoder, UpsamplingDecoder), (ResidualEncoder, ResidualDecoder)],
)
def test_networks_fit_any_size_that_the_strides_divide(encoder, decoder, shape, precision):
    options = {"filters": (4, 8, 8, 8)}
    last = {"filters": (8, 8, 4, shape[2])} if decoder is UpsamplingDecoder else {"filters": (8, 8, 4, 4)}
    encoder, decoder = encoder(**options), decoder(start_filters=8, **last)
    encoder.check(shape, 5)
    decoder.check(shape, 5)
    images = np.random.default_rng(0).random((2, *shape), np.float32)
    mu, logvar = build_encoder(encoder, shape, 5, precision=precision)(images)
    model = build_decoder(decoder, shape, 5, precision=precision)
    reconstructions = model(mu)
    assert mu.shape == logvar.shape == (2, 5)
    assert reconstructions.shape == images.shape
    assert mu.dtype == reconstructions.dtype == "float32"
    assert model.get_layer("logits").output.shape == (None, *shape)
    with pytest.raises(SettingError, match=r"100 pixels a side"):
        encoder.check((100, 96, 3), 5)
    with pytest.raises(SettingError, match=r"100 pixels a side"):
        decoder.check((100, 96, 3), 5)


def test_residual_blocks_pass_their_inputs_on():
    """With the second convolutions at zero, the blocks are their shortcuts: the mean over each stride's square."""
    style = base_config(LayersConfig, activation="relu", batch_normalization=False)
    encoder = ResidualEncoder(filters=(3, 3), kernel_sizes=(3, 3), strides=(2, 2))
    model = build_encoder(encoder, (8, 8, 3), 2, layers=style)
    for layer in model.layers:
        if layer.name.endswith("conv_2"):
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    features = keras.Model(model.input, model.get_layer("flatten").input)
    images = np.random.default_rng(1).random((2, 8, 8, 3), np.float32)
    expected = images.reshape(2, 2, 4, 2, 4, 3).mean((2, 4))
    np.testing.assert_allclose(features(images), expected, rtol=1e-5)


def test_upsampling_decoder_leaves_no_crossing_lines_where_the_transposed_one_does():
    """From the same value in every place of the feature map, all inner pixels come out alike."""

    def spread(decoder):
        style = base_config(LayersConfig, batch_normalization=False)
        decoder = build_decoder(decoder, (64, 64, 3), 4, layers=style)
        after = keras.Model(decoder.get_layer("feature_map").output, decoder.get_layer("logits").output)
        logits = np.asarray(after(np.ones((1, 4, 4, 256), np.float32)))[0, 28:36, 28:36]
        return np.ptp(logits, axis=(0, 1)).max()

    assert spread(UpsamplingDecoder()) < 1e-5
    assert spread(ConvTransposeDecoder()) > 1e-3


def test_valid_padding_with_kernel_three_follows_keras_lengths():
    decoder = ConvTransposeDecoder(
        filters=(8, 3), kernel_sizes=(3, 3), strides=(2, 2), padding="valid", start_filters=4
    )
    shape = (23, 23, 3)  # 5 -> 5 * 2 + 1 = 11 -> 11 * 2 + 1 = 23
    decoder.check(shape, 4)
    model = build_decoder(decoder, shape, 4)
    assert model.output_shape == (None, *shape)
    assert model.get_layer("feature_map").output.shape == (None, 5, 5, 4)


def test_images_are_between_0_and_1_and_float32():
    images = build_decoder(latent_dim=4)(np.random.default_rng(0).normal(scale=50, size=(2, 4)).astype(np.float32))
    assert images.dtype == "float32"
    assert 0 <= np.min(images) < np.max(images) <= 1


def test_lists_of_different_lengths_are_refused_with_their_values():
    with pytest.raises(ValidationError, match=r"filters has 3: \[32, 64, 128\], kernel_sizes has 4: \[3, 3, 3, 3\]"):
        ConvEncoder(filters=(32, 64, 128))


@pytest.mark.parametrize("component", [ConvEncoder(), ConvTransposeDecoder()])
def test_image_size_that_the_strides_do_not_divide_is_refused_with_its_values(component):
    with pytest.raises(SettingError, match=r"strides \[2, 2, 2, 2\].*100 pixels"):
        component.check((100, 96, 3), 256)


@pytest.mark.parametrize("component", [ConvEncoder, ResidualEncoder, ConvTransposeDecoder])
def test_kernels_that_leave_out_pixels_are_refused(component):
    """Some of them would crash TensorFlow."""
    with pytest.raises(SettingError, match=r"layer 4, 1 pixels, is smaller than its stride, 2"):
        component(kernel_sizes=(3, 3, 2, 1)).check(SHAPE, 256)
    UpsamplingDecoder(kernel_sizes=(3, 3, 2, 1)).check(SHAPE, 256)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    "network", [ConvEncoder, ResidualEncoder, ConvTransposeDecoder, UpsamplingDecoder, ResidualDecoder]
)
def test_every_weight_of_the_default_networks_learns(network, precision):
    """At the real size: what crashes or is wrong in a gradient depends on it."""
    images = np.random.default_rng(0).random((4, *SHAPE), np.float32)
    if network in (ConvEncoder, ResidualEncoder):
        model = build_encoder(network(), latent_dim=4, outputs=("z",), precision=precision)
        inputs, targets = images, np.ones((4, 4), np.float32)
    else:
        model = build_decoder(network(), latent_dim=4, precision=precision)
        inputs, targets = np.random.default_rng(1).normal(size=(4, 4)).astype(np.float32), images

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(inputs, training=True) - targets) ** 2)
        return tape.gradient(loss, model.trainable_weights)

    for weight, gradient in zip(model.trainable_weights, gradients(), strict=True):
        assert np.isfinite(gradient).all(), weight.path
        assert np.any(gradient), weight.path


def test_layers_that_leave_no_pixels_are_refused():
    with pytest.raises(SettingError, match=r"outputs would have \[3, 1, 0, 0\]"):
        ConvEncoder(padding="valid").check((8, 8, 3), 2)


def test_decoder_without_the_images_channels_is_refused():
    with pytest.raises(SettingError, match=r"\[128, 64, 32, 1\].*3 channels"):
        ConvTransposeDecoder(filters=(128, 64, 32, 1)).check(SHAPE, 256)


@pytest.mark.parametrize(
    ("activation", "negative"), [("leaky_relu", -0.3), ("relu", 0.0), ("elu", np.exp(-1) - 1), ("selu", -1.1113307)]
)
def test_activation_is_the_one_asked_for(activation, negative):
    model = build_encoder(shape=(16, 16, 3), latent_dim=2, layers=base_config(LayersConfig, activation=activation))
    layer = model.get_layer("conv_1_activation")
    np.testing.assert_allclose(layer(np.array([-1.0, 1.0], np.float32))[0], negative, rtol=1e-6)


def test_normalisation_and_dropout_are_there_only_when_asked_for():
    plain = build_encoder(shape=(16, 16, 3), latent_dim=2, layers=base_config(LayersConfig, batch_normalization=False))
    assert not any("normalization" in layer.name or "dropout" in layer.name for layer in plain.layers)
    full = build_encoder(
        shape=(16, 16, 3),
        latent_dim=2,
        layers=base_config(LayersConfig, batch_normalization_momentum=0.7, dropout=0.25),
    )
    assert [layer.momentum for layer in full.layers if "normalization" in layer.name] == [0.7] * 4
    assert [layer.rate for layer in full.layers if "dropout" in layer.name] == [0.25] * 4


def test_same_seed_same_weights_and_no_two_layers_alike():
    first, second, other = (build_encoder(shape=(16, 16, 3), latent_dim=4, seed=seed) for seed in (5, 5, 6))
    for a, b, c in zip(first.get_weights(), second.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.ndim == 1 or not np.array_equal(a, c)
    assert not np.array_equal(first.get_layer("mu").kernel, first.get_layer("logvar").kernel)


def test_seeded_weights_do_not_depend_on_the_global_seed():
    keras.utils.set_random_seed(1)
    first = build_decoder(shape=(16, 16, 3), latent_dim=4).get_weights()
    keras.utils.set_random_seed(2)
    for a, b in zip(first, build_decoder(shape=(16, 16, 3), latent_dim=4).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_latents_and_images_are_float32_in_mixed_precision(precision):
    encoder = build_encoder(shape=(16, 16, 3), latent_dim=4, precision=precision)
    decoder = build_decoder(shape=(16, 16, 3), latent_dim=4, precision=precision)
    assert encoder.get_layer("conv_1").compute_dtype == precision.removeprefix("mixed_")
    assert {output.dtype for output in (*encoder.outputs, *decoder.outputs)} == {"float32"}

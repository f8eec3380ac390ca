"""Images through encoders: what comes out of them is unpacked once."""

import numpy as np
import pytest
from small_models import save_small_model

from celeba_vae.models.inference import encode, encoder_outputs


@pytest.mark.parametrize("variant", ["vae", "ae"])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_outputs_are_mu_and_logvar_of_a_variational_encoder_and_z_alone_of_a_plain_one(tmp_path, variant, kind):
    import keras

    by_hand = save_small_model(tmp_path, variant)
    (path,) = (tmp_path / "data/06_models" / variant / "encoder.keras").glob("*/encoder.keras")
    encoder = keras.saving.load_model(path)
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), np.uint8)
    given = images if kind is np.uint8 else images.astype(np.float32) / 255

    mu, logvar = encoder_outputs(encoder, given)

    expected = by_hand.encode(images)
    np.testing.assert_allclose(mu, expected[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(encode(encoder, given), mu)
    if variant == "ae":
        assert logvar is None
    else:
        np.testing.assert_allclose(logvar, expected[1], rtol=1e-4, atol=1e-5)
    assert {each.dtype for each in (mu, logvar) if each is not None} == {np.dtype(np.float32)}

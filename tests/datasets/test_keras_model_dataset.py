"""Keras models in the catalog: what is saved comes back, versions stay apart, and nothing harmful or half is loaded."""

import keras
import numpy as np
import pytest
from kedro.io import DatasetError, Version

from celeba_vae.config import LayersConfig
from celeba_vae.datasets import KerasModelDataset
from celeba_vae.errors import DataError
from celeba_vae.models.decoders import ConvTransposeDecoder

FIRST, SECOND = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"


def decoder(seed):
    return ConvTransposeDecoder(filters=(4, 3), kernel_sizes=(3, 3), strides=(2, 2), start_filters=4).build(
        (8, 8, 3), 2, layers=LayersConfig(), precision="float32", seed=seed
    )


def root_cause(error):
    while error.__cause__ is not None and not isinstance(error, DataError):
        error = error.__cause__
    return error


def test_models_of_two_versions_come_back_as_they_were(tmp_path):
    path = str(tmp_path / "decoder.keras")
    models = {FIRST: decoder(1), SECOND: decoder(2)}
    for version, model in models.items():
        KerasModelDataset(filepath=path, version=Version(None, version)).save(model)
    latents = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    for version, model in models.items():
        loaded = KerasModelDataset(filepath=path, version=Version(version, None)).load()
        np.testing.assert_array_equal(loaded(latents), model(latents))
        assert {layer.dtype_policy.name for layer in loaded.layers} == {"float32"}
    newest = KerasModelDataset(filepath=path, version=Version(None, None)).load()
    np.testing.assert_array_equal(newest(latents), models[SECOND](latents))


def test_a_save_that_fails_leaves_nothing(tmp_path):
    class Unsaveable:
        def save(self, path):
            path.write_bytes(b"half")
            raise OSError("No space left on device")

    with pytest.raises(DatasetError, match="No space left"):
        KerasModelDataset(filepath=str(tmp_path / "model.keras")).save(Unsaveable())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a model", None])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, content):
    path = tmp_path / "model.keras"
    KerasModelDataset(filepath=str(path)).save(decoder(1))
    path.write_bytes(path.read_bytes()[:2000] if content is None else content)
    with pytest.raises((DataError, DatasetError)) as caught:
        KerasModelDataset(filepath=str(path)).load()
    message = str(root_cause(caught.value))
    assert str(path) in message
    assert "train it again" in message


def test_code_in_a_model_is_not_run(tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)]).save(path)
    with pytest.raises((DataError, DatasetError)) as caught:
        KerasModelDataset(filepath=str(path)).load()
    assert isinstance(root_cause(caught.value), DataError)

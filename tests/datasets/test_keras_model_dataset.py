"""Keras models in the catalog: what is saved comes back, versions stay apart, and nothing harmful or half is loaded."""

import importlib
import sys

import keras
import numpy as np
import pytest
from base_config import base_config
from kedro.io import DatasetError, Version

from celeba_vae.config import LayersConfig
from celeba_vae.datasets import KerasModelDataset
from celeba_vae.errors import DataError
from celeba_vae.models.decoders import ConvTransposeDecoder

FIRST, SECOND = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"


def decoder(seed):
    return ConvTransposeDecoder(filters=(4, 3), kernel_sizes=(3, 3), strides=(2, 2), start_filters=4).build(
        (8, 8, 3), 2, layers=base_config(LayersConfig), precision="float32", seed=seed
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


LAYER = """
import keras

@keras.saving.register_keras_serializable("odd_plugin")
class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """An installed package with an encoder and, in a module of its own, a layer; gives the package's folder."""
    folder = tmp_path / "site" / "odd_plugin"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "layers.py").write_text(LAYER)
    info = folder.parent / "odd_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[celeba_vae.encoders]\nodd = odd_plugin.encoders:Odd\n")
    monkeypatch.syspath_prepend(folder.parent)
    return folder


@pytest.fixture
def model_of_plugin(plugin, tmp_path, monkeypatch):
    """A saved model with the package's layer, which then is as unknown as in a new process; gives the file."""
    path = tmp_path / "model.keras"
    layer = importlib.import_module("odd_plugin.layers").Doubled()
    keras.Sequential([keras.Input((2,)), layer]).save(path)
    for module in ("odd_plugin", "odd_plugin.layers"):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(keras.saving.get_custom_objects(), "odd_plugin>Doubled")
    return path


def message_of_failed_load(path):
    with pytest.raises((DataError, DatasetError)) as caught:
        KerasModelDataset(filepath=str(path)).load()
    return str(root_cause(caught.value))


def test_layers_of_a_plugin_are_registered_before_loading(model_of_plugin):
    loaded = KerasModelDataset(filepath=str(model_of_plugin)).load()
    np.testing.assert_array_equal(loaded(np.float32([[1, 2]])), [[2, 4]])


def test_a_broken_plugin_is_named_and_prevents_only_what_needs_it(plugin, model_of_plugin, tmp_path):
    (plugin / "layers.py").write_text("import no_such_library")
    message = message_of_failed_load(model_of_plugin)
    for part in (str(model_of_plugin), "Doubled", "'odd_plugin.layers' can't be imported", "no_such_library"):
        assert part in message
    path = tmp_path / "decoder.keras"
    KerasModelDataset(filepath=str(path)).save(decoder(1))
    assert KerasModelDataset(filepath=str(path)).load().count_params() == decoder(1).count_params()


def test_a_module_of_no_plugin_is_not_imported(plugin, model_of_plugin):
    (plugin.parent / "odd_plugin-1.0.dist-info" / "entry_points.txt").unlink()
    message = message_of_failed_load(model_of_plugin)
    assert "Doubled of 'odd_plugin.layers'" in message
    assert "no package 'odd_plugin'" in message
    assert "odd_plugin" not in sys.modules

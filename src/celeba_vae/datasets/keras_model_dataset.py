"""Keras models as versioned ``.keras`` files."""

import importlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celeba_vae.config.plugins import registering_packages
from celeba_vae.datasets.stored_dataset import OptionalDataset, StoredDataset
from celeba_vae.errors import DataError
from celeba_vae.storage import readable, written
from celeba_vae.training.hardware import load_tensorflow_quietly


class KerasModelDataset(StoredDataset[Any, Any]):
    """A Keras model in a ``.keras`` file, loaded in safe mode with its custom layers registered.

    Those are the layers of this project and of the packages that register encoders or decoders as entry points: nothing
    is imported from any other package that a file names. Unlike Kedro's ``TensorFlowModelDataset`` this one imports
    TensorFlow when a model is loaded, and writes atomically.
    """

    def load(self) -> Any:
        """Load the model, not compiled; raises DataError where it is damaged, or has unknown layers or unsafe code."""
        load_tensorflow_quietly()
        import keras

        import celeba_vae.models.layers  # noqa: F401  registers the project's layers

        place = self._load_place()
        missing = ""
        try:
            with readable(place) as path:
                missing = _import_custom_layers(path)
                return keras.saving.load_model(path, compile=False, safe_mode=True)
        except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
            if missing:
                raise DataError(f"{place} can't be read: {missing}.") from error
            reason = str(error).strip().partition("\n")[0]
            raise DataError(
                f"{place} can't be read as a Keras model ({reason}). Choose another version with --load-versions,"
                " or train it again."
            ) from error

    def save(self, data: Any) -> None:
        """Save a model; it appears under its name only when it is complete."""
        with written(self._save_place()) as temporary:
            data.save(temporary)


class OptionalKerasModelDataset(OptionalDataset, KerasModelDataset):
    """A Keras model, or None where it has not been trained."""


def _import_custom_layers(path: Path) -> str:
    """Import the modules that register a model's custom layers; say which layers are not registered even so."""
    import keras

    packages = registering_packages("encoders") | registering_packages("decoders")
    problems = {}
    for entry in _custom_objects(path):
        module, package = entry["module"], entry["module"].partition(".")[0]
        problem = (
            f"no package '{package}' is installed that registers an encoder or decoder as an entry point"
            " (README.md, Plugins)"
        )
        if package in packages:
            try:
                importlib.import_module(module)
                problem = f"'{module}' does not register it with Keras"
            except Exception as error:  # whatever another's module may raise
                problem = f"'{module}' can't be imported: {error}"
        if keras.saving.get_registered_object(entry["registered_name"]) is None:
            problems[entry["class_name"]] = f"it needs the layer {entry['class_name']} of '{module}', but {problem}"
    return "; ".join(problems.values())


def _custom_objects(path: Path) -> list[Mapping[str, Any]]:
    """List the descriptions of what in a ``.keras`` file is not Keras' own."""
    found: list[Mapping[str, Any]] = []

    def collect(entry: dict[str, Any]) -> dict[str, Any]:
        named = all(isinstance(entry.get(key), str) for key in ("module", "class_name", "registered_name"))
        if named and entry["module"].partition(".")[0] not in ("keras", "builtins"):
            found.append(entry)
        return entry

    with zipfile.ZipFile(path) as archive:
        json.loads(archive.read("config.json"), object_hook=collect)
    return found

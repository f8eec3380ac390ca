"""Keras models as versioned ``.keras`` files."""

import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractVersionedDataset, Version

from celeba_vae.errors import DataError
from celeba_vae.files import written_atomically
from celeba_vae.hardware import load_tensorflow_quietly


class KerasModelDataset(AbstractVersionedDataset[Any, Any]):
    """A Keras model in a ``.keras`` file, loaded in safe mode with this project's layers registered.

    Kedro's own ``TensorFlowModelDataset`` imports TensorFlow as soon as it is named in a catalog and does not know
    custom layers; this one imports TensorFlow when a model is loaded or saved, and writes atomically.

    Example:
        >>> KerasModelDataset(filepath="data/06_models/vae/decoder.keras").load()  # doctest: +SKIP
    """

    def __init__(
        self, *, filepath: str, version: Version | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        super().__init__(filepath=PurePosixPath(filepath), version=version)
        self.metadata = metadata

    def load(self) -> Any:
        """Load the model, not compiled.

        Raises:
            DataError: the file is damaged, or holds code that safe mode refuses.
        """
        load_tensorflow_quietly()
        import keras

        import celeba_vae.models.layers  # noqa: F401  registers the project's layers

        path = Path(self._get_load_path())
        try:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
            reason = str(error).strip().partition("\n")[0]
            raise DataError(
                f"{path} can't be read as a Keras model ({reason}). Choose another version with --load-versions,"
                " or train it again."
            ) from error

    def save(self, data: Any) -> None:
        """Save a model; it appears under its name only when it is complete."""
        with written_atomically(Path(self._get_save_path())) as temporary:
            data.save(temporary)

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}

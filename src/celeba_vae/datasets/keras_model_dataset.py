"""Keras models as versioned ``.keras`` files."""

from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractVersionedDataset, Version

from celeba_vae.files import written_atomically


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
        """Load the model, not compiled."""
        import keras

        import celeba_vae.models.layers  # noqa: F401  registers the project's layers

        return keras.saving.load_model(str(self._get_load_path()), compile=False, safe_mode=True)

    def save(self, data: Any) -> None:
        """Save a model; it appears under its name only when it is complete."""
        with written_atomically(Path(self._get_save_path())) as temporary:
            data.save(temporary)

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}

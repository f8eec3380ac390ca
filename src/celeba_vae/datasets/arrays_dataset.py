"""A few named NumPy arrays as one ``.npz`` file."""

import numpy as np

from celeba_vae.datasets.stored_dataset import StoredDataset
from celeba_vae.storage import Arrays, load_arrays, readable, written


class ArraysDataset(StoredDataset[Arrays, dict[str, np.ndarray]]):
    """Named arrays in an ``.npz`` file, read as a whole; pickles are refused. There may be none.

    Example:
        >>> ArraysDataset(filepath="fitted_sampler.npz").load()["means"].shape  # doctest: +SKIP
        (10, 256)
    """

    def load(self) -> dict[str, np.ndarray]:
        """Read the arrays; raises as ``load_arrays`` does."""
        place = self._load_place()
        with readable(place) as path:
            return load_arrays(path, str(place))

    def save(self, data: Arrays) -> None:
        """Write the arrays."""
        with written(self._save_place()) as temporary:
            np.savez(temporary, allow_pickle=False, **data)

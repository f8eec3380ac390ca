"""Any folder of images, and where the folder is that a source names."""

from pathlib import Path

from pydantic import Field

from celeba_vae.config import Options
from celeba_vae.errors import DataError
from celeba_vae.preparation.originals import ImageCollection, collect_folder, holds_images
from celeba_vae.storage import Place, RemotePath, is_remote
from celeba_vae.storage.places import protocol_of


class FolderSource(Options):
    """Any folder of JPEG, PNG or WebP images, nested or not, of any size."""

    folder: str = Field(description="The folder with the images, below 01_raw, absolute or an address (s3://…)")

    def check(self, raw_folder: Place) -> None:
        """Raise DataError when the folder holds no image."""
        folder = source_folder(raw_folder, self.folder)
        if not holds_images(folder):
            raise DataError(
                f"No images in {folder}. Put JPEG, PNG or WebP files there, or name another folder:"
                " data_engineering.source.folder."
            )

    def collect(self, raw_folder: Place) -> ImageCollection:
        """Collect the images. Raises DataError when there are none."""
        self.check(raw_folder)
        return collect_folder(source_folder(raw_folder, self.folder))


def source_folder(raw_folder: Place, folder: str) -> Place:
    """Give the folder that a source names: below the folder of originals unless it says where.

    Raises DataError when it names an address that can't be reached.
    """
    if is_remote(folder):
        if isinstance(raw_folder, RemotePath) and raw_folder.protocol == protocol_of(folder):
            # with its credentials
            place = raw_folder.with_segments(folder)
        else:
            place = RemotePath(folder)
        place.check()
        return place
    # an absolute path is of this machine, wherever the folder of originals is
    return Path(folder) if Path(folder).is_absolute() else raw_folder / folder

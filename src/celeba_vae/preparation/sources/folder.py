"""Any folder of images."""

from pydantic import Field

from celeba_vae.errors import DataError
from celeba_vae.preparation.originals import ImageCollection, collect_folder, holds_images
from celeba_vae.preparation.sources.source_folder import Source, source_folder
from celeba_vae.storage import Place


class FolderSource(Source):
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

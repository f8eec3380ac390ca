"""CelebA as people have it: its images in a folder, an archive or parquet shards, and its lists, here or elsewhere."""

import logging
from collections import Counter
from dataclasses import replace

from pydantic import Field

from celeba_vae.config import Options
from celeba_vae.config.wording import printable
from celeba_vae.errors import DataError
from celeba_vae.preparation.list_files import ListFile
from celeba_vae.preparation.listing import suffix_of
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.preparation.sources.contents import LISTS, SPLIT_NAMES, UNLIKELY
from celeba_vae.preparation.sources.finding import Images, Search
from celeba_vae.preparation.sources.folder import source_folder
from celeba_vae.preparation.sources.shards import made_partition
from celeba_vae.preparation.sources.unread import first_of, seen
from celeba_vae.storage import Place

logger = logging.getLogger(__name__)

# of several places with images
_NAMED = 7
_NO_CELEBA = """\
No CelebA images in {folder}.{unread}
  Seen there: {seen}.
  Expected there: the folder img_align_celeba/ with 000001.jpg, 000002.jpg, ..., or img_align_celeba.zip, or Kaggle's
  archive.zip, or a dataset hub's parquet files; if you have them, list_eval_partition.txt and list_attr_celeba.txt.
  They come from the project page, mmlab.ie.cuhk.edu.hk/projects/CelebA.html, or from Kaggle's
  jessicali9530/celeba-dataset. Its terms allow non-commercial research only.
  Without it, `make demo` works now, on drawn faces."""


class CelebaSource(Options):
    """CelebA as it is downloaded: ``img_align_celeba/``, nested or not, its zip, Kaggle's archive, or parquet shards.

    Also its PNG edition, images right beside the lists, and images in train/, val/ and test/. Archives are read in
    place. The lists stand beside the images, in folders nearby, or in an archive.
    """

    folder: str = Field("celeba", description="The folder with CelebA, below 01_raw, absolute or an address (s3://…)")

    def check(self, raw_folder: Place) -> None:
        """Raise DataError when there are no images, more than one place with them, or what holds them is damaged.

        SettingError: they are in parquet shards, and pyarrow is not installed.
        """
        _best(Search(source_folder(raw_folder, self.folder))).check()

    def collect(self, raw_folder: Place) -> ImageCollection:
        """Collect the images with their lists. Raises as ``check`` does, and DataError when something can't be read."""
        return collect_celeba(source_folder(raw_folder, self.folder))


def collect_celeba(folder: Place) -> ImageCollection:
    """Collect the images of the one place in ``folder`` that holds CelebA's, with the lists that are there.

    Raises as ``CelebaSource.collect`` does.
    """
    search = Search(folder)
    images = _best(search)
    if not_read := search.not_read(images):
        logger.info("Not read in %s: %s.", folder, not_read)
    for path in search.unread_lists():
        logger.warning("%s is not read: save it as text or CSV, .txt or .csv.", folder / path)
    collection = images.collect()
    partition, attributes = map(search.lists.get, LISTS)
    passed_over = Counter(collection.passed_over)
    # lists that are read may lie among the images
    passed_over.subtract(suffix_of(at.name) for at in (partition, attributes) if at and _is_in(at, images.place))
    return replace(
        collection,
        partition=partition or collection.partition or _by_folders(collection, images.place),
        attributes=attributes or collection.attributes,
        passed_over=+passed_over,
    )


def _best(search: Search) -> Images:
    """Give the one place that most surely holds CelebA's images. Raises DataError when there is none, or another."""
    rank = min((images.rank for images in search.found), default=UNLIKELY)
    if rank == UNLIKELY:
        words = {"unread": first_of(search.unread()), "seen": seen(search.folder, search.contents)}
        raise DataError(_NO_CELEBA.format(folder=printable(str(search.folder)), **words))
    found = [images for images in search.found if images.rank == rank]
    if len(found) > 1:
        places = sorted(printable(str(images.place)) for images in found)
        more = f"\n  and {len(places) - _NAMED:,} more" if len(places) > _NAMED else ""
        listed = "".join(f"\n  {place}" for place in places[:_NAMED]) + more
        raise DataError(
            f"More than one folder or archive of CelebA images:{listed}\nKeep one of them, move the others away."
        )
    return found[0]


def _is_in(listing: ListFile, place: Place) -> bool:
    return listing.name.startswith(f"{place}/")


def _by_folders(collection: ImageCollection, place: Place) -> ListFile | None:
    """Make a partition file of the folders train/, val/ and test/ where all images lie in these."""
    splits = [SPLIT_NAMES.get(image_id.partition("/")[0].lower()) for image_id in collection.image_ids]
    inside = [split for split in splits if split is not None]
    if len(inside) == len(splits):
        return made_partition(f"the folders in {place}", collection.image_ids, inside)
    if inside:
        logger.warning(
            "%s of %s images in %s lie outside of train/, val/ and test/: these folders are not taken for splits.",
            f"{len(splits) - len(inside):,}",
            f"{len(splits):,}",
            place,
        )
    return None

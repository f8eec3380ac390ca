"""Looking for CelebA's images and lists in a folder and in the archives in it."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from celeba_vae.preparation.archives import ZipArchive, ZipDirectory, ZipMember
from celeba_vae.preparation.list_files import ListFile
from celeba_vae.preparation.originals import ImageCollection, ZipCollection, collect_folder
from celeba_vae.preparation.sources.contents import OTHER_EDITION, UNLIKELY, Contents, image_folders
from celeba_vae.preparation.sources.shards import collect_shards, open_shards, shard_folders
from celeba_vae.preparation.sources.unread import of_archive, of_files, of_images, of_lists, unread_files, unread_lists
from celeba_vae.storage import Place, RemotePath
from celeba_vae.storage.cache import use_cached

_NAMED = 6


class Images(NamedTuple):
    """Images that may be CelebA's.

    Args:
        place: What messages call them.
        rank: How sure that is, see ``ImageFolder``.
        collect: Collects them.
        check: Raises what can be told before.
    """

    place: Place
    rank: int
    collect: Callable[[], ImageCollection]
    check: Callable[[], object] = bool


class Search:
    """What lies in a folder: images that may be CelebA's (``found``), and CelebA's ``lists`` by their names.

    Raises DataError when an archive is damaged.
    """

    def __init__(self, folder: Place) -> None:
        self.folder = folder
        self.contents = Contents.of_folder(folder)
        folders = image_folders(self.contents, lists_are_beside=True)
        # what lies in a folder of images belongs to it
        own = tuple(f"{images.folder}/" for images in folders if images.rank < UNLIKELY and images.folder)
        self._zips = [_Zip(folder / path) for path in self.contents.with_suffix(".zip") if not path.startswith(own)]
        self._list_paths = self.contents.lists()
        self.lists = {name: ListFile.at(folder / path) for name, path in self._list_paths.items()}
        for archive in self._zips:
            self.lists = archive.lists() | self.lists
        self._unlikely = [images for images in folders if images.rank == UNLIKELY]
        self.found = [_in_folder(_below(folder, images.folder), images.rank) for images in folders]
        for below, shards in shard_folders(self.contents.with_suffix(".parquet")).items():
            self.found.append(_in_shards(folder, shards, _below(folder, below)))
        for archive in self._zips:
            self.found += archive.images()

    def not_read(self, chosen: Images) -> str:
        """Name what might be thought to be read, but is not: other images, archives, other forms of the lists."""
        others = [str(images.place) for images in self.found if images is not chosen]
        files = [path for path in unread_files(self.contents) if path not in self._list_paths.values()]
        names = [*others, *files]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        return ", ".join(names[:_NAMED]) + more

    def unread_lists(self) -> list[str]:
        """Name the lists that are there, but in a form that is not read."""
        return unread_lists(self.contents, self.lists)

    def unread(self) -> Iterator[str]:
        """Say of what is not read what to do with it, a sentence each, the most helpful first."""
        yield from of_archive(self.contents, self.folder)
        for archive in self._zips:
            yield from of_archive(archive.contents, self.folder, within=archive.place.name)
        yield from of_files(self.contents, self.folder)
        for images in self._unlikely:
            yield of_images(images, _below(self.folder, images.folder), self.folder)
        for archive in self._zips:
            for images in archive.folders:
                yield of_images(images, _below(archive.place, images.folder), self.folder)
        yield from of_lists(self.contents, self.folder)


class _Zip:
    """An archive in the folder, and what is in it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        if isinstance(place, RemotePath):
            self._archive = use_cached(place, partial(ZipArchive, name=str(place)))
        else:
            self._archive = ZipArchive(place)
        self._directory: ZipDirectory = self._archive.directory()
        self.contents = Contents.of_archive(place.stem, self._directory.names)
        self.folders = image_folders(self.contents)

    def images(self) -> Iterator[Images]:
        for folder, _, rank in self.folders:
            inside = f"{folder}/" if folder else ""
            collect = partial(ZipCollection.of, self._archive, self._directory, inside, below=True)
            yield Images(_below(self.place, folder), rank, collect)

    def lists(self) -> dict[str, ListFile]:
        return {name: self._list(path) for name, path in self.contents.lists().items()}

    def _list(self, path: str) -> ListFile:
        member = ZipMember(*self._directory.members[self._directory.names.index(path)].item())
        return ListFile(f"{self._archive.name}/{path}", partial(self._archive.open, path, member))


def _below(folder: Place, path: str) -> Place:
    return folder / path if path else folder


def _in_folder(place: Place, rank: int) -> Images:
    return Images(place, rank, lambda: collect_folder(place))


def _in_shards(folder: Place, shards: Sequence[str], place: Place) -> Images:
    return Images(
        place,
        OTHER_EDITION,
        lambda: collect_shards(open_shards(folder, shards), shards, place),
        lambda: open_shards(folder, shards),
    )

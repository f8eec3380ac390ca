"""CelebA as a dataset hub gives it out: parquet shards, some a split, with images and attributes in their columns."""

import bisect
import csv
import hashlib
import io
import logging
import re
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Self

import numpy as np

from celeba_vae.errors import DataError
from celeba_vae.preparation.list_files import ListFile
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.preparation.parquet import ParquetFiles
from celeba_vae.preparation.sources.contents import SPLIT_NAMES
from celeba_vae.storage import Place, RemotePath
from celeba_vae.storage.cache import use_cached

if TYPE_CHECKING:
    import pyarrow as pa

# train-00000-of-00019.parquet, train-00000-of-00003-92f813f497ecaae7.parquet, or 0000.parquet alone
_NUMBERED = re.compile(r"(?P<stem>.*?)(?P<number>\d+)-of-(?P<count>\d+)(-[0-9a-f]+)?|(?P<bare>\d{4,})", re.IGNORECASE)
_NAMED = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ParquetCollection(ImageCollection):
    """Images in the rows of parquet files, in the files' order: ``rows`` says where each is.

    Their names are those that the files give, where they do and each is another, else file and row.
    """

    files: ParquetFiles
    rows: np.ndarray

    def __post_init__(self) -> None:
        """Sort the names, by which a row is found."""
        order = np.argsort(np.array(self.image_ids, object), kind="stable").astype(np.int32)
        object.__setattr__(self, "_order", order)

    def read(self, image_id: str) -> bytes:
        """Give the bytes of an image."""
        return self.files.read(int(self.rows[self._position(image_id)]))

    def subset(self, image_ids: Sequence[str]) -> Self:
        """Give a collection of some of these images; the files are opened again where it arrives."""
        rows = self.rows[[self._position(image_id) for image_id in image_ids]]
        return replace(self, image_ids=image_ids, rows=rows, partition=None, attributes=None)

    def _position(self, image_id: str) -> int:
        order: np.ndarray = self._order  # type: ignore[attr-defined]
        return int(order[bisect.bisect_left(order, image_id, key=self.image_ids.__getitem__)])


def shard_folders(shards: Sequence[str]) -> dict[str, list[str]]:
    """Give the shards that belong together, in the order of their splits, by the folder that they lie in."""
    together: dict[str, list[str]] = defaultdict(list)
    for path in shards:
        parts = path.split("/")[:-1]
        while parts and _split_in(parts[-1]) is not None:
            parts.pop()
        together["/".join(parts)].append(path)
    return {folder: sorted(paths, key=lambda path: (_order_of(path), path)) for folder, paths in together.items()}


def _check_complete(shards: Sequence[str], place: Place) -> None:
    """Raise DataError when the names of shards say that there are others, which are not there."""
    series: dict[tuple[str, int | None], list[int]] = defaultdict(list)
    example: dict[tuple[str, int | None], re.Match] = {}
    for path in shards:
        folder, slash, name = path.rpartition("/")
        match = _NUMBERED.fullmatch(name[: -len(".parquet")])
        if match:
            count = None if match["bare"] else int(match["count"])
            key = f"{folder}{slash}{match['stem'] or ''}", count
            series[key].append(int(match["bare"] or match["number"]))
            example[key] = match
    for (stem, count), numbers in series.items():
        match = example[stem, count]
        missing = sorted(set(range(count or max(numbers) + 1)) - set(numbers))
        digits = len(match["bare"] or match["number"])
        end = f"-of-{match['count']}" if count else ""
        if missing:
            names = ", ".join(f"{stem}{number:0{digits}d}{end}.parquet" for number in missing[:_NAMED])
            more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
            remedy = f", or, to do without, take '{end}' out of the others' names" if end else ""
            raise DataError(
                f"Of {len(missing) + len(set(numbers)):,} shards in {place}, {len(missing):,}"
                f" {'is' if len(missing) == 1 else 'are'} missing: {names}{more}. Download what is missing{remedy}."
            )
        if len(numbers) > len(set(numbers)):
            twice = next(number for number in numbers if numbers.count(number) > 1)
            raise DataError(f"{place} holds the shard {stem}{twice:0{digits}d}{end} twice: remove the older ones.")


def open_shards(folder: Place, shards: Sequence[str]) -> ParquetFiles:
    """Open shards in a folder, local copies of those at an address.

    Raises DataError when their names say that there are others, which are not there, and as ``ParquetFiles`` does.
    """
    _check_complete(shards, folder)
    places = [folder / path for path in shards]
    files = [use_cached(place, lambda file: file) if isinstance(place, RemotePath) else place for place in places]
    return ParquetFiles(files, list(map(str, places)))


def collect_shards(files: ParquetFiles, shards: Sequence[str], place: Place) -> ParquetCollection:
    """Collect the images of shards, with the splits that their names say and the attributes that they hold."""
    image_ids = _names_in(files) or [
        f"{path[: -len('.parquet')]}/{row:06d}"
        for path, rows in zip(shards, files.rows_of_files(), strict=True)
        for row in range(len(rows))
    ]
    state = hashlib.blake2b(repr([*zip(shards, files.states(), strict=True)]).encode(), digest_size=8).hexdigest()
    collection = ParquetCollection(image_ids=image_ids, state=state, files=files, rows=np.arange(len(image_ids)))
    if files.unused:
        logger.info("Not used of the columns of the shards in %s: %s.", place, ", ".join(files.unused[:50]))
    splits = [_split_of(path) for path in shards]
    if None not in splits:
        codes = np.repeat(np.array(splits, int), [len(rows) for rows in files.rows_of_files()]).tolist()
        partition = made_partition(f"the names of the shards in {place}", image_ids, codes)
        collection = replace(collection, partition=partition)
    if files.attributes:
        attributes = ListFile(f"the columns of the shards in {place}", lambda: _attributes_of(collection))
        collection = replace(collection, attributes=attributes)
    return collection


def made_partition(name: str, image_ids: Sequence[str], splits: Sequence[int]) -> ListFile | None:
    """Make a partition file of what the names of folders or shards say, in memory while it is read.

    None: all are in one split, which divides nothing.
    """
    if len(set(splits)) < 2:
        logger.info("By %s all images are in one split: that does not divide them.", name)
        return None

    def opened() -> BinaryIO:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(zip(image_ids, splits, strict=True))
        return io.BytesIO(f"image_id,partition\n{text.getvalue()}".encode())

    return ListFile(name, opened)


def _names_in(files: ParquetFiles) -> list[str] | None:
    if files.columns.names is None:
        return None
    names: list[str] = []
    for table in files.tables([files.columns.names]):
        names += table.column(0).combine_chunks().flatten()[0].to_pylist()
    return names if all(names) and len(set(names)) == len(names) else None


def _attributes_of(collection: ParquetCollection) -> BinaryIO:
    """Write the columns of attributes as a list of CelebA's form into a file that nothing remains of."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow.csv import WriteOptions, write_csv

    files = collection.files
    opened = tempfile.TemporaryFile()  # noqa: SIM115  closed by who reads it
    opened.write(_csv_line(["image_id", *files.attributes]).encode())
    for rows, table in zip(files.rows_of_files(), files.tables(files.attributes), strict=True):
        names = pa.array(collection.image_ids[rows.start : rows.stop], pa.string())
        values = [_as_words(table.column(name)) for name in files.attributes]
        lines = pa.table([names, *values], ["image_id", *files.attributes])
        # where a name needs quotes pyarrow sets them around all
        has_texts = any(pa.types.is_string(column.type) for column in values)
        special = has_texts or pc.any(pc.match_substring_regex(names, r'[,"\s]')).as_py()
        style = "needed" if special else "none"
        write_csv(lines, opened, WriteOptions(include_header=False, quoting_style=style))
    opened.seek(0)
    return opened


def _as_words(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Give what a list says: 1 or -1 for yes or no, numbers and texts as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(column, 1, -1) if pa.types.is_boolean(column.type) else column.cast(pa.string())


def _csv_line(words: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(words)
    return text.getvalue()


def _order_of(path: str) -> int:
    split = _split_of(path)
    return len(SPLIT_NAMES) if split is None else split


def _split_of(path: str) -> int | None:
    return next((split for part in reversed(path.split("/")) if (split := _split_in(part)) is not None), None)


def _split_in(part: str) -> int | None:
    """Give the split that a folder's or a file's name says, such as "train-00000-of-00019" or "partial-train"."""
    words = re.split(r"[^a-z]+", part.lower())
    return next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), None)

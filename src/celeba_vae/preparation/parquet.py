"""Images in the rows of parquet files, as dataset hubs give them out, read a few hundred rows at a time.

The files need not fit into memory, nor a group of their rows: a group is read on from where it was read last.
"""

import itertools
import os
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from celeba_vae.errors import DataError, SettingError
from celeba_vae.preparation.decoding import BadImageError
from celeba_vae.preparation.list_columns import is_attribute

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

INSTALL_COMMAND = "pip install -c constraints.txt -e '.[parquet]'"
BATCH_ROWS = 256
BATCH_BYTES = 4 * 2**20
# a thread is at one, or at the border of two; what is kept longer costs new memory for what comes next
KEPT_BATCHES = 2 * (os.cpu_count() or 1) + 2
READERS = 4
_LFS_POINTER = b"version https://git-lfs"


class Columns(NamedTuple):
    """What the columns of a parquet file hold.

    Args:
        images: The path of the column with the bytes of the image files: "image.bytes" or "image".
        names: The path of the column with the files' names, where there is one.
        attributes: The columns that say of each image yes or no.
        maybe: Those with numbers or texts, which say that in some data sets, too.
    """

    images: str
    names: str | None
    attributes: tuple[str, ...]
    maybe: tuple[str, ...] = ()


class _Batches:
    """The batches of a group of rows, one after the other; ``position`` is that of the next."""

    def __init__(self, group: int, batches: Iterator["pa.Array"]) -> None:
        self.group = group
        self.position = 0
        self._batches = batches

    def __next__(self) -> "pa.Array":
        self.position += 1
        return next(self._batches)


class ParquetFiles:
    """Parquet files, their rows counted through, with an image in each; unpickled, they are opened again.

    ``names`` is what messages call them, by default their paths. Raises DataError when one is damaged or holds no
    images, or not what the first one holds; SettingError when pyarrow is missing.
    """

    def __init__(self, files: Sequence[Path], names: Sequence[str] = ()) -> None:
        self.files = tuple(Path(file).absolute() for file in files)
        self.names = tuple(names or map(str, files))
        rows, sizes, places = [], [], []
        for number, name in enumerate(self.names):
            with self._open(number) as file:
                columns = columns_of(file.schema_arrow, name)
                if number == 0:
                    self.columns = columns
                    with self._reading(number):
                        self.attributes = _attributes_in(file, columns)
                    used = {columns.images.partition(".")[0], *self.attributes}
                    self.unused = [name for name in file.schema_arrow.names if name not in used]
                elif columns != self.columns:
                    raise DataError(f"{name} has other columns than {self.names[0]}: they do not belong together.")
                for group in range(file.num_row_groups):
                    meta = file.metadata.row_group(group)
                    rows.append(meta.num_rows)
                    sizes.append(meta.total_byte_size)
                    places.append((number, group))
        self._places = places
        # the first row of each group, and how many there are
        self.starts = np.concatenate([[0], np.cumsum(rows, dtype=np.int64)]).tolist()
        self._batch_rows = int(np.clip(BATCH_BYTES * len(self) // max(1, sum(sizes)), 1, BATCH_ROWS))
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, int], pa.Array] = {}
        self._readers: list[_Batches] = []
        self._files: dict[int, pq.ParquetFile] = {}

    def __len__(self) -> int:
        return self.starts[-1]

    def __reduce__(self) -> tuple[Callable[..., "ParquetFiles"], tuple[Any, ...]]:
        return _opened_again, (self.files, self.names, self.states())

    def rows_of_files(self) -> list[range]:
        """Give the rows of each file."""
        ends = [0] * (len(self.files) + 1)
        for (number, _), end in zip(self._places, self.starts[1:], strict=True):
            ends[number + 1] = end
        ends = np.maximum.accumulate(ends).tolist()
        return [range(start, end) for start, end in itertools.pairwise(ends)]

    def states(self) -> tuple[tuple[int, int], ...]:
        """Give size and time of the last change of each file."""
        return tuple((status.st_size, status.st_mtime_ns) for status in (file.stat() for file in self.files))

    def read(self, row: int) -> bytes:
        """Give the bytes of a row's image; it may be called from many threads at once.

        Raises:
            BadImageError: the row holds none, or is damaged.
            OSError: the file can't be read any more.
        """
        group = bisect_right(self.starts, row) - 1
        batch, position = divmod(row - self.starts[group], self._batch_rows)
        array = self._kept.get((group, batch))
        if array is None:
            with self._lock:
                array = self._kept.get((group, batch))
                if array is None:
                    array = self._read_batch(group, batch)
        data = array[position].as_py()
        if data is None:
            raise BadImageError("damaged", "its row of the parquet file holds no image")
        return data

    def _read_batch(self, group: int, batch: int) -> "pa.Array":
        before = [reader for reader in self._readers if reader.group == group and reader.position <= batch]
        reader = max(before, key=lambda reader: reader.position, default=None)
        number, group_of_file = self._places[group]
        try:
            if reader is None:
                reader = _Batches(group, self._batches(number, group_of_file))
                self._readers = [*self._readers[1 - READERS :], reader]
            while reader.position <= batch:
                array = next(reader)
                self._keep((group, reader.position - 1), array)
        except (OSError, ValueError, RuntimeError, StopIteration) as error:
            self._readers = [other for other in self._readers if other is not reader]
            if isinstance(error, OSError) and error.errno:
                raise
            reason = " ".join(f"{self.names[number]} is damaged: {error}".split())
            raise BadImageError("damaged", reason[:200]) from error
        return array

    def _keep(self, key: tuple[int, int], array: "pa.Array") -> None:
        self._kept[key] = array
        if len(self._kept) > KEPT_BATCHES:
            del self._kept[next(iter(self._kept))]

    def _batches(self, number: int, group: int) -> Iterator["pa.Array"]:
        file = self._files.get(number)
        if file is None:
            # what a file says of all its groups takes longer to read than the images of one
            file = self._files[number] = self._open(number)
            if len(self._files) > READERS:
                del self._files[next(iter(self._files))]
        for batch in file.iter_batches(self._batch_rows, [group], [self.columns.images], use_threads=False):
            column = batch.column(0)
            yield column.flatten()[0] if "." in self.columns.images else column

    def tables(self, columns: Sequence[str]) -> Iterator["pa.Table"]:
        """Give these columns of each file. Raises DataError when they can't be read."""
        for number in range(len(self.files)):
            with self._open(number) as file, self._reading(number):
                table = file.read(list(columns), use_threads=False)
            yield table

    @contextmanager
    def _reading(self, number: int) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, RuntimeError) as error:
            raise DataError(_fault_of(self.files[number], self.names[number], error)) from error

    def _open(self, number: int) -> "pq.ParquetFile":
        parquet = _pyarrow_parquet(self.names[number])
        try:
            # mapped, and not fetched beforehand: of a large group only what is looked at is in memory
            return parquet.ParquetFile(self.files[number], memory_map=True, pre_buffer=False)
        except (OSError, ValueError, RuntimeError) as error:
            raise DataError(_fault_of(self.files[number], self.names[number], error)) from error


def columns_of(schema: "pa.Schema", name: str) -> Columns:
    """Find images, names and attributes in a file's columns, by their types. Raises DataError without images."""
    import pyarrow.types as types

    def is_bytes(kind: "pa.DataType") -> bool:
        return types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)

    images: dict[str, Columns] = {}
    attributes = tuple(field.name for field in schema if types.is_boolean(field.type))
    maybe = tuple(field.name for field in schema if any(test(field.type) for test in _words_or_numbers(types)))
    for field in schema:
        if is_bytes(field.type):
            images[field.name] = Columns(field.name, None, attributes, maybe)
        elif types.is_struct(field.type):
            kinds = {field.type.field(i).name: field.type.field(i).type for i in range(field.type.num_fields)}
            inner = next((inner for inner, kind in kinds.items() if is_bytes(kind)), None)
            if inner:
                names = f"{field.name}.path" if "path" in kinds else None
                images[field.name] = Columns(f"{field.name}.{inner}", names, attributes, maybe)
    chosen = next((images[wanted] for wanted in ("image", "img") if wanted in images), None)
    if chosen is None and len(images) == 1:
        (chosen,) = images.values()
    if chosen is None:
        what = f"more than one column of images ({', '.join(images)})" if images else "no column of images"
        raise DataError(
            f"{name} has {what}, where a column 'image' with the bytes of JPEG or PNG files is expected; its columns:"
            f" {', '.join(schema.names[:20])}{', ...' * (len(schema.names) > 20)}."
        )
    return chosen


def _words_or_numbers(types: Any) -> tuple[Callable[["pa.DataType"], bool], ...]:
    return types.is_integer, types.is_floating, types.is_string, types.is_large_string, types.is_dictionary


def _attributes_in(file: "pq.ParquetFile", columns: Columns) -> tuple[str, ...]:
    """Give the columns that say yes or no, of the others those whose first values are 1, 0 or -1, True or False."""
    if not columns.maybe or not file.metadata.num_rows:
        return columns.attributes
    first = next(file.iter_batches(BATCH_ROWS, columns=list(columns.maybe), use_threads=False)).to_pydict()
    found = {name for name, values in first.items() if is_attribute(name, [str(value) for value in values])}
    return tuple(name for name in file.schema_arrow.names if name in found or name in columns.attributes)


def _pyarrow_parquet(name: str) -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise SettingError(
            f"{name} is a parquet file, which needs pyarrow to be read ({error}): {INSTALL_COMMAND}"
        ) from error
    return pyarrow.parquet


def _fault_of(file: Path, name: str, error: Exception) -> str:
    try:
        with file.open("rb") as opened:
            start = opened.read(len(_LFS_POINTER))
    except OSError as reason:
        return f"{name} can't be read: {reason.strerror or reason}."
    if start == _LFS_POINTER:
        return f"{name} only says where the file is (a pointer of Git LFS): fetch it, with git lfs pull."
    told = " ".join(str(error).split())[:120]
    return f"{name} is damaged or was not downloaded to its end ({told}). Download it again."


@lru_cache(maxsize=4)
def _opened_again(files: tuple[Path, ...], names: tuple[str, ...], states: tuple[tuple[int, int], ...]) -> ParquetFiles:
    """Open files again, which must be of these sizes and times of the last change."""
    opened = ParquetFiles(files, names)
    for name, now, before in zip(names, opened.states(), states, strict=True):
        if now != before:
            raise DataError(f"{name} is not the file that it was: its size or the time of its last change differs.")
    return opened

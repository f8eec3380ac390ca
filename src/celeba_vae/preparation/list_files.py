"""Lists as files: what a file is, the encoding of its text, what stands between its cells; its rows.

Files called lists are often something else: a web page in place of a download, an archive, a spreadsheet. Each of these
is one message about the file.
"""

import codecs
import csv
import hashlib
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import BinaryIO, NamedTuple

from celeba_vae.errors import DataError
from celeba_vae.storage import Place

# of what is looked at to find out what a file is, and of its lines to find out what stands between cells
_HEAD_BYTES = 4096
_HEAD_LINES = 100
# a row that goes on over more lines than any name does was opened by a stray quote
_LINES_OF_A_ROW = 3
# the longest piece of a line that a message shows
_SHOWN = 80
_DELIMITERS = (",", ";", "\t", "|", " ")
_FILE_NAME = re.compile(r"[^\s.]\.[A-Za-z][A-Za-z0-9]{1,4}\s*$")
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    # before those of UTF-16, which one of them begins with
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_AGAIN = "download it again"
# how bytes that are no text begin
_BINARY = {
    rb"PK[\x03\x05]": ("a zip archive or a spreadsheet", "unpack it, or save the sheet as CSV"),
    rb"\x1f\x8b|7z\xbc\xaf|Rar!\x1a|BZh[1-9]1AY|\xfd7zXZ": ("an archive", "unpack it"),
    rb"\xd0\xcf\x11\xe0": ("an office document", "save it as CSV"),
    rb"%PDF": ("a PDF document", _AGAIN),
    rb"\xff\xd8\xff|\x89PNG|GIF8[79]a|RIFF.{4}WEBP|BM.{4}\0\0\0\0": ("an image", _AGAIN),
    rb"PAR1[\0-\x1f]": ("a parquet file", "save it as CSV"),
}
# how text that is no list begins
_TEXT = {
    r"<(!doctype|html|head|body|meta|script|!--)": ("a web page", _AGAIN),
    r"<": ("an XML document", _AGAIN),
    r'\{\s*"|\[\s*[\[{"]|\{\s*\}|\[\s*\]': ("JSON", "save it as CSV"),
    r"\{\\rtf": ("a rich text document", "save it as plain text"),
    r"version https://git-lfs": ("a pointer of Git LFS", "fetch the file itself (git lfs pull)"),
}


def _in_windows_letters(error: UnicodeError) -> tuple[str, int]:
    """Read what is not valid UTF-8 as Windows writes Western European text."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_WINDOWS_LETTERS = "celeba_vae.windows_letters"
codecs.register_error(_WINDOWS_LETTERS, _in_windows_letters)


class Row(NamedTuple):
    """A row of a list: the number of its line, its cells, and what stands between them there."""

    line: int
    cells: list[str]
    delimiter: str

    def __str__(self) -> str:
        return f"'{shortened(self.delimiter.join(self.cells))}'"


@dataclass(frozen=True)
class ListFile:
    """A text file, on disk, remote or in an archive; ``name`` is what messages call it."""

    name: str
    open_bytes: Callable[[], BinaryIO]

    @classmethod
    def at(cls, place: Place) -> "ListFile":
        """Give the list at a place."""
        return cls(str(place), lambda: place.open("rb"))

    @property
    def short_name(self) -> str:
        """The last part of its name."""
        return self.name.replace("\\", "/").rpartition("/")[2]

    def rows(self) -> Generator[Row, None, None]:
        """Give its rows, but for those without content; what stands between cells, and quotes, are found out.

        Raises:
            DataError: it can't be read, or is no list.
        """
        with self._reading(), self._text() as text:
            head = list(islice(text, _HEAD_LINES))
            delimiter = _delimiter([line[:_HEAD_BYTES] for line in head])
            lines: Iterator[str] = chain(head, text)
            if delimiter == " ":
                # without what would be a last cell, and with tabs among the spaces
                lines = (line.strip().replace("\t", " ") for line in lines)
            yield from self._parsed(lines, delimiter)

    @cached_property
    def state(self) -> str:
        """A hash of its bytes. Raises DataError when it can't be read."""
        state = hashlib.blake2b(digest_size=8)
        with self._reading(), self.open_bytes() as file:
            while part := file.read(2**20):
                state.update(part)
        return state.hexdigest()

    def _parsed(self, lines: Iterator[str], delimiter: str) -> Iterator[Row]:
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        line = 0
        try:
            for cells in reader:
                begin, line = line + 1, reader.line_num
                row = Row(begin, cells, delimiter)
                if line > begin and (line - begin >= _LINES_OF_A_ROW or _holds_lines(cells, delimiter)):
                    raise DataError(f"{self.name}: line {begin} opens a quote that is not closed: {row}. Repair it.")
                if cells and (cells[0].strip() or any(map(str.strip, cells))):
                    yield row
        except csv.Error as error:
            raise DataError(f"{self.name} can't be read from line {line + 1} on: {error}. Repair it.") from error

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise DataError(f"{self.name} can't be read: {error}.") from error

    @contextmanager
    def _text(self) -> Iterator[io.TextIOWrapper]:
        # a buffer that can be looked into, whatever is opened
        with io.BufferedReader(self.open_bytes()) as file:  # type: ignore[type-var]  # it need not be unbuffered
            head = file.peek(_HEAD_BYTES)[:_HEAD_BYTES]
            encoding = _encoding(head)
            self._refuse_other_files(head, encoding)
            errors = _WINDOWS_LETTERS if encoding.startswith("utf-8") else "replace"
            with io.TextIOWrapper(file, encoding, errors, newline="") as text:
                yield text

    def _refuse_other_files(self, head: bytes, encoding: str) -> None:
        for beginning, (what, remedy) in _BINARY.items():
            if re.match(beginning, head, re.DOTALL):
                self._fail(f"is {what}, not a list: {remedy}.")
        text = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
        for start, (what, remedy) in _TEXT.items():
            if re.match(start, text, re.IGNORECASE):
                first = text.splitlines()[0]
                self._fail(f"is {what}, not a list: {remedy}. It begins with '{shortened(first)}'.")
        if re.search(r"[\x00-\x08\x0e-\x19\x1b-\x1f]", text):
            self._fail(f"is no text, so not a list: {_AGAIN}.")

    def _fail(self, what: str) -> None:
        raise DataError(f"{self.name} {what}")


def looks_like_a_file(cell: str) -> bool:
    """Say whether a cell ends as files' names do."""
    return _FILE_NAME.search(cell) is not None


def shortened(text: str) -> str:
    """Give a text as messages show it: on one line, its beginning only where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _holds_lines(cells: Sequence[str], delimiter: str) -> bool:
    """Say whether a cell looks like lines of a list: what a stray quote makes of them."""
    return any(delimiter in cell and len(cell.splitlines()) > 1 for cell in cells)


def _encoding(head: bytes) -> str:
    for mark, name in _BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return name
    # UTF-16 without a mark: every other byte of Western text is zero
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[first::2].count(0) > len(head) / 4 and head[1 - first :: 2].count(0) < len(head) / 16:
            return name
    return "utf-8"


def _delimiter(lines: Sequence[str]) -> str:
    """Give what stands between cells: with it, most lines have a file's name in a cell, or else as many cells."""

    def score(delimiter: str) -> tuple[int, int]:
        rows = list(csv.reader(map(str.strip, lines), delimiter=delimiter, skipinitialspace=True))
        cut = [row for row in rows if len(row) > 1]
        widths = Counter(map(len, cut))
        return sum(any(map(looks_like_a_file, row)) for row in cut), max(widths.values(), default=0)

    return max(_DELIMITERS, key=score)

"""Which column of a list is which: the images' names by the images there are, splits and attributes by their words."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain, islice
from typing import NamedTuple

from celeba_vae.errors import DataError
from celeba_vae.preparation.list_files import ListFile, Row, looks_like_a_file, shortened
from celeba_vae.preparation.names import ImageNames

logger = logging.getLogger(__name__)

# the rows that a list's form is found out from
_SAMPLE = 1000
_WHOLE_NUMBER = re.compile(r"\+?(-?\d)(\.0*)?")
_TITLE_OF_NAMES = re.compile(r"((image|img|file|photo|picture|path)[\s_]*(id|name|path|file)?s?|ids?|names?)", re.I)
_TITLE_OF_SPLITS = re.compile(r".*(partition|split).*|set|subset|fold", re.I)
_TITLE_OF_ROWS = re.compile(r"|index|id|unnamed.*", re.I)


class Kind(NamedTuple):
    """What a list says of each image: by which words, as numbers; the number of all others; how to go on without it."""

    what: str
    words: Mapping[str, int]
    expected: str
    unknown: int
    remedy: str


# what 0 means depends on all lines: no where there is no -1
NO_OR_UNKNOWN = 2
SPLIT = Kind(
    "splits",
    {"0": 0, "1": 1, "2": 2, "train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "dev": 1}
    | {"test": 2, "testing": 2},
    "0, 1 or 2 (or train, validation or test)",
    -1,
    "Repair it, or set data_engineering.split.by to counts to do without it.",
)
ATTRIBUTES = Kind(
    "attributes",
    {"1": 1, "true": 1, "yes": 1, "-1": -1, "0": NO_OR_UNKNOWN, "false": NO_OR_UNKNOWN, "no": NO_OR_UNKNOWN},
    "1 or -1 (or 1 or 0, True or False)",
    0,
    "Repair it, or remove it to do without attributes.",
)


class Vocabulary(dict[str, int]):
    """The bytes, of an int8, that stand for words, however these are written: TRUE, 1.0. A KeyError for others."""

    def __init__(self, kind: Kind) -> None:
        super().__init__((word, number % 256) for word, number in kind.words.items())

    def __missing__(self, word: str) -> int:
        plain = word.strip().casefold()
        number = _WHOLE_NUMBER.fullmatch(plain)
        value = self.get(number[1] if number else plain)
        if value is None:
            raise KeyError(word)
        self[word] = value
        return value

    def knows(self, word: str) -> bool:
        """Whether a word is one of these."""
        try:
            return self[word] is not None
        except KeyError:
            return False


class Columns(NamedTuple):
    """How a list is to be read.

    Args:
        first: How many rows stand before those of images: a count, titles.
        width: How many cells a row has.
        name: Which of them is the image's name.
        values: Which of them are values.
        titles: What stands above these, empty where nothing does.
    """

    first: int
    width: int
    name: int
    values: list[int]
    titles: list[str]


class _Sample(NamedTuple):
    """The first rows of a list: those above the images', and these; the columns of those of the usual width."""

    above: list[Row]
    data: list[Row]
    columns: list[tuple[str, ...]]
    titles: list[str] | None


def rows_of(listing: ListFile, images: ImageNames) -> Generator[Row, None, None]:
    """Give a list's rows, names of images with spaces in one cell. Raises DataError as ``ListFile.rows`` does."""
    with closing(listing.rows()) as rows:
        if not images.have_spaces:
            yield from rows
        else:
            for row in rows:
                yield row._replace(cells=images.put_together(row.cells)) if row.delimiter == " " else row


def find_columns(listing: ListFile, images: ImageNames, kind: Kind) -> Columns:
    """Find out how a list is to be read. Raises DataError as ``ListFile.rows`` does, and where it can't be."""
    words = Vocabulary(kind)

    def refusal(what: str, *shown: Row) -> DataError:
        return DataError(f"{listing.name} {what}{', '.join(map(_shown, shown))}. {kind.remedy}")

    with closing(rows_of(listing, images)) as rows:
        head = list(islice(rows, _SAMPLE))
        if not head:
            raise refusal("is empty: download it again")
        sample = _sample_of(head, images, words)
        if not sample.data:
            raise refusal("has no line with an image: ", head[0])
        _, data, columns, titles = sample
        name = _column_of_names(chain([data], _chunks(rows)), len(columns), titles, images)
    if name is None:
        first = next(iter(images.exact), "")
        raise refusal(
            f"has no column with the names of the images, of which the first is '{shortened(first)}': ", data[0]
        )
    if titles is None and kind is ATTRIBUTES:
        what = "does not begin with a line of the attributes' names, one for each column: "
        raise refusal(what, *sample.above[:1], data[0])
    titles = titles or [""] * len(columns)
    values = (_columns_of_splits if kind is SPLIT else _columns_of_attributes)(columns, name, titles, words)
    if not values or (kind is SPLIT and len(values) > 1):
        which = "more than one column that may be" if values else "no column of"
        raise refusal(f"has {which} {kind.what}, {kind.expected}: ", data[0])
    chosen = [titles[column] for column in values]
    if len(set(chosen)) < len(chosen):
        raise refusal(f"names the attribute {Counter(chosen).most_common(1)[0][0]} twice: ", *sample.above[-1:])
    others = [title for column, title in enumerate(titles) if column not in {name, *values} and title]
    if others:
        logger.info("%s: passed over are its columns %s.", listing.name, ", ".join(others))
    return Columns(len(sample.above), len(columns), name, values, chosen)


def _sample_of(head: Sequence[Row], images: ImageNames, words: Vocabulary) -> _Sample:
    first = next((i for i, row in enumerate(head) if _is_of_an_image(row.cells, images, words)), len(head))
    above, data = list(head[:first]), list(head[first:])
    named = [row for row in data if _names_a_file(row.cells, images)]
    columns = _transposed(data, _most_frequent(len(row.cells) for row in named or data)) if data else []
    titles = next(filter(None, (_titles(row.cells, columns) for row in reversed(above))), None) if data else None
    return _Sample(above, data, columns, titles)


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    return iter(lambda: list(islice(rows, _SAMPLE)), [])


def _column_of_names(
    samples: Iterable[Sequence[Row]], width: int, titles: Sequence[str] | None, images: ImageNames
) -> int | None:
    """Give the column with names of images in the first sample that has any; of several the one whose title says so."""
    candidates = (_columns_of_names(_transposed(sample, width), images) for sample in samples)
    names = next(filter(None, candidates), [])
    if len(names) > 1:
        names = [column for column in names if titles and _TITLE_OF_NAMES.fullmatch(titles[column])]
    return names[0] if len(names) == 1 else None


def _columns_of_splits(
    columns: Sequence[Sequence[str]], name: int, titles: Sequence[str], words: Vocabulary
) -> list[int]:
    """Give the column whose title says so, else those with such words, behind the names rather than before."""
    others = [column for column in range(len(columns)) if column != name]
    titled = [column for column in others if _TITLE_OF_SPLITS.fullmatch(titles[column])]
    fitting = [column for column in others if _mostly(words.knows, columns[column])]
    found = titled or fitting
    if len(found) > 1:
        behind = {column for column in fitting if column > name}
        found = [column for column in found if column in behind] or found
    return found


def _columns_of_attributes(
    columns: Sequence[Sequence[str]], name: int, titles: Sequence[str], words: Vocabulary
) -> list[int]:
    """Give the columns with such words and a title that may be an attribute's."""
    return [
        column
        for column, title in enumerate(titles)
        if column != name and _may_be_an_attribute(title) and _mostly(words.knows, columns[column])
    ]


def is_attribute(title: str, cells: Sequence[str]) -> bool:
    """Whether a column of this title with these cells says of each image yes or no."""
    return _may_be_an_attribute(title) and _mostly(Vocabulary(ATTRIBUTES).knows, cells)


def _may_be_an_attribute(title: str) -> bool:
    return not _TITLE_OF_ROWS.fullmatch(title) and not _TITLE_OF_SPLITS.fullmatch(title)


def _columns_of_names(columns: Sequence[Sequence[str]], images: ImageNames) -> list[int]:
    """Give the column with the most images' names; else the one with names of files; else those alike to most images.

    A split, 0, may be alike to the image 0.jpg: so the different ones are counted.
    """
    same = [sum(cell in images.exact for cell in set(column)) for column in columns]
    if any(same):
        return [same.index(max(same))]
    for column, cells in enumerate(columns):
        if _mostly(looks_like_a_file, cells):
            return [column]
    alike = [images.distinct_matches(column) for column in columns]
    return [column for column, count in enumerate(alike) if count and count == max(alike)]


def _titles(cells: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str] | None:
    """Give a title for each column where a row can be that: a first or last column may have none."""
    titles = [cells[0].lstrip("# "), *cells[1:]]
    titles = titles if titles[0] or not cells[0] else titles[1:]
    while len(titles) > len(columns) and not titles[-1]:
        titles.pop()
    if len(titles) == len(columns) - 1:
        if not any(columns[-1]):
            titles.append("")
        elif not _TITLE_OF_NAMES.fullmatch(titles[0]) or _mostly(str.isdigit, columns[0]):
            titles.insert(0, "")
    return titles if len(titles) == len(columns) else None


def _is_of_an_image(cells: Sequence[str], images: ImageNames, words: Vocabulary) -> bool:
    known = sum(map(words.knows, cells))
    return _names_a_file(cells, images) or (known > 0 and len(cells) > 1 and 2 * known >= len(cells) - 1)


def _names_a_file(cells: Sequence[str], images: ImageNames) -> bool:
    return any(cell in images.exact or looks_like_a_file(cell) for cell in cells)


def _transposed(rows: Sequence[Row], width: int) -> list[tuple[str, ...]]:
    return list(zip(*(row.cells for row in rows if len(row.cells) == width), strict=True))


def _mostly(test: Callable[[str], bool], cells: Sequence[str]) -> bool:
    return 2 * sum(map(test, cells)) > len(cells)


def _most_frequent(numbers: Iterable[int]) -> int:
    """Give the number that comes most often, of several the largest."""
    counts = Counter(numbers)
    return max(counts, key=lambda number: (counts[number], number))


def _shown(row: Row) -> str:
    return f"line {row.line} is {row}"

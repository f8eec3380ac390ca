"""What a report is made of. All texts are plain: nothing in them is read as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL.Image import Image


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Args:
        text: What it says.
        note: A second, smaller line.
        best: Whether it is the best of its row; weight and a sign mark it.
        status: Makes its text a badge: something is as it should be (``good``), is not (``bad``), or is not decided
            (``open``).
    """

    text: str
    note: str = ""
    best: bool = False
    status: Literal["good", "bad", "open"] | None = None


@dataclass(frozen=True)
class Table:
    """A table, which scrolls in a box of its own where it is wider than the page.

    Args:
        title: Heading above it.
        columns: Headings of the columns; the first is that of the rows' headings and may be empty.
        rows: Rows of as many cells as there are columns, the first the row's heading; a row of a single cell is a
            heading of the rows that follow. A text stands for a cell that is only text.
        note: What else one must know to read it, below it.
        numbers: Whether all cells but the headings are numbers, which are set to the right.

    Raises:
        ValueError: a row has another number of cells.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    note: str = ""
    numbers: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) not in (1, len(self.columns)):
                raise ValueError(f"'{self.title}' has {len(self.columns)} columns, but a row of {len(row)} cells.")
        rows = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in self.rows]
        object.__setattr__(self, "rows", rows)


@dataclass(frozen=True)
class Picture:
    """A picture with what it shows.

    Args:
        image: A Pillow image; one with a resolution of its own, as a chart's file has, is shown that much smaller.
        alt: What is to be seen, for who can't see it.
        title: Heading above it, where it has none of its own.
        caption: What one should notice, below it.
    """

    image: Image
    alt: str
    title: str = ""
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a report that the table of contents names.

    Args:
        title: Its heading.
        text: Paragraphs.
        blocks: Pictures and tables in their order; narrow pictures stand side by side where there is room.
        folded: Whether the blocks show only once the reader opens them.
    """

    title: str
    text: Sequence[str] = ()
    blocks: Sequence[Picture | Table] = ()
    folded: bool = False


@dataclass(frozen=True)
class Problem:
    """Something that the report lacks: what and why, and the command that helps."""

    text: str
    command: str = ""


@dataclass(frozen=True)
class Report:
    """What a run came to.

    Args:
        title: Its name.
        subtitle: What it is about, in a line.
        problems: What is missing, shown on top.
        sections: Its parts.
    """

    title: str
    subtitle: str
    problems: Sequence[Problem] = ()
    sections: Sequence[Section] = ()

"""What a report is made of, and how it becomes a page. All texts are plain: nothing in them is read as HTML."""

import base64
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL.Image import Image

# CSS pixels an inch
CSS_RESOLUTION = 96
# the format's limit
LARGEST_WEBP = 16383


@dataclass(frozen=True)
class Cell:
    """A cell of a table, with a second, smaller line; a sign and weight mark the best of its row.

    A status makes its text a badge: something is as it should be (``good``), is not (``bad``), or is not decided
    (``open``).
    """

    text: str
    note: str = ""
    best: bool = False
    status: Literal["good", "bad", "open"] | None = None


@dataclass(frozen=True)
class Table:
    """A table between a title and a note; it scrolls in a box of its own where it is wider than the page.

    A row has as many cells as there are columns, the first its heading; a row of a single cell is a heading of those
    that follow. A text stands for a cell that is only text. ``numbers``, all but the headings, are set to the right.

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
    """A picture, and in words what is to be seen, for who can't see it.

    One that has a resolution of its own, as a chart's file has, is shown that much smaller.
    """

    image: Image
    alt: str


@dataclass(frozen=True)
class Section:
    """A part of a report that the table of contents names: paragraphs, then pictures and tables in their order.

    Narrow pictures stand side by side where there is room. What is folded shows only once the reader opens it.
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
    """What a run came to: what it is about, in a line, on top what is missing, and its parts."""

    title: str
    subtitle: str
    problems: Sequence[Problem] = ()
    sections: Sequence[Section] = ()


def render_report(report: Report) -> str:
    """Make a report one HTML page that needs nothing else: no network, no script, no other file.

    It is light or dark as the reader's system is, readable on a phone, and printable. Pictures are in it losslessly:
    what they show are often the artefacts that compression would hide or add.
    """
    environment = Environment(
        loader=PackageLoader("celeba_vae.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["picture"] = lambda block: isinstance(block, Picture)
    environment.filters["embedded"] = _embed
    anchors = _anchors(section.title for section in report.sections)
    return environment.get_template("report.html").render(report=report, anchors=anchors)


def _embed(image: Image) -> dict[str, str | int]:
    """Give a picture's data URI, and the size in CSS pixels at which it is sharp."""
    file = io.BytesIO()
    if max(image.size) > LARGEST_WEBP:
        kind = "png"
        image.save(file, format="PNG")
    else:
        kind = "webp"
        # a fifth to two thirds smaller than PNG, pixel by pixel the same; more effort gains little
        image.save(file, format="WEBP", lossless=True, method=1, quality=20)
    resolution = max(CSS_RESOLUTION, image.info.get("dpi", (0, 0))[0])
    width, height = (max(1, round(side * CSS_RESOLUTION / resolution)) for side in image.size)
    source = f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
    return {"source": source, "width": width, "height": height}


def _anchors(titles: Iterable[str]) -> list[str]:
    """Give each title a name that a link can point to, no two the same."""
    anchors: list[str] = []
    for title in titles:
        anchor = re.sub(r"\W+", "-", title.lower()).strip("-") or "section"
        anchors.append(anchor if anchor not in anchors else f"{anchor}-{len(anchors) + 1}")
    return anchors

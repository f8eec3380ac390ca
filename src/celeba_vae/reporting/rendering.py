"""Turns a report into one HTML page that needs nothing else: no network, no script, no other file."""

import base64
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from celeba_vae.reporting.document import Picture, Report

# CSS pixels an inch
CSS_RESOLUTION = 96
# the format's limit
LARGEST_WEBP = 16383


def render_report(report: Report) -> str:
    """Make a page of a report.

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


@dataclass(frozen=True)
class _Embedded:
    """A picture as the page holds it: a data URI, and the size in CSS pixels at which it is sharp."""

    source: str
    width: int
    height: int


def _embed(picture: Picture) -> _Embedded:
    image, file = picture.image, io.BytesIO()
    if max(image.size) > LARGEST_WEBP:
        kind = "png"
        image.save(file, format="PNG")
    else:
        kind = "webp"
        # a fifth to two thirds smaller than PNG, pixel by pixel the same; more effort gains little
        image.save(file, format="WEBP", lossless=True, method=1, quality=20)
    resolution = max(CSS_RESOLUTION, image.info.get("dpi", (0, 0))[0])
    width, height = (max(1, round(side * CSS_RESOLUTION / resolution)) for side in image.size)
    return _Embedded(f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}", width, height)


def _anchors(titles: Iterable[str]) -> list[str]:
    """Give each title a name that a link can point to, no two the same."""
    anchors: list[str] = []
    for title in titles:
        anchor = re.sub(r"\W+", "-", title.lower()).strip("-") or "section"
        anchors.append(anchor if anchor not in anchors else f"{anchor}-{len(anchors) + 1}")
    return anchors

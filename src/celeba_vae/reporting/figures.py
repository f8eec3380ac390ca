"""What all charts share: colours, and figures that a phone shows in full width, their letters still legible."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEST, OTHER, PRIOR, INK = "#2a6f97", "#b9c9d4", "#d1495b", "#222222"
TEXT_SIZE = 12


def panels(title: str, count: int, height: float) -> tuple[Figure, list[Axes]]:
    """Make a figure, ``height`` inches high, of panels below one another that share their horizontal axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, height), layout="constrained")
    figure.suptitle(title, fontsize=14, color=INK)
    found = list(figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0])
    for axes in found:
        axes.tick_params(labelsize=TEXT_SIZE, colors=INK)
        axes.xaxis.label.set(size=TEXT_SIZE, color=INK)
        axes.yaxis.label.set(size=TEXT_SIZE, color=INK)
        axes.spines[["top", "right"]].set_visible(False)
    return figure, found


def panel(title: str, height: float = 4.6) -> tuple[Figure, Axes]:
    """Make a figure of a single panel."""
    figure, (axes,) = panels(title, 1, height)
    return figure, axes


def legend_above(axes: Axes) -> None:
    """Draw the legend where it hides nothing."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=TEXT_SIZE, frameon=False, columnspacing=1)


def text_figure(text: str) -> Figure:
    """Draw a text where there is nothing to draw."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 2))
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=TEXT_SIZE, color=INK, wrap=True)
    return figure

"""Measures and losses as pictures, and what all charts share."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from celeba_vae.config.wording import title_of
from celeba_vae.metrics.measures import Measure, Measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEST, OTHER, PRIOR, INK = "#2a6f97", "#b9c9d4", "#d1495b", "#222222"
TEXT_SIZE = 12
_COLUMNS = 3


def measures_chart(metrics: Mapping[str, Measured], measures: Sequence[Measure]) -> Figure:
    """Draw one panel a measure with a bar a variant, the best bar dark; a missing value has no bar.

    Args:
        metrics: From a variant's name to its measures.
        measures: What is drawn, in this order, as far as any variant has it.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    drawn = [measure for measure in measures if any(measure.name in values for values in metrics.values())]
    rows = -(-len(drawn) // _COLUMNS)
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15)
    figure = Figure(figsize=(3.3 * _COLUMNS, rows * (1.1 + 0.42 * len(metrics))), layout=layout)
    figure.suptitle("Reconstruction of the test images, the best model dark", fontsize=14)
    for axes in figure.subplots(rows, _COLUMNS).flat:
        axes.set_axis_off()
    for axes, measure in zip(figure.axes, drawn, strict=False):
        _draw_panel(axes, measure, {variant: values.get(measure.name) for variant, values in metrics.items()})
    return figure


def loss_chart(history: pd.DataFrame, variant: str) -> Figure:
    """Draw each loss over the epochs, a panel each with both training and validation images.

    Args:
        history: A row an epoch, as training saves it.
        variant: The variant's name.
    """
    from matplotlib.ticker import MaxNLocator

    losses = [name for name in ("total_loss", "reconstruction_loss", "kl_loss") if name in history]
    title = f"{title_of(variant)}: losses per image, by epoch"
    figure, found = panels(title, len(losses), height=1 + 2.9 * len(losses))
    for axes, name in zip(found, losses, strict=True):
        for column, label in ((name, "training"), (f"validation_{name}", "validation")):
            if column in history:
                axes.plot(history["epoch"], history[column], marker="o", markersize=3, label=label)
        axes.set_title(name.replace("_", " "), fontsize=TEXT_SIZE, color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=TEXT_SIZE)
    found[-1].set_xlabel("epoch")
    return figure


def _draw_panel(axes: Axes, measure: Measure, values: Measured) -> None:
    best = measure.best(values.values())
    longest = max([0, *(value for value in values.values() if value is not None)]) or 1
    reading = textwrap.wrap(f"{measure.better} is better" if measure.better else measure.note, 46)
    axes.set_title(measure.heading + "\n" * max(1, len(reading)), fontsize=12, loc="left")
    axes.text(0, 1.03, "\n".join(reading), transform=axes.transAxes, fontsize=9, color="#666666")
    axes.set_xlim(0, 1.45 * longest)
    axes.set_ylim(len(values) - 0.4, -0.6)
    for row, (variant, value) in enumerate(values.items()):
        length = max(value or 0, 0)
        axes.barh(row, length, height=0.8, color=OTHER if best is None or value != best else BEST)
        axes.text(length + 0.03 * longest, row, f"{variant.upper()}  {measure.text(value)}", va="center", fontsize=11)


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

"""Measures, losses, and what distance and sharpening make of generated images, as pictures; what all charts share."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from celeba_vae.claims.comparisons import Rows
from celeba_vae.claims.sweep_claims import artefacts, fallen_quality
from celeba_vae.config.wording import title_of
from celeba_vae.metrics.measures import Measure, Measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEST, OTHER, PRIOR, INK = "#2a6f97", "#b9c9d4", "#d1495b", "#222222"
TEXT_SIZE = 12
_COLUMNS = 3


def measures_chart(metrics: Mapping[str, Measured], measures: Sequence[Measure]) -> Figure:
    """Draw each measure that any variant has, a panel each with a bar a variant, the best bar dark.

    ``metrics`` has each variant's measures by its name; a missing value has no bar.
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
        _draw_bars(axes, measure, {variant: values.get(measure.name) for variant, values in metrics.items()})
    return figure


def loss_chart(history: pd.DataFrame, variant: str) -> Figure:
    """Draw each loss over the epochs, as training saves them: a panel each with both training and validation images."""
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


def distance_chart(rows: Rows, model: str) -> Figure:
    """Draw how generated images change with their distance from the origin; a missing value leaves a gap.

    Of the rows ``distance`` of ``sweep``: variance at the border and in the centre, beside that of real images, and the
    SWD; shaded where quality has fallen, by the criterion of ``sweep_claims``.
    """
    figure, (variance, swd) = panels(f"{model}: faces farther and farther from the origin", 2, height=6.4)
    rows = sorted(rows, key=lambda row: row["limit"] or 0)
    limits = _column(rows, "limit")
    distances = _column(rows, "distance")
    variance.plot(limits, _column(rows, "variance_border"), "o-", color=BEST, label="border (background)")
    variance.plot(limits, _column(rows, "variance_centre"), "s-", color=INK, label="centre (face)")
    swd.plot(limits, _column(rows, "swd"), "o-", color=BEST)
    _shade((variance, swd), [row["limit"] for row in fallen_quality(rows)], "quality has fallen")
    _finish(variance, "variance", swd)
    known = (limits > 0) & np.isfinite(distances)
    ratio = f"; distance: {np.median(distances[known] / limits[known]):.1f} times that" if known.any() else ""
    swd.set_xlabel(f"limit, the largest coordinate{ratio}")
    return figure


def sharpening_chart(rows: Rows, model: str) -> Figure:
    """Draw how sharpening changes generated images; a missing value leaves a gap.

    Of the rows ``sharpening`` of ``sweep``: sharpness beside that of real images, the SWD, and the share of values at 0
    or 255; shaded where artefacts show, by the criterion of ``sweep_claims``.
    """
    figure, (sharpness, swd, clipped) = panels(f"{model}: the same faces, sharpened", 3, height=7.6)
    rows = sorted(rows, key=lambda row: row["factor"] or 0)
    factors = _column(rows, "factor")
    shares = _column(rows, "clipped")
    sharpness.plot(factors, _column(rows, "sharpness"), "o-", color=BEST, label="sharpened faces")
    swd.plot(factors, _column(rows, "swd"), "o-", color=BEST)
    clipped.plot(factors, shares, "o-", color=BEST)
    _shade((sharpness, swd, clipped), [row["factor"] for row in artefacts(rows)], "artefacts")
    _finish(sharpness, "sharpness", swd)
    clipped.yaxis.set_major_formatter("{x:.1%}")
    clipped.set(ylim=(0, max(0.01, 1.1 * np.nanmax([0, *shares]))), ylabel="black or white")
    clipped.set_xlabel("factor of sharpness; 0 smooths, 1 changes nothing")
    return figure


def panels(title: str, count: int = 1, height: float = 4.6) -> tuple[Figure, list[Axes]]:
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


def legend_above(axes: Axes) -> None:
    """Draw the legend where it hides nothing."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=TEXT_SIZE, frameon=False, columnspacing=1)


def _draw_bars(axes: Axes, measure: Measure, values: Measured) -> None:
    best = measure.best(values.values())
    longest = max([0, *(value for value in values.values() if value is not None)]) or 1
    reading = textwrap.wrap(f"{measure.better} is better" if measure.better else measure.note, 46)
    axes.set_title(measure.heading + "\n" * max(1, len(reading)), fontsize=12, loc="left")
    axes.text(0, 1.03, "\n".join(reading), transform=axes.transAxes, fontsize=9, color="#666666")
    axes.set(xlim=(0, 1.45 * longest), ylim=(len(values) - 0.4, -0.6))
    for row, (variant, value) in enumerate(values.items()):
        length = max(value or 0, 0)
        axes.barh(row, length, height=0.8, color=OTHER if best is None or value != best else BEST)
        axes.text(length + 0.03 * longest, row, f"{variant.upper()}  {measure.text(value)}", va="center", fontsize=11)


def _shade(panels: Sequence[Axes], steps: Sequence[float], label: str) -> None:
    for axes in panels:
        axes.margins(x=0.03)
        if steps:
            _, right = axes.get_xlim()
            axes.axvspan(steps[0], right, color=PRIOR, alpha=0.12, lw=0, label=label)
            axes.set_xlim(right=right)


def _finish(shares: Axes, name: str, swd: Axes) -> None:
    shares.axhline(1, color=PRIOR, lw=1.5, ls="--", label="real images")
    shares.yaxis.set_major_formatter("{x:.0%}")
    shares.set(ylim=(0, None), ylabel=name)
    legend_above(shares)
    swd.set(ylim=(0, 1.1 * swd.get_ylim()[1]), ylabel="SWD, lower is better")


def _column(rows: Rows, name: str) -> np.ndarray:
    return np.array([row.get(name) for row in rows], np.float64)

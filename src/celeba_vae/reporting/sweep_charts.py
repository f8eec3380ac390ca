"""What the distance from the origin, and sharpening, make of generated images, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from celeba_vae.claims.comparisons import Rows
from celeba_vae.claims.sweep_claims import artefacts, fallen_quality
from celeba_vae.reporting.charts import BEST, INK, PRIOR, legend_above, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def distance_chart(rows: Rows, model: str) -> Figure:
    """Draw how generated images change with their distance from the origin; a missing value leaves a gap.

    Variance at the border and in the centre, beside that of real images, and the SWD; shaded where quality has fallen,
    by the criterion of ``sweep_claims``.

    Args:
        rows: ``distance`` of ``metrics.sweeps.sweep``.
        model: The model's name, for the title.
    """
    figure, (variance, swd) = panels(f"{model}: faces farther and farther from the origin", 2, height=6.4)
    limits, rows = _ordered(rows, "limit")
    variance.plot(limits, _column(rows, "variance_border"), "o-", color=BEST, label="border (background)")
    variance.plot(limits, _column(rows, "variance_centre"), "s-", color=INK, label="centre (face)")
    swd.plot(limits, _column(rows, "swd"), "o-", color=BEST)
    _shade((variance, swd), [row["limit"] for row in fallen_quality(rows)], "quality has fallen")
    _finish_shares(variance, "variance")
    _finish_swd(swd)
    distances = _column(rows, "distance")
    known = (limits > 0) & np.isfinite(distances)
    ratio = f"; distance: {np.median(distances[known] / limits[known]):.1f} times that" if known.any() else ""
    swd.set_xlabel(f"limit, the largest coordinate{ratio}")
    return figure


def sharpening_chart(rows: Rows, model: str) -> Figure:
    """Draw how sharpening changes generated images; a missing value leaves a gap.

    Sharpness beside that of real images, the SWD, and the share of values at 0 or 255; shaded where artefacts show, by
    the criterion of ``sweep_claims``.

    Args:
        rows: ``sharpening`` of ``metrics.sweeps.sweep``.
        model: The model's name, for the title.
    """
    figure, (sharpness, swd, clipped) = panels(f"{model}: the same faces, sharpened", 3, height=7.6)
    factors, rows = _ordered(rows, "factor")
    sharpness.plot(factors, _column(rows, "sharpness"), "o-", color=BEST, label="sharpened faces")
    swd.plot(factors, _column(rows, "swd"), "o-", color=BEST)
    clipped.plot(factors, _column(rows, "clipped"), "o-", color=BEST)
    _shade((sharpness, swd, clipped), [row["factor"] for row in artefacts(rows)], "artefacts")
    _finish_shares(sharpness, "sharpness")
    _finish_swd(swd)
    clipped.yaxis.set_major_formatter("{x:.1%}")
    clipped.set_ylim(0, max(0.01, 1.1 * np.nanmax([0, *_column(rows, "clipped")])))
    clipped.set_ylabel("black or white")
    clipped.set_xlabel("factor of sharpness; 0 smooths, 1 changes nothing")
    return figure


def _shade(panels: Sequence[Axes], steps: Sequence[float], label: str) -> None:
    for axes in panels:
        axes.margins(x=0.03)
        if steps:
            _, right = axes.get_xlim()
            axes.axvspan(steps[0], right, color=PRIOR, alpha=0.12, lw=0, label=label)
            axes.set_xlim(right=right)


def _finish_shares(axes: Axes, name: str) -> None:
    axes.axhline(1, color=PRIOR, lw=1.5, ls="--", label="real images")
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.set_ylim(0)
    axes.set_ylabel(name)
    legend_above(axes)


def _finish_swd(axes: Axes) -> None:
    axes.set_ylim(0, 1.1 * axes.get_ylim()[1])
    axes.set_ylabel("SWD, lower is better")


def _ordered(rows: Rows, step: str) -> tuple[np.ndarray, Rows]:
    ordered = sorted(rows, key=lambda row: row[step] or 0)
    return _column(ordered, step), ordered


def _column(rows: Rows, name: str) -> np.ndarray:
    return np.array([row.get(name) for row in rows], np.float64)

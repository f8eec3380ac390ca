"""Measures, latent spaces and sweeps as pictures."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from celeba_vae.claims.sweep_claims import artefacts, fallen_quality
from celeba_vae.metrics.latent_space import LatentSpace, prior_density
from celeba_vae.metrics.measures import Measure

_COLUMNS = 3
_BEST, _OTHER, _PRIOR, _INK = "#2a6f97", "#b9c9d4", "#d1495b", "#222222"
_TEXT = 12


def measures_chart(metrics: Mapping[str, Mapping[str, float | None]], measures: Sequence[Measure]) -> Any:
    """Draw one panel a measure with a bar a variant, the best bar dark; a missing value has no bar.

    Args:
        metrics: From a variant's name to its measures.
        measures: What is drawn, in this order, as far as any variant has it.

    Returns:
        A matplotlib Figure.
    """
    from matplotlib.figure import Figure

    drawn = [measure for measure in measures if any(measure.name in values for values in metrics.values())]
    rows = -(-len(drawn) // _COLUMNS)
    figure = Figure(figsize=(3.3 * _COLUMNS, rows * (1.1 + 0.42 * len(metrics))), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.15, h_pad=0.15)
    figure.suptitle("Reconstruction of the test images, the best model dark", fontsize=14)
    for axes in figure.subplots(rows, _COLUMNS).flat:
        axes.set_axis_off()
    for axes, measure in zip(figure.axes, drawn, strict=False):
        _draw_panel(axes, measure, {variant: values.get(measure.name) for variant, values in metrics.items()})
    return figure


def _draw_panel(axes: Any, measure: Measure, values: Mapping[str, float | None]) -> None:
    best = measure.best(values.values())
    longest = max([0, *(value for value in values.values() if value is not None)]) or 1
    reading = textwrap.wrap(_reading(measure), 46)
    axes.set_title(measure.heading + "\n" * max(1, len(reading)), fontsize=12, loc="left")
    axes.text(0, 1.03, "\n".join(reading), transform=axes.transAxes, fontsize=9, color="#666666")
    axes.set_xlim(0, 1.45 * longest)
    axes.set_ylim(len(values) - 0.4, -0.6)
    for row, (variant, value) in enumerate(values.items()):
        length = max(value or 0, 0)
        axes.barh(row, length, height=0.8, color=_OTHER if best is None or value != best else _BEST)
        axes.text(length + 0.03 * longest, row, f"{variant.upper()}  {measure.text(value)}", va="center", fontsize=11)


def _reading(measure: Measure) -> str:
    return f"{measure.better} is better" if measure.better else measure.note


def loss_chart(history: pd.DataFrame, variant: str) -> Any:
    """Draw each loss over the epochs, a panel each with both training and validation images.

    Args:
        history: A row an epoch, as training saves it.
        variant: The name for the title.

    Returns:
        A matplotlib Figure.
    """
    from matplotlib.ticker import MaxNLocator

    losses = [name for name in ("total_loss", "reconstruction_loss", "kl_loss") if name in history]
    figure, panels = _panels(f"{variant}: losses per image, by epoch", len(losses), 1 + 2.9 * len(losses))
    for axes, name in zip(panels, losses, strict=True):
        for column, label in ((name, "training"), (f"validation_{name}", "validation")):
            if column in history:
                axes.plot(history["epoch"], history[column], marker="o", markersize=3, label=label)
        axes.set_title(name.replace("_", " "), fontsize=_TEXT, color=_INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=_TEXT)
    panels[-1].set_xlabel("epoch")
    return figure


def text_chart(text: str) -> Any:
    """Draw a text where there is nothing to draw."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 2))
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=_TEXT, color=_INK, wrap=True)
    return figure


# -------------------------------------------------------------------------------------------------------- latent space


def latent_distances_chart(space: LatentSpace, model: str) -> Any:
    """Draw how far the images' latents lie from the origin, beside the chi distribution that N(0, I) implies.

    All are drawn to the same height: where a model's latents spread wide, the prior's shell would dwarf them.

    Args:
        space: The latents of a model.
        model: Its name, for the title.

    Returns:
        A matplotlib Figure.
    """
    figure, axes = _chart(f"{model}: distance of the latents from the origin")
    drawn = {_mu(space): space.mu_distances}
    if space.z_distances is not None:
        drawn["z, drawn from N(mu, σ²)"] = space.z_distances
    for (name, distances), colour in zip(drawn.items(), (_OTHER, _BEST), strict=False):
        counts, edges = np.histogram(distances, _bins(distances))
        axes.stairs(
            counts / counts.max(),
            edges,
            fill=True,
            color=colour,
            alpha=0.8,
            label=f"{name}: {distances.mean():.1f} ± {distances.std():.1f}",
        )
    mean, deviation = space.measured["prior_distance"], space.measured["prior_distance_deviation"]
    around = np.linspace(max(mean - 5 * deviation, 0), mean + 5 * deviation, 500)
    density = prior_density(around, space.latent_dim)
    axes.plot(around, density / density.max(), color=_PRIOR, lw=2.5, label=f"N(0, I): {mean:.1f} ± {deviation:.1f}")
    axes.set_xlim(0)
    axes.set_ylim(0)
    axes.set_yticks([])
    axes.set_xlabel(f"L2 distance in {space.latent_dim} dimensions")
    axes.set_ylabel("frequency, largest = 1")
    _legend_above(axes)
    return figure


def latent_kl_chart(space: LatentSpace, model: str) -> Any:
    """Draw the KL of each latent dimension, the largest first; a dimension with none carries nothing.

    Raises:
        ValueError: a plain autoencoder's latents have no KL.
    """
    if space.kl is None:
        raise ValueError(f"{model} is no variational autoencoder: its latents have no KL.")
    figure, axes = _chart(f"{model}: KL of each latent dimension")
    ordered = np.sort(space.kl)[::-1]
    rank = np.arange(1, len(ordered) + 1)
    axes.fill_between(rank, ordered, step="mid", color=_BEST)
    axes.text(
        0.97,
        0.93,
        f"{ordered.sum():.1f} nats an image\n{space.measured['active_units']:.0f} of {len(ordered)} units active",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=_TEXT,
    )
    axes.set_xlim(0.5, len(ordered) + 0.5)
    axes.set_ylim(0)
    axes.set_xlabel("dimension, the one with the largest KL first")
    axes.set_ylabel("KL in nats")
    return figure


def latent_moments_chart(space: LatentSpace, model: str) -> Any:
    """Draw mean and standard deviation of the latents in each dimension, the one with the largest deviation first."""
    figure, axes = _chart(f"{model}: mean and spread of each latent dimension")
    order = np.argsort(-space.deviation, kind="stable")
    rank = np.arange(1, len(order) + 1)
    axes.fill_between(
        rank, space.deviation[order], step="mid", color=_OTHER, label=f"standard deviation of {_mu(space)}"
    )
    axes.scatter(rank, space.mean[order], s=14, color=_BEST, label=f"mean of {_mu(space)}", zorder=3)
    axes.axhline(1, color=_PRIOR, lw=1.5, ls="--", label="deviation of N(0, I)")
    axes.axhline(0, color=_INK, lw=0.8)
    axes.set_xlim(0.5, len(order) + 0.5)
    axes.set_xlabel("dimension, the one with the largest deviation first")
    _legend_above(axes)
    return figure


def latent_projection_chart(space: LatentSpace, model: str, attribute: np.ndarray | None = None, name: str = "") -> Any:
    """Draw mu of a sample of images along the two directions of largest variance, coloured by an attribute.

    Args:
        space: The latents of a model; of a single dimension, all lie on a line.
        model: Its name, for the title.
        attribute: (count,) the attribute of each image that was gathered, 1 or -1, else unknown; None: one colour.
        name: The attribute's name.

    Returns:
        A matplotlib Figure.
    """
    figure, axes = _chart(f"{model}: latents along their two main directions", height=6.4)
    groups = [(np.ones(len(space.projection), bool), _BEST, f"{len(space.projection):,} images")]
    if attribute is not None:
        shown = np.asarray(attribute)[space.projected_rows]
        readable = name.replace("_", " ")
        groups = [
            (~np.isin(shown, (1, -1)), _OTHER, f"{readable}: unknown"),
            (shown == -1, _PRIOR, f"not {readable}"),
            (shown == 1, _BEST, readable),
        ]
    # the groups one after the other would hide one another
    colours = np.empty(len(space.projection), object)
    for members, colour, label in groups:
        colours[members] = colour
        if members.any():
            axes.scatter([], [], s=60, color=colour, label=f"{label} ({members.sum():,})" if name else label)
    absent = 2 - space.projection.shape[1]
    points = np.pad(space.projection, ((0, 0), (0, absent)))
    first, second = np.pad(space.explained, (0, absent))
    axes.scatter(*points.T, s=14, c=list(colours), alpha=0.6, linewidths=0)
    axes.set_xlabel(f"first direction, {first:.0%} of the variance")
    axes.set_ylabel(f"second direction, {second:.0%} of the variance")
    _legend_above(axes)
    return figure


def latent_correlation_chart(space: LatentSpace, model: str) -> Any:
    """Draw the correlation of each two latent dimensions, those with the largest deviation first; none is white."""
    from matplotlib.colors import LinearSegmentedColormap

    figure, axes = _chart(f"{model}: correlation of the latent dimensions", height=5.4)
    order = np.argsort(-space.deviation, kind="stable")
    correlation = space.correlation[np.ix_(order, order)]
    np.fill_diagonal(correlation, np.nan)
    largest = space.measured["largest_correlation"] or 1
    image = axes.imshow(
        correlation,
        cmap=LinearSegmentedColormap.from_list("correlation", [_PRIOR, "white", _BEST]),
        vmin=-largest,
        vmax=largest,
        interpolation="nearest",
        extent=(0.5, len(order) + 0.5, len(order) + 0.5, 0.5),
    )
    bar = figure.colorbar(image, ax=axes, shrink=0.7)
    bar.ax.tick_params(labelsize=_TEXT)
    bar.set_label(f"correlation of {_mu(space)}", size=_TEXT)
    axes.set_xlabel("dimension, the one with the largest deviation first")
    return figure


# -------------------------------------------------------------------------------------------------------------- sweeps


def distance_chart(rows: Sequence[Mapping[str, float | None]], model: str) -> Any:
    """Draw how generated images change with their distance from the origin; a missing value leaves a gap.

    Variance at the border and in the centre, beside that of real images, and the SWD; shaded where quality has fallen,
    by the criterion of ``sweep_claims``.

    Args:
        rows: As ``sweeps.distance_row`` makes them.
        model: The model's name, for the title.

    Returns:
        A matplotlib Figure.
    """
    figure, (variance, swd) = _panels(f"{model}: faces farther and farther from the origin", 2, height=6.4)
    limits, rows = _ordered(rows, "limit")
    variance.plot(limits, _column(rows, "variance_border"), "o-", color=_BEST, label="border (background)")
    variance.plot(limits, _column(rows, "variance_centre"), "s-", color=_INK, label="centre (face)")
    swd.plot(limits, _column(rows, "swd"), "o-", color=_BEST)
    _shade((variance, swd), [row["limit"] for row in fallen_quality(rows)], "quality has fallen")
    _finish_shares(variance, "variance")
    _finish_swd(swd)
    distances = _column(rows, "distance")
    known = (limits > 0) & np.isfinite(distances)
    ratio = f"; distance: {np.median(distances[known] / limits[known]):.1f} times that" if known.any() else ""
    swd.set_xlabel(f"limit, the largest coordinate{ratio}")
    return figure


def sharpening_chart(rows: Sequence[Mapping[str, float | None]], model: str) -> Any:
    """Draw how sharpening changes generated images; a missing value leaves a gap.

    Sharpness beside that of real images, the SWD, and the share of values at 0 or 255; shaded where artefacts show, by
    the criterion of ``sweep_claims``.

    Args:
        rows: As ``sweeps.sharpening_row`` makes them.
        model: The model's name, for the title.

    Returns:
        A matplotlib Figure.
    """
    figure, (sharpness, swd, clipped) = _panels(f"{model}: the same faces, sharpened", 3, height=7.6)
    factors, rows = _ordered(rows, "factor")
    sharpness.plot(factors, _column(rows, "sharpness"), "o-", color=_BEST, label="sharpened faces")
    swd.plot(factors, _column(rows, "swd"), "o-", color=_BEST)
    clipped.plot(factors, _column(rows, "clipped"), "o-", color=_BEST)
    _shade((sharpness, swd, clipped), [row["factor"] for row in artefacts(rows)], "artefacts")
    _finish_shares(sharpness, "sharpness")
    _finish_swd(swd)
    clipped.yaxis.set_major_formatter("{x:.1%}")
    clipped.set_ylim(0, max(0.01, 1.1 * np.nanmax([0, *_column(rows, "clipped")])))
    clipped.set_ylabel("black or white")
    clipped.set_xlabel("factor of sharpness; 0 smooths, 1 changes nothing")
    return figure


def _shade(panels: Sequence[Any], steps: Sequence[float], label: str) -> None:
    for axes in panels:
        axes.margins(x=0.03)
        if steps:
            _, right = axes.get_xlim()
            axes.axvspan(steps[0], right, color=_PRIOR, alpha=0.12, lw=0, label=label)
            axes.set_xlim(right=right)


def _finish_shares(axes: Any, name: str) -> None:
    axes.axhline(1, color=_PRIOR, lw=1.5, ls="--", label="real images")
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.set_ylim(0)
    axes.set_ylabel(name)
    _legend_above(axes)


def _finish_swd(axes: Any) -> None:
    axes.set_ylim(0, 1.1 * axes.get_ylim()[1])
    axes.set_ylabel("SWD, lower is better")


def _ordered(
    rows: Sequence[Mapping[str, float | None]], step: str
) -> tuple[np.ndarray, list[Mapping[str, float | None]]]:
    ordered = sorted(rows, key=lambda row: row[step])
    return _column(ordered, step), ordered


def _column(rows: Sequence[Mapping[str, float | None]], name: str) -> np.ndarray:
    return np.array([row.get(name) for row in rows], np.float64)


# ------------------------------------------------------------------------------------------------------------- helpers


def _chart(title: str, height: float = 4.6) -> tuple[Any, Any]:
    figure, (axes,) = _panels(title, 1, height)
    return figure, axes


def _panels(title: str, count: int, height: float) -> tuple[Any, Any]:
    """Make a figure that a phone shows in full width, its letters still legible, of panels below one another."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, height), layout="constrained")
    figure.suptitle(title, fontsize=14, color=_INK)
    panels = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for axes in panels:
        axes.tick_params(labelsize=_TEXT, colors=_INK)
        axes.xaxis.label.set(size=_TEXT, color=_INK)
        axes.yaxis.label.set(size=_TEXT, color=_INK)
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels


def _legend_above(axes: Any) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=_TEXT, frameon=False, columnspacing=1)


def _mu(space: LatentSpace) -> str:
    return "z" if space.kl is None else "mu"


def _bins(values: np.ndarray) -> Any:
    """Edges by Scott's rule, which suits what is nearly normal, but no more than can be told apart."""
    edges = np.histogram_bin_edges(values, "scott")
    return edges if len(edges) < 200 else 200

"""Where an encoder puts images in latent space, as pictures; each is given the model's name for its title."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from celeba_vae.metrics.latent_space import LatentSpace, prior_density
from celeba_vae.reporting.charts import BEST, INK, OTHER, PRIOR, TEXT_SIZE, legend_above, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDEST_FIRST = "dimension, the one with the largest deviation first"


def latent_distances_chart(space: LatentSpace, model: str) -> Figure:
    """Draw how far the images' latents lie from the origin, beside the chi distribution that N(0, I) implies.

    All are drawn to the same height: where a model's latents spread wide, the prior's shell would dwarf them.
    """
    figure, (axes,) = panels(f"{model}: distance of the latents from the origin")
    drawn = {_mu(space): space.mu_distances}
    if space.z_distances is not None:
        drawn["z, drawn from N(mu, σ²)"] = space.z_distances
    for (name, distances), colour in zip(drawn.items(), (OTHER, BEST), strict=False):
        # Scott's rule suits what is nearly normal, but more bins can't be told apart
        edges = np.histogram_bin_edges(distances, "scott")
        counts, edges = np.histogram(distances, edges if len(edges) < 200 else 200)
        label = f"{name}: {distances.mean():.1f} ± {distances.std():.1f}"
        axes.stairs(counts / counts.max(), edges, fill=True, color=colour, alpha=0.8, label=label)
    mean, deviation = (space.measured[name] or 0.0 for name in ("prior_distance", "prior_distance_deviation"))
    around = np.linspace(max(mean - 5 * deviation, 0), mean + 5 * deviation, 500)
    density = prior_density(around, space.latent_dim)
    axes.plot(around, density / density.max(), color=PRIOR, lw=2.5, label=f"N(0, I): {mean:.1f} ± {deviation:.1f}")
    axes.set(xlim=(0, None), xlabel=f"L2 distance in {space.latent_dim} dimensions")
    axes.set(ylim=(0, None), ylabel="frequency, largest = 1", yticks=[])
    legend_above(axes)
    return figure


def latent_kl_chart(space: LatentSpace, model: str) -> Figure:
    """Draw the KL of each latent dimension, the largest first; a dimension with none carries nothing.

    Raises:
        ValueError: a plain autoencoder's latents have no KL.
    """
    if space.kl is None:
        raise ValueError(f"{model} is no variational autoencoder: its latents have no KL.")
    figure, (axes,) = panels(f"{model}: KL of each latent dimension")
    ordered = np.sort(space.kl)[::-1]
    axes.fill_between(np.arange(1, len(ordered) + 1), ordered, step="mid", color=BEST)
    total = f"{ordered.sum():.1f} nats an image\n{space.measured['active_units']:.0f} of {len(ordered)} units active"
    axes.text(0.97, 0.93, total, transform=axes.transAxes, ha="right", va="top", fontsize=TEXT_SIZE)
    axes.set(xlim=(0.5, len(ordered) + 0.5), xlabel="dimension, the one with the largest KL first")
    axes.set(ylim=(0, None), ylabel="KL in nats")
    return figure


def latent_moments_chart(space: LatentSpace, model: str) -> Figure:
    """Draw mean and standard deviation of the latents in each dimension, the one with the largest deviation first."""
    figure, (axes,) = panels(f"{model}: mean and spread of each latent dimension")
    order = np.argsort(-space.deviation, kind="stable")
    rank = np.arange(1, len(order) + 1)
    spread = f"standard deviation of {_mu(space)}"
    axes.fill_between(rank, space.deviation[order], step="mid", color=OTHER, label=spread)
    axes.scatter(rank, space.mean[order], s=14, color=BEST, label=f"mean of {_mu(space)}", zorder=3)
    axes.axhline(1, color=PRIOR, lw=1.5, ls="--", label="deviation of N(0, I)")
    axes.axhline(0, color=INK, lw=0.8)
    axes.set(xlim=(0.5, len(order) + 0.5), xlabel=WIDEST_FIRST)
    legend_above(axes)
    return figure


def latent_projection_chart(
    space: LatentSpace, model: str, attribute: np.ndarray | None = None, name: str = ""
) -> Figure:
    """Draw mu of a sample of images along the two directions of largest variance; of one dimension, all lie on a line.

    ``attribute`` (count,) colours them by the attribute called ``name`` of each image that was gathered: 1 or -1, else
    unknown; without it they have one colour.
    """
    figure, (axes,) = panels(f"{model}: latents along their two main directions", height=6.4)
    groups = [(np.ones(len(space.projection), bool), BEST, f"{len(space.projection):,} images")]
    if attribute is not None:
        shown = np.asarray(attribute)[space.projected_rows]
        readable = name.replace("_", " ")
        groups = [
            (~np.isin(shown, (1, -1)), OTHER, f"{readable}: unknown"),
            (shown == -1, PRIOR, f"not {readable}"),
            (shown == 1, BEST, readable),
        ]
    # the groups one after the other would hide one another
    colours = np.empty(len(space.projection), object)
    for members, colour, label in groups:
        colours[members] = colour
        if members.any():
            counted = label if attribute is None else f"{label} ({members.sum():,})"
            axes.scatter([], [], s=60, color=colour, label=counted)
    absent = 2 - space.projection.shape[1]
    along, across = np.pad(space.projection, ((0, 0), (0, absent))).T
    first, second = np.pad(space.explained, (0, absent))
    axes.scatter(along, across, s=14, c=list(colours), alpha=0.6, linewidths=0)
    axes.set_xlabel(f"first direction, {first:.0%} of the variance")
    axes.set_ylabel(f"second direction, {second:.0%} of the variance")
    legend_above(axes)
    return figure


def latent_correlation_chart(space: LatentSpace, model: str) -> Figure:
    """Draw the correlation of each two latent dimensions, those with the largest deviation first; none is white."""
    from matplotlib.colors import LinearSegmentedColormap

    figure, (axes,) = panels(f"{model}: correlation of the latent dimensions", height=5.4)
    order = np.argsort(-space.deviation, kind="stable")
    correlation = space.correlation[np.ix_(order, order)]
    np.fill_diagonal(correlation, np.nan)
    largest = space.measured["largest_correlation"] or 1
    end = len(order) + 0.5
    colours = LinearSegmentedColormap.from_list("correlation", [PRIOR, "white", BEST])
    image = axes.imshow(
        correlation,
        cmap=colours,
        vmin=-largest,
        vmax=largest,
        interpolation="nearest",
        extent=(0.5, end, end, 0.5),
    )
    bar = figure.colorbar(image, ax=axes, shrink=0.7)
    bar.ax.tick_params(labelsize=TEXT_SIZE)
    bar.set_label(f"correlation of {_mu(space)}", size=TEXT_SIZE)
    axes.set_xlabel(WIDEST_FIRST)
    return figure


def _mu(space: LatentSpace) -> str:
    return "z" if space.kl is None else "mu"

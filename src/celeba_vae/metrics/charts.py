"""Measures as a picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class _Panel:
    measure: str
    title: str
    note: str
    number: str
    best: Callable[[list[float]], float] | None = None


_PANELS = (
    _Panel("explained_variance", "Explained variance", "higher is better", "{:.1%}", max),
    _Panel("psnr", "PSNR in dB", "higher is better", "{:.2f}", max),
    _Panel("ssim", "SSIM", "higher is better", "{:.3f}", max),
    _Panel("mse", "Mean squared error", "lower is better", "{:.5f}", min),
    _Panel("bce", "Binary cross-entropy", "lower is better", "{:.0f}", min),
    _Panel("kl", "KL in nats", "of the latents, unweighted", "{:.1f}"),
    _Panel("generated_variance", "Variance of generated faces", "share of the test images'", "{:.0%}"),
)
_COLUMNS = 4
_BEST, _OTHER = "#2a6f97", "#b9c9d4"


def measures_chart(metrics: Mapping[str, Mapping[str, float | None]]) -> Any:
    """Draw one panel a measure with a bar a variant, the best bar dark; a missing value has no bar.

    Args:
        metrics: From a variant's name to its measures.

    Returns:
        A matplotlib Figure.
    """
    from matplotlib.figure import Figure

    rows = -(-len(_PANELS) // _COLUMNS)
    figure = Figure(figsize=(3.3 * _COLUMNS, rows * (1.1 + 0.42 * len(metrics))), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.15, h_pad=0.15)
    figure.suptitle("Reconstruction of the test images, the best model dark", fontsize=14)
    for axes in figure.subplots(rows, _COLUMNS).flat:
        axes.set_axis_off()
    for axes, panel in zip(figure.axes, _PANELS, strict=False):
        _draw_panel(axes, panel, {variant: measures.get(panel.measure) for variant, measures in metrics.items()})
    return figure


def _draw_panel(axes: Any, panel: _Panel, values: Mapping[str, float | None]) -> None:
    known = [value for value in values.values() if value is not None]
    best = panel.best(known) if panel.best and known else None
    longest = max([0, *known]) or 1
    axes.set_title(f"{panel.title}\n", fontsize=12, loc="left")
    axes.text(0, 1.03, panel.note, transform=axes.transAxes, fontsize=9, color="#666666")
    axes.set_xlim(0, 1.45 * longest)
    axes.set_ylim(len(values) - 0.4, -0.6)
    for row, (variant, value) in enumerate(values.items()):
        number = "not defined" if value is None else panel.number.format(value)
        length = max(value or 0, 0)
        axes.barh(row, length, height=0.8, color=_OTHER if best is None or value != best else _BEST)
        axes.text(length + 0.03 * longest, row, f"{variant.upper()}  {number}", va="center", fontsize=11)

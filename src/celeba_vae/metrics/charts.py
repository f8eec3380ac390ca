"""Measures as a picture."""

from collections.abc import Mapping, Sequence
from typing import Any

from celeba_vae.metrics.measures import GENERATED_VARIANCE, KL, Measure
from celeba_vae.metrics.reconstruction import BUILT_IN_METRICS

_MEASURES = (*(measure for metric in BUILT_IN_METRICS for measure in metric.measures), KL, GENERATED_VARIANCE)
_COLUMNS = 4
_BEST, _OTHER = "#2a6f97", "#b9c9d4"


def measures_chart(metrics: Mapping[str, Mapping[str, float | None]], measures: Sequence[Measure] = _MEASURES) -> Any:
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
    axes.set_title(f"{measure.heading}\n", fontsize=12, loc="left")
    axes.text(0, 1.03, _reading(measure), transform=axes.transAxes, fontsize=9, color="#666666")
    axes.set_xlim(0, 1.45 * longest)
    axes.set_ylim(len(values) - 0.4, -0.6)
    for row, (variant, value) in enumerate(values.items()):
        length = max(value or 0, 0)
        axes.barh(row, length, height=0.8, color=_OTHER if best is None or value != best else _BEST)
        axes.text(length + 0.03 * longest, row, f"{variant.upper()}  {measure.text(value)}", va="center", fontsize=11)


def _reading(measure: Measure) -> str:
    return f"{measure.better} is better" if measure.better else measure.note

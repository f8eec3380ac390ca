"""How generated images change, step by step, with their distance from the origin or with sharpening."""

from collections.abc import Iterable

import numpy as np

from celeba_vae.metrics.distribution_metrics import SetSharpness, SlicedWasserstein, Variety
from celeba_vae.metrics.measures import Arrays, Measured, Summary

METRICS = (SlicedWasserstein(), Variety(), SetSharpness())

Row = dict[str, float | None]


def summarised(blocks: Iterable[np.ndarray]) -> list[Arrays]:
    """Give what the rows of a sweep must know of the originals, blocks of images (n, h, w, 3) uint8."""
    summaries = _started()
    for block in blocks:
        _update(summaries, block)
    return [summary.result() for summary in summaries]


def distance_row(limit: float, distance: float, blocks: Iterable[np.ndarray], originals: list[Arrays]) -> Row:
    """Measure the images of points at a distance from the origin.

    Args:
        limit: Largest coordinate of the points.
        distance: Their mean L2 distance from the origin.
        blocks: Their images, (n, h, w, 3) uint8, block by block.
        originals: ``summarised`` test images.

    Returns:
        ``limit``, ``distance``, ``swd``, ``variance_border``, ``variance_centre`` and ``sharpness``; None where a
        figure is not defined.
    """
    measured = _measured(blocks, originals)
    names = ("swd", "variance_border", "variance_centre", "sharpness")
    return {"limit": limit, "distance": distance, **{name: measured[name] for name in names}}


def sharpening_row(factor: float, blocks: Iterable[np.ndarray], originals: list[Arrays]) -> Row:
    """Measure sharpened images.

    Args:
        factor: What they were sharpened by; 1 leaves images as they are.
        blocks: The sharpened images, (n, h, w, 3) uint8, block by block.
        originals: ``summarised`` test images.

    Returns:
        ``factor``, ``sharpness``, ``swd`` and ``clipped``, the share of values at 0 or 255; None where a figure is not
        defined.
    """
    measured = _measured(blocks, originals)
    return {"factor": factor, **{name: measured[name] for name in ("sharpness", "swd", "clipped")}}


def _measured(blocks: Iterable[np.ndarray], originals: list[Arrays]) -> Measured:
    summaries, clipped, count = _started(), 0, 0
    for block in blocks:
        _update(summaries, block)
        clipped += int(np.isin(block, (0, 255)).sum())
        count += block.size
    measured: Measured = {"clipped": clipped / count if count else None}
    for metric, original, summary in zip(METRICS, originals, summaries, strict=True):
        measured |= metric.compare(original, summary.result())
    return measured


def _started() -> list[Summary]:
    return [metric.start() for metric in METRICS]


def _update(summaries: list[Summary], block: np.ndarray) -> None:
    images = block.astype(np.float32) / 255
    for summary in summaries:
        summary.update(images)

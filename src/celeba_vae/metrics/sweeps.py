"""How generated images change, step by step, with their distance from the origin or with sharpening."""

from collections.abc import Iterable, Sequence

import numpy as np

from celeba_vae.metrics.distribution_metrics import DistributionMeasures, SetSharpness, SlicedWasserstein, Variety
from celeba_vae.metrics.measures import DistributionMetric, Measured
from celeba_vae.storage import Arrays

METRICS: tuple[DistributionMetric, ...] = (SlicedWasserstein(), Variety(), SetSharpness())

Row = dict[str, float | None]


def summarised(blocks: Iterable[np.ndarray]) -> list[Arrays]:
    """Give what the rows of a sweep must know of the test images, blocks of images (n, h, w, 3) uint8."""
    measures = DistributionMeasures(METRICS)
    for block in blocks:
        measures.update(block.astype(np.float32) / 255)
    return measures.summaries()


def distance_row(limit: float, distance: float, blocks: Iterable[np.ndarray], real: Sequence[Arrays]) -> Row:
    """Measure the images of points at a distance from the origin.

    Args:
        limit: Largest coordinate of the points.
        distance: Their mean L2 distance from the origin.
        blocks: Their images, (n, h, w, 3) uint8, block by block.
        real: ``summarised`` test images.

    Returns:
        ``limit``, ``distance``, ``swd``, ``variance_border``, ``variance_centre`` and ``sharpness``; None where a
        measure is not defined.
    """
    measured = _measured(blocks, real)
    names = ("swd", "variance_border", "variance_centre", "sharpness")
    return {"limit": limit, "distance": distance, **{name: measured[name] for name in names}}


def sharpening_row(factor: float, blocks: Iterable[np.ndarray], real: Sequence[Arrays]) -> Row:
    """Measure sharpened images.

    Args:
        factor: What they were sharpened by; 1 leaves images as they are.
        blocks: The sharpened images, (n, h, w, 3) uint8, block by block.
        real: ``summarised`` test images.

    Returns:
        ``factor``, ``sharpness``, ``swd`` and ``clipped``, the share of values at 0 or 255; None where a measure is not
        defined.
    """
    measured = _measured(blocks, real)
    return {"factor": factor, **{name: measured[name] for name in ("sharpness", "swd", "clipped")}}


def _measured(blocks: Iterable[np.ndarray], real: Sequence[Arrays]) -> Measured:
    measures, clipped, count = DistributionMeasures(METRICS, real), 0, 0
    for block in blocks:
        measures.update(block.astype(np.float32) / 255)
        clipped += int(np.isin(block, (0, 255)).sum())
        count += block.size
    return {"clipped": clipped / count if count else None, **measures.result()}

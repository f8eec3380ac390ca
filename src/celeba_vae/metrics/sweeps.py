"""What becomes of one variant's faces, further and further from the origin and sharpened more and more."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from celeba_vae.config import EvaluationConfig, GenerationConfig
from celeba_vae.latent.points import LatentPoints, distances
from celeba_vae.latent.samplers import Normal, Sampler, Uniform
from celeba_vae.metrics.distribution_metrics import DistributionMeasures, SetSharpness, SlicedWasserstein, Variety
from celeba_vae.metrics.evaluated_variant import TrainedVariant
from celeba_vae.metrics.measures import DistributionMetric, Measured
from celeba_vae.metrics.variant_measuring import decoded_blocks
from celeba_vae.models.inference import to_uint8
from celeba_vae.photos.enhancers import Sharpness, enhance_blocks
from celeba_vae.storage import Arrays

BLOCK = 256
METRICS: tuple[DistributionMetric, ...] = (SlicedWasserstein(), Variety(), SetSharpness())
DISTANCE_MEASURES = ("swd", "variance_border", "variance_centre", "sharpness")
SHARPENING_MEASURES = ("sharpness", "swd", "clipped")
# beside those of the series: 1 leaves a face as it was decoded, the others say more exactly where artefacts begin
SHARPENING_FACTORS = (1.0, 2.0, 4.0, 5.0)


def sweep(
    model: TrainedVariant, test_images: np.ndarray, generation: GenerationConfig, parameters: EvaluationConfig
) -> dict[str, Any]:
    """Follow a variant's images away from the origin and through stronger sharpening, against the test images.

    Returns its name and two lists of rows, empty where it can't be evaluated or there are no test images: ``distance``,
    each with ``limit`` (the points' largest coordinate), ``distance`` (their mean L2 distance from the origin) and
    ``DISTANCE_MEASURES``; ``sharpening``, each with ``factor`` and ``SHARPENING_MEASURES``.
    """
    name = model.variant.name
    rows: dict[str, list[Measured]] = {"distance": [], "sharpening": []}
    if not model.variant.problem and len(test_images):
        starts = range(0, len(test_images), BLOCK)
        of_test_images = summarised(test_images[first : first + BLOCK] for first in starts)
        for limit in generation.distance_limits:
            points = _points(model, Uniform(limit=limit), parameters)
            distance = float(distances(np.concatenate(list(points))).mean())
            blocks = map(to_uint8, decoded_blocks(model.decoder, points, f"{name}, ±{limit:g}"))
            measured = measured_against(of_test_images, blocks, DISTANCE_MEASURES)
            rows["distance"].append({"limit": limit, "distance": distance, **measured})
        faces = list(map(to_uint8, decoded_blocks(model.decoder, _points(model, Normal(), parameters), name)))
        for factor in sorted({*SHARPENING_FACTORS, *generation.sharpening_factors}):
            sharpened = enhance_blocks(faces, [Sharpness(factor=factor)])
            measured = measured_against(of_test_images, sharpened, SHARPENING_MEASURES)
            rows["sharpening"].append({"factor": factor, **measured})
    return {"variant": name, **rows}


def summarised(blocks: Iterable[np.ndarray]) -> list[Arrays]:
    """Give what ``METRICS`` must know of the test images, blocks of images (n, h, w, 3) uint8."""
    measures = DistributionMeasures(METRICS)
    for block in blocks:
        measures.update(block.astype(np.float32) / 255)
    return measures.summaries()


def measured_against(real: Sequence[Arrays], blocks: Iterable[np.ndarray], names: Sequence[str]) -> Measured:
    """Give the measures that have these names, None where not defined, of blocks of images (n, h, w, 3) uint8.

    They are those of ``METRICS`` against ``summarised`` test images, and ``clipped``, the share of values at 0 or 255.
    """
    measures, clipped, count = DistributionMeasures(METRICS, real), 0, 0
    for block in blocks:
        measures.update(block.astype(np.float32) / 255)
        clipped += int(np.isin(block, (0, 255)).sum())
        count += block.size
    measured = {"clipped": clipped / count if count else None, **measures.result()}
    return {name: measured[name] for name in names}


def _points(model: TrainedVariant, sampler: Sampler, parameters: EvaluationConfig) -> LatentPoints:
    return LatentPoints(sampler, parameters.sweep_count, model.decoder.input_shape[-1], parameters.seed, {})

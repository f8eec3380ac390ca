"""What becomes of one variant's faces, further and further from the origin and sharpened more and more."""

from typing import Any

import numpy as np

from celeba_vae.config import EvaluationConfig, GenerationConfig
from celeba_vae.latent.points import LatentPoints, distances
from celeba_vae.latent.samplers import Normal, Sampler, Uniform
from celeba_vae.metrics.evaluated_variant import TrainedVariant
from celeba_vae.metrics.sweeps import Row, distance_row, sharpening_row, summarised
from celeba_vae.metrics.variant_measuring import decoded_blocks
from celeba_vae.models.inference import to_uint8
from celeba_vae.photos.enhancers import Sharpness, enhance_blocks

BLOCK = 256
# beside those of the series: 1 leaves a face as it was decoded, the others say more exactly where artefacts begin
SHARPENING_FACTORS = (1.0, 2.0, 4.0, 5.0)


def sweep(
    model: TrainedVariant, test_images: np.ndarray, generation: GenerationConfig, parameters: EvaluationConfig
) -> dict[str, Any]:
    """Follow a variant's images away from the origin and through stronger sharpening, against the test images.

    Returns:
        ``variant``, its name, and the rows of ``distance`` and ``sharpening``, see ``metrics.sweeps``: none where the
        variant can't be evaluated or there are no test images.
    """
    name = model.variant.name
    rows: dict[str, list[Row]] = {"distance": [], "sharpening": []}
    if not model.variant.problem and len(test_images):
        starts = range(0, len(test_images), BLOCK)
        of_test_images = summarised(test_images[first : first + BLOCK] for first in starts)
        for limit in generation.distance_limits:
            points = _points(model, Uniform(limit=limit), parameters)
            distance = float(distances(np.concatenate(list(points))).mean())
            blocks = map(to_uint8, decoded_blocks(model.decoder, points, f"{name}, ±{limit:g}"))
            rows["distance"].append(distance_row(limit, distance, blocks, of_test_images))
        faces = list(map(to_uint8, decoded_blocks(model.decoder, _points(model, Normal(), parameters), name)))
        for factor in sorted({*SHARPENING_FACTORS, *generation.sharpening_factors}):
            sharpened = enhance_blocks(faces, [Sharpness(factor=factor)])
            rows["sharpening"].append(sharpening_row(factor, sharpened, of_test_images))
    return {"variant": name, **rows}


def _points(model: TrainedVariant, sampler: Sampler, parameters: EvaluationConfig) -> LatentPoints:
    return LatentPoints(sampler, parameters.sweep_count, model.decoder.input_shape[-1], parameters.seed, {})

"""What becomes of one model's faces, further and further from the origin and sharpened more and more."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from celeba_vae.config import EvaluationConfig, GenerationConfig
from celeba_vae.latent.points import LatentPoints, distances
from celeba_vae.latent.samplers import Normal, Sampler, Uniform
from celeba_vae.metrics.sweeps import Row, distance_row, sharpening_row, summarised
from celeba_vae.models.inference import to_uint8
from celeba_vae.pipelines.evaluation.nodes_measuring import decoded_blocks
from celeba_vae.pipelines.evaluation.trained_variant import TrainedVariant, title_of

BLOCK = 256
# beside those of the series: 1 leaves a face as it was decoded, the others say more exactly where artefacts begin
SHARPENING_FACTORS = (1.0, 2.0, 4.0, 5.0)


def sweep(
    model: TrainedVariant, test_images: np.ndarray, generation: GenerationConfig, parameters: EvaluationConfig
) -> dict[str, Any]:
    """Follow a model's images away from the origin and through stronger sharpening, against the test images.

    Returns:
        ``variant``, its name, and the rows of ``distance`` and ``sharpening``, see ``metrics.sweeps``: none where the
        model can't be evaluated or there are no test images.
    """
    rows: dict[str, list[Row]] = {"distance": [], "sharpening": []}
    if not model.problem and len(test_images):
        originals = summarised(test_images[first : first + BLOCK] for first in range(0, len(test_images), BLOCK))
        for limit in generation.distance_limits:
            points = _points(model, Uniform(limit=limit), parameters)
            distance = float(distances(np.concatenate(list(points))).mean())
            blocks = map(to_uint8, decoded_blocks(model.decoder, points, f"{model.name}, ±{limit:g}"))
            rows["distance"].append(distance_row(limit, distance, blocks, originals))
        faces = list(map(to_uint8, decoded_blocks(model.decoder, _points(model, Normal(), parameters), model.name)))
        for factor in sorted({*SHARPENING_FACTORS, *generation.sharpening_factors}):
            rows["sharpening"].append(sharpening_row(factor, _sharpened(faces, factor), originals))
    return {"variant": model.name, **rows}


def draw_distance_sweep(sweeps: dict[str, Any]) -> Any:
    """Draw what the distance from the origin changes."""
    from celeba_vae.reporting.charts import distance_chart, text_chart

    return (
        distance_chart(sweeps["distance"], title_of(sweeps["variant"]))
        if sweeps["distance"]
        else text_chart(_nothing(sweeps))
    )


def draw_sharpening_sweep(sweeps: dict[str, Any]) -> Any:
    """Draw what sharpening changes."""
    from celeba_vae.reporting.charts import sharpening_chart, text_chart

    return (
        sharpening_chart(sweeps["sharpening"], title_of(sweeps["variant"]))
        if sweeps["sharpening"]
        else text_chart(_nothing(sweeps))
    )


def _points(model: TrainedVariant, sampler: Sampler, parameters: EvaluationConfig) -> LatentPoints:
    return LatentPoints(sampler, parameters.sweep_count, model.decoder.input_shape[-1], parameters.seed, {})


def _sharpened(blocks: Iterable[np.ndarray], factor: float) -> Iterator[np.ndarray]:
    for block in blocks:
        yield np.stack([np.asarray(ImageEnhance.Sharpness(Image.fromarray(image)).enhance(factor)) for image in block])


def _nothing(sweeps: dict[str, Any]) -> str:
    return f"{title_of(sweeps['variant'])} could not be measured:\nit is not there, or there are no test images"

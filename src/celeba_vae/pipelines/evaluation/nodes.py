"""Pass test images and own photos through each model, measure the results, and show them side by side."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from celeba_vae.config import DataEngineeringConfig, EvaluationConfig, VariantConfig
from celeba_vae.errors import DataError
from celeba_vae.imaging.arrays import to_uint8
from celeba_vae.imaging.grids import comparison_grid, text_picture
from celeba_vae.imaging.own_photos import read_photos
from celeba_vae.latent.samplers import Normal, sample_points
from celeba_vae.metrics.distribution import kl_divergence, pixel_variance
from celeba_vae.metrics.reconstruction import ReconstructionMeasures
from celeba_vae.metrics.streaming import RunningVariance

logger = logging.getLogger(__name__)

GRID_SCALE = 2
GENERATED_COUNT = 256

Measures = dict[str, float | None]


def choose_originals(test_images: np.ndarray, parameters: EvaluationConfig) -> tuple[np.ndarray, list[str]]:
    """Choose the test images that are shown, by the seed: (count, h, w, 3) uint8, and a caption for each.

    Raises:
        DataError: there are no test images.
    """
    _check_not_empty(test_images)
    count = min(parameters.count, len(test_images))
    rows = np.random.default_rng(parameters.seed).choice(len(test_images), count, replace=False)
    return test_images[rows], [f"test image {row}" for row in rows]


def prepare_photos(
    folder: Path, test_images: np.ndarray, parameters: DataEngineeringConfig
) -> tuple[np.ndarray, list[str]]:
    """Bring the photos in the folder to the test images' shape: (n, h, w, 3) uint8, and each one's file name."""
    photos, names = read_photos(folder, test_images.shape[1:], parameters.crop)
    if not names:
        logger.info("No photos of your own in %s: put some there to see how the models reconstruct them.", folder)
    return photos, names


def reconstruct_images(
    encoder: Any, decoder: Any, images: np.ndarray, parameters: EvaluationConfig, variant: VariantConfig
) -> np.ndarray:
    """Pass uint8 images (n, h, w, 3) through a model (z = mu) and give what comes out, likewise.

    Raises:
        DataError: the model takes images of another shape.
    """
    from celeba_vae.models.inference import reconstruct

    _check_fits(variant, encoder, images)
    if not len(images):
        return images
    return to_uint8(reconstruct(encoder, decoder, images, parameters.batch_size))


def measure_model(
    encoder: Any, decoder: Any, test_images: np.ndarray, parameters: EvaluationConfig, variant: VariantConfig
) -> Measures:
    """Measure a model on all test images, batch by batch, so that memory does not grow with their number.

    Gives the measures of ``metrics.reconstruction.BUILT_IN_METRICS``; for a variational model ``kl``, the unweighted KL
    in nats an image; and ``generated_variance``, the variance across images generated from N(0, I) as a share of that
    across the test images (1: as varied as those, 0: all alike).

    Raises:
        DataError: there are no test images, or the model takes images of another shape.
    """
    _check_not_empty(test_images)
    _check_fits(variant, encoder, test_images)
    reconstruction, images, kl_sums = ReconstructionMeasures(), RunningVariance(), []
    for first in tqdm(range(0, len(test_images), parameters.batch_size), "Measuring", unit="batch", disable=None):
        batch = test_images[first : first + parameters.batch_size].astype(np.float32) / 255
        outputs = encoder(batch, training=False)
        is_variational = isinstance(outputs, list | tuple)
        latents = outputs[0] if is_variational else outputs
        images.update(batch)
        reconstruction.update(batch, np.asarray(decoder(latents, training=False)))
        if is_variational:
            mu, logvar = (np.asarray(output) for output in outputs)
            kl_sums.append(float(kl_divergence(mu, logvar).sum()))
    measures = reconstruction.result()
    if kl_sums:
        measures["kl"] = sum(kl_sums) / len(test_images)
    variance = float(images.variance().mean()) if images.count > 1 else 0.0
    measures["generated_variance"] = _generated_variance(decoder, parameters.seed) / variance if variance else None
    return measures


def compare_measures(parameters: EvaluationConfig, *measures: Measures) -> dict[str, Measures]:
    """Gather each variant's measures and say which model reconstructs better and by how much."""
    metrics = dict(zip(parameters.variants, measures, strict=True))
    logger.info(verdict(metrics))
    return metrics


def verdict(metrics: dict[str, Measures]) -> str:
    """Say in a line which variant has the best PSNR, and how far ahead of each other it is in PSNR and MSE."""
    best, *others = sorted(metrics, key=lambda variant: metrics[variant]["psnr"], reverse=True)
    line = f"PSNR {metrics[best]['psnr']:.2f} dB, explained variance {_percent(metrics[best]['explained_variance'])}"
    if not others:
        return f"{best.upper()} reconstructs the test images with {line}."
    leads = [_lead(metrics[best], metrics[other], other) for other in others]
    return f"{best.upper()} reconstructs the test images best: {line}; {', '.join(leads)}."


def draw_metrics(metrics: dict[str, Measures]) -> Any:
    """Draw the measures as bars, the best of each marked."""
    from celeba_vae.metrics.charts import measures_chart

    return measures_chart(metrics)


def compare_reconstructions(
    originals: np.ndarray, captions: list[str], parameters: EvaluationConfig, *reconstructions: np.ndarray
) -> Image.Image:
    """Show rows of originals and, under each, what every variant makes of them."""
    return comparison_grid(
        _labelled(originals, parameters, reconstructions),
        parameters.columns,
        title="Test images and their reconstructions",
        captions=captions,
        scale=GRID_SCALE,
    )


def compare_photos(
    photos: np.ndarray, names: list[str], folder: Path, parameters: EvaluationConfig, *reconstructions: np.ndarray
) -> Image.Image:
    """Show own photos and what every variant makes of them; without photos, how to get such a picture."""
    if not names:
        return text_picture(
            "No photos of your own yet",
            f"Put photos of faces into\n{folder}\nthen, with the same --env: kedro run --pipelines evaluation\n\n"
            "Any size will do. The largest centre square is used: the face should be in its middle and fill more than"
            " half of it.",
        )
    return comparison_grid(
        _labelled(photos, parameters, reconstructions),
        parameters.columns,
        title="Your photos and their reconstructions",
        captions=names,
        scale=GRID_SCALE,
    )


def _labelled(
    originals: np.ndarray, parameters: EvaluationConfig, reconstructions: Sequence[np.ndarray]
) -> dict[str, np.ndarray]:
    variants = [variant.upper() for variant in parameters.variants]
    return {"original": originals, **dict(zip(variants, reconstructions, strict=True))}


def _generated_variance(decoder: Any, seed: int) -> float:
    from celeba_vae.models.inference import decode

    points = sample_points(Normal(), range(GENERATED_COUNT), decoder.input_shape[-1], seed)
    return pixel_variance(decode(decoder, points))


def _lead(best: Measures, other: Measures, name: str) -> str:
    # a better mean PSNR may go with a worse mean MSE: a few bad images weigh more in the latter
    less = 1 - best["mse"] / other["mse"]
    return (
        f"{best['psnr'] - other['psnr']:.2f} dB above {name.upper()} with {_percent(abs(less))}"
        f" {'less' if less >= 0 else 'more'} squared error"
    )


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}"


def _check_not_empty(test_images: np.ndarray) -> None:
    if not len(test_images):
        raise DataError(
            "There are no test images to evaluate the models on. Give the test split some (data_engineering.split in"
            " parameters_data_engineering.yml), then: kedro run --pipelines data_engineering,evaluation"
        )


def _check_fits(variant: VariantConfig, encoder: Any, images: np.ndarray) -> None:
    expected = tuple(encoder.input_shape[1:])
    if expected != images.shape[1:]:
        raise DataError(
            f"The model '{variant.name}' takes images of {_size(expected)} pixels, the test images have"
            f" {_size(images.shape[1:])}. Train it on these images (kedro run --pipelines training --namespaces"
            f" {variant.name}), prepare images of its size (data_engineering.image_size), or choose another version of"
            f" it with --load-versions {variant.name}.encoder:...,{variant.name}.decoder:..."
        )


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]}x{shape[0]}"

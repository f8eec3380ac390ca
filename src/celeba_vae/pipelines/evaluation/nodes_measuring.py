"""Measure each model: its reconstructions, its latent space, and what it creates."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from celeba_vae.claims.evidence import RESERVED_GROUPS
from celeba_vae.config import ComponentConfig, EvaluationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.errors import CelebaVaeError, DataError
from celeba_vae.latent.fitting import encode_images, fit_to_latents
from celeba_vae.latent.points import LatentPoints
from celeba_vae.latent.samplers import Normal, Posterior
from celeba_vae.metrics.distribution_metrics import DistributionMeasures
from celeba_vae.metrics.latent_space import LatentSpace
from celeba_vae.metrics.measures import DistributionMetric, Measured
from celeba_vae.metrics.reconstruction import ReconstructionMeasures
from celeba_vae.models.inference import to_uint8
from celeba_vae.pipelines.evaluation.trained_variant import TrainedVariant
from celeba_vae.storage import Arrays

logger = logging.getLogger(__name__)

NO_TEST_IMAGES = (
    "There are no test images to evaluate the models on. Give the test split some (data_engineering.split in"
    " parameters_data_engineering.yml), then: kedro run --pipelines data_engineering,training,evaluation"
)

# where there are no test images to have as many of
TRAINING_IMAGES = 10_000


@dataclass(frozen=True)
class Originals:
    """What the distribution metrics must know of the test images.

    Args:
        metrics: Those that can work here.
        summaries: What each of them knows, in their order.
        notes: What can't be measured, and why.
        shape: The test images' (n, h, w, 3).
    """

    metrics: Sequence[DistributionMetric]
    summaries: Sequence[Arrays]
    notes: Sequence[str]
    shape: tuple[int, int, int, int]

    def start(self) -> DistributionMeasures:
        """Begin to go through a set of images that is compared with them."""
        return DistributionMeasures(self.metrics, self.summaries)


@dataclass(frozen=True)
class Examined:
    """A model measured on images: figures by group, its latent space, None where there is none, and what was wrong."""

    measured: dict[str, Measured] = field(default_factory=dict)
    latent_space: LatentSpace | None = None
    problem: str = ""


@dataclass(frozen=True)
class Generated:
    """What a model creates: by the sampler's name, figures and the first images, (columns, h, w, 3) uint8."""

    measured: dict[str, Measured] = field(default_factory=dict)
    images: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def summarise_originals(test_images: np.ndarray, parameters: EvaluationConfig) -> Originals:
    """Go through the test images once for all sets that are compared with them: as many as each of these has."""
    notes = [] if len(test_images) else [NO_TEST_IMAGES]
    metrics = [create_component("distribution_metrics", each) for each in parameters.distribution_metrics]
    notes += list(filter(None, (metric.unavailable() for metric in metrics)))
    for note in notes:
        logger.warning(note)
    usable = [metric for metric in metrics if len(test_images) and not metric.unavailable()]
    measures = DistributionMeasures(usable, [])
    compared = test_images[: compared_count(len(test_images), parameters)]
    for batch in _batches(compared, parameters.batch_size, "Test images"):
        measures.update(batch)
    return Originals(usable, measures.summaries(), notes, test_images.shape)


def examine_model(
    model: TrainedVariant,
    test_images: np.ndarray,
    train_images: np.ndarray,
    originals: Originals,
    parameters: EvaluationConfig,
) -> Examined:
    """Measure a model's reconstructions (z = mu) of the test images and of as many training images, and its latents.

    Batch by batch, so that memory does not grow with their number. Without test images, up to 10,000 training images.

    Returns:
        The groups ``test``, ``training``, ``gap`` (training minus test), ``reconstructed``, ``latents`` and ``model``;
        with ``images``, their number, where it is not that of the test images. Nothing of a model that can't be
        evaluated, or whose latents are not finite.
    """
    if model.problem:
        return Examined()
    try:
        return _examined(model, test_images, train_images, originals, parameters)
    except DataError as error:
        problem = f"{model.name} is left out of the evaluation: {error}"
        logger.warning(problem)
        return Examined(problem=problem)


def _examined(
    model: TrainedVariant,
    test_images: np.ndarray,
    train_images: np.ndarray,
    originals: Originals,
    parameters: EvaluationConfig,
) -> Examined:
    train_images = train_images[: len(test_images) or TRAINING_IMAGES]
    training, latents = _pass_through(model, train_images, None, parameters)
    measured = {"model": _size_of(model), "training": {**training, "images": len(train_images)}}
    if len(test_images):
        reconstructed = ComparedSet(originals.start(), compared_count(len(test_images), parameters))
        test, latents = _pass_through(model, test_images, reconstructed, parameters)
        measured |= {"test": test, "gap": _difference(training, test), "reconstructed": reconstructed.result()}
    if latents is not None:
        measured["latents"] = latents.measured
    return Examined(measured, latents)


def compared_count(test_images: int, parameters: EvaluationConfig) -> int:
    """Give how many images each set has that is compared with the test images, and how many of these it is."""
    return min(parameters.generated_count, test_images or parameters.generated_count)


class ComparedSet:
    """The first ``count`` images of a set, measured: the distances of sets of different size can't be compared."""

    def __init__(self, measures: DistributionMeasures, count: int) -> None:
        self._measures, self._count, self._taken = measures, count, 0

    def update(self, images: np.ndarray) -> None:
        """Take in a batch of images, (n, h, w, c) floats in [0, 1]; those beyond ``count`` are left out."""
        images = images[: self._count - self._taken]
        if len(images):
            self._taken += len(images)
            self._measures.update(images)

    def result(self) -> Measured:
        """Give the measures against the originals, and ``images``, their number; nothing where nothing is measured."""
        measured = self._measures.result()
        return {**measured, "images": self._taken} if measured else {}


def generate_and_measure(
    model: TrainedVariant,
    train_images: np.ndarray,
    test_images: np.ndarray,
    latent_stages: Path,
    originals: Originals,
    parameters: EvaluationConfig,
) -> Generated:
    """Create images with each sampler and compare them with the test images."""
    generated = Generated()
    if model.problem:
        return generated
    for config in parameters.samplers:
        name = sampler_label(config, parameters.samplers)
        try:
            points = _points(model, config, train_images, test_images, latent_stages, parameters)
        except CelebaVaeError as error:
            generated.notes.append(f"{model.name}, {name}: {error}")
            logger.warning(generated.notes[-1])
            continue
        measures, shown = ComparedSet(originals.start(), compared_count(len(test_images), parameters)), []
        for block in decoded_blocks(model.decoder, points, f"{model.name}, {name}"):
            measures.update(block)
            if sum(map(len, shown)) < parameters.columns:
                shown.append(to_uint8(block[: parameters.columns]))
        generated.measured[name] = measures.result()
        generated.images[name] = np.concatenate(shown)[: parameters.columns]
    return generated


def decoded_blocks(decoder: Any, points: LatentPoints, what: str = "") -> Iterator[np.ndarray]:
    """Decode points block by block, with a progress bar: (at most 64, h, w, 3) float32 each, as ``decode`` does."""
    from celeba_vae.models.inference import decode_batches

    with tqdm(total=points.count, desc=what or "Generating", unit="image", disable=None, leave=False) as progress:
        for latents in points:
            for images in decode_batches(decoder, latents):
                progress.update(len(images))
                yield images


def sampler_label(config: ComponentConfig, among: Sequence[ComponentConfig]) -> str:
    """Name a sampler: with its options where another has the same name, and never as another group of figures."""
    label = config.name
    if [each.name for each in among].count(label) > 1:
        label = " ".join([label, *(f"{key}={value}" for key, value in config.options.items())])
    return f"sampler {label}" if label in RESERVED_GROUPS else label


def sampler_groups(configs: Sequence[ComponentConfig]) -> tuple[str, tuple[str, ...]]:
    """Give the label of the sampler of N(0, I), empty without one, and those of samplers fitted to training images."""
    samplers = {sampler_label(config, configs): create_component("samplers", config) for config in configs}
    prior = [label for label, each in samplers.items() if isinstance(each, Normal) and each.scale == 1]
    fitted = [label for label, each in samplers.items() if hasattr(each, "fit") and not isinstance(each, Posterior)]
    return prior[0] if prior else "", tuple(fitted)


def _points(
    model: TrainedVariant,
    config: ComponentConfig,
    train_images: np.ndarray,
    test_images: np.ndarray,
    latent_stages: Path,
    parameters: EvaluationConfig,
) -> LatentPoints:
    sampler = create_component("samplers", config)
    fitted: Arrays = {}
    if hasattr(sampler, "fit"):
        latents = encode_images(model.encoder, train_images[: parameters.fit_images], latent_stages)
        array = np.load(latents.path, mmap_mode="r")
        fitted = fit_to_latents(model.encoder, array, test_images, latent_stages, config)
    latent_dim = model.decoder.input_shape[-1]
    # a whole row is shown, also where there are fewer test images
    count = max(compared_count(len(test_images), parameters), min(parameters.columns, parameters.generated_count))
    return LatentPoints(sampler, count, latent_dim, parameters.seed, fitted)


def _pass_through(
    model: TrainedVariant, images: np.ndarray, set_measures: ComparedSet | None, parameters: EvaluationConfig
) -> tuple[Measured, LatentSpace | None]:
    from celeba_vae.models.inference import decode

    metrics = [create_component("metrics", each) for each in parameters.metrics]
    reconstruction, latents = ReconstructionMeasures(metrics), LatentSpace(parameters.seed)
    for batch in _batches(images, parameters.batch_size, f"Measuring {model.name}"):
        outputs = model.encoder.predict_on_batch(batch)
        outputs = [np.asarray(each) for each in (outputs if isinstance(outputs, list | tuple) else [outputs])]
        latents.update(*outputs)
        reconstructions = decode(model.decoder, outputs[0])
        reconstruction.update(batch, reconstructions)
        if set_measures:
            set_measures.update(reconstructions)
    return reconstruction.result(), latents if len(images) > 1 else None


def _batches(images: np.ndarray, size: int, what: str) -> Iterable[np.ndarray]:
    for first in tqdm(range(0, len(images), size), what, unit="batch", disable=None, leave=False):
        yield images[first : first + size].astype(np.float32) / np.float32(255)


def _difference(training: Measured, test: Measured) -> Measured:
    return {
        name: None if value is None or test[name] is None else value - test[name] for name, value in training.items()
    }


def _size_of(model: TrainedVariant) -> Measured:
    history = model.history
    return {
        "encoder_parameters": model.encoder.count_params(),
        "decoder_parameters": model.decoder.count_params(),
        "latent_dim": model.decoder.input_shape[-1],
        "epochs": len(history),
        "training_seconds": float(history["seconds"].sum()) if "seconds" in history else None,
    }

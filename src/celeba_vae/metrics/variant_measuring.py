"""Measure a variant: its reconstructions, its latent space, and what it creates, against the test images as a set."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from celeba_vae.config import ComponentConfig, EvaluationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.errors import CelebaVaeError, DataError
from celeba_vae.latent.fitting import encode_images, fit_to_latents
from celeba_vae.latent.points import LatentPoints, one_point_note
from celeba_vae.metrics.collapse import FEWEST_IMAGES, collapse_note, likeness_note, training_note
from celeba_vae.metrics.distribution_metrics import DistributionMeasures
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant, TrainedVariant
from celeba_vae.metrics.latent_space import LatentSpace
from celeba_vae.metrics.measure_groups import sampler_groups, sampler_label
from celeba_vae.metrics.measures import DistributionMetric, Measured
from celeba_vae.models.inference import decode, decode_batches, encoder_outputs, to_uint8
from celeba_vae.storage import Arrays

logger = logging.getLogger(__name__)

NO_TEST_IMAGES = (
    "There are no test images to evaluate the models on. Give the test split some (data_engineering.split in"
    " parameters_data_engineering.yml), then: kedro run --pipelines data_engineering,training,evaluation"
)
# where there are no test images to have as many of
TRAINING_IMAGES = 10_000


@dataclass(frozen=True)
class ReferenceSet:
    """What the distribution metrics must know of the test images: those that can work here, and a summary for each.

    Notes say what can't be measured, and why; ``shape`` is the test images' (n, h, w, 3). Each set that is compared has
    ``set_size`` images, and is compared with as many test images.
    """

    metrics: Sequence[DistributionMetric]
    summaries: Sequence[Arrays]
    notes: Sequence[str]
    shape: tuple[int, int, int, int]
    set_size: int

    def start(self) -> DistributionMeasures:
        """Begin to go through a set of images that is compared with them."""
        return DistributionMeasures(self.metrics, self.summaries, self.set_size)


def summarise_test_images(test_images: np.ndarray, parameters: EvaluationConfig) -> ReferenceSet:
    """Go through the test images once for all sets that are compared with them: as many as each of these has."""
    count = len(test_images)
    notes = [likeness_note(test_images, "test") if count else NO_TEST_IMAGES]
    metrics = [create_component("distribution_metrics", each) for each in parameters.distribution_metrics]
    notes = list(filter(None, [*notes, *(metric.unavailable() or "" for metric in metrics)]))
    for note in notes:
        logger.warning(note)
    usable = [metric for metric in metrics if count and not metric.unavailable()]
    measures = DistributionMeasures(usable)
    set_size = min(parameters.generated_count, count or parameters.generated_count)
    for batch in float_batches(test_images[:set_size], parameters.batch_size, "Test images"):
        measures.update(batch)
    return ReferenceSet(usable, measures.summaries(), notes, test_images.shape, set_size)


def float_batches(images: np.ndarray, size: int, what: str) -> Iterator[np.ndarray]:
    """Give uint8 images batch by batch as float32 in [0, 1], with a progress bar that says what is done."""
    for first in tqdm(range(0, len(images), size), what, unit="batch", disable=None, leave=False):
        yield images[first : first + size].astype(np.float32) / np.float32(255)


def measure_variant(
    variant: EvaluatedVariant,
    model: TrainedVariant,
    test_images: np.ndarray,
    train_images: np.ndarray,
    latent_stages: Path,
    reference: ReferenceSet,
    parameters: EvaluationConfig,
) -> EvaluatedVariant:
    """Measure a variant's reconstructions, its latents, and the images that it creates from each sampler's points.

    Reconstructed (z = mu) are the test images and as many training images, (n, h, w, 3) uint8, batch by batch; without
    test images, up to 10,000 of these. Where it can't be evaluated or its latents are not finite, nothing is measured;
    a collapsed posterior and a sampler that can't be used are among its notes. ``latent_stages`` keeps its latents and
    fitted samplers.
    """
    prior_group, fitted_groups = sampler_groups(parameters.samplers)
    variant = replace(variant, prior_group=prior_group, fitted_groups=fitted_groups)
    if variant.problem:
        return variant
    measuring = _Measuring(model, test_images, train_images, latent_stages, reference, parameters)
    try:
        measured, latent_space = measuring.reconstruct()
    except DataError as error:
        problem = f"{variant.name} is left out of the evaluation: {error}"
        logger.warning(problem)
        return replace(variant, problem=problem)
    notes, created = [], {}
    if note := measuring.collapse_note(latent_space):
        notes.append(note)
        logger.warning(note)
    for config in parameters.samplers:
        label = sampler_label(config, parameters.samplers)
        try:
            points = measuring.points(config)
        except CelebaVaeError as error:
            notes.append(f"{variant.name}, {label}: {error}")
            logger.warning(notes[-1])
            continue
        measured[label], created[label] = measuring.create(points, label)
        # the log has it from when it was fitted
        if note := one_point_note(config.name, points.sampler, points.latent_dim, points.fitted):
            notes.append(f"{variant.name}: {note}")
    return replace(
        variant, measured=measured, latent_space=latent_space, created=created, notes=(*variant.notes, *notes)
    )


@dataclass(frozen=True)
class _Measuring:
    model: TrainedVariant
    test_images: np.ndarray
    train_images: np.ndarray
    latent_stages: Path
    reference: ReferenceSet
    parameters: EvaluationConfig

    def reconstruct(self) -> tuple[dict[str, Measured], LatentSpace | None]:
        """Give the measures of reconstructions, latents and networks by group, and where the latents are."""
        train_images = self.train_images[: len(self.test_images) or TRAINING_IMAGES]
        training, latents = self._pass_through(train_images)
        measured = {"model": _size_of(self.model), "training": {**training, "images": len(train_images)}}
        if len(self.test_images):
            reconstructed = self.reference.start()
            test, latents = self._pass_through(self.test_images, reconstructed)
            measured |= {"test": test, "gap": _difference(training, test), "reconstructed": reconstructed.result()}
        if latents is not None:
            measured["latents"] = latents.measured
        return measured, latents

    def _pass_through(
        self, images: np.ndarray, set_measures: DistributionMeasures | None = None
    ) -> tuple[Measured, LatentSpace | None]:
        metrics = [create_component("metrics", each) for each in self.parameters.metrics]
        measurements = [metric.start() for metric in metrics]
        latents = LatentSpace(self.parameters.seed)
        for batch in float_batches(images, self.parameters.batch_size, f"Measuring {self.model.variant.name}"):
            mu, logvar = encoder_outputs(self.model.encoder, batch)
            latents.update(mu, logvar)
            reconstructions = decode(self.model.decoder, mu)
            for measurement in measurements:
                measurement.update(batch, reconstructions)
            if set_measures:
                set_measures.update(reconstructions)
        measured = {name: value for each in measurements for name, value in each.result().items()}
        return measured, latents if len(images) > 1 else None

    def collapse_note(self, latents: LatentSpace | None) -> str:
        """Say that the posterior has collapsed, by the test images, or of few or equal ones by training images."""
        configuration = self.model.variant.configuration
        if latents is None or latents.count < FEWEST_IMAGES or likeness_note(self.test_images, "test"):
            return training_note(self.model.encoder, self.train_images, configuration)
        return collapse_note(configuration, latents.measured["active_units"])

    def points(self, config: ComponentConfig) -> LatentPoints:
        """Give a sampler's points, fitted to the variant's own latents where it is one that is fitted."""
        parameters, encoder = self.parameters, self.model.encoder
        sampler = create_component("samplers", config)
        fitted: Mapping[str, np.ndarray] = {}
        if hasattr(sampler, "fit"):
            latents = encode_images(encoder, self.train_images[: parameters.fit_images], self.latent_stages)
            array = np.load(latents, mmap_mode="r")
            fitted = fit_to_latents(encoder, array, self.test_images, self.latent_stages, config)
        # a whole row is shown, also where there are fewer test images
        count = max(self.reference.set_size, min(parameters.columns, parameters.generated_count))
        return LatentPoints(sampler, count, self.model.decoder.input_shape[-1], parameters.seed, fitted)

    def create(self, points: LatentPoints, label: str) -> tuple[Measured, np.ndarray]:
        """Create images from points: give their measures against the test images, and the first images."""
        columns, compared = self.parameters.columns, self.reference.start()
        shown: list[np.ndarray] = []
        for block in decoded_blocks(self.model.decoder, points, f"{self.model.variant.name}, {label}"):
            compared.update(block)
            if sum(len(each) for each in shown) < columns:
                shown.append(to_uint8(block[:columns]))
        return compared.result(), np.concatenate(shown)[:columns]


def decoded_blocks(decoder: Any, points: LatentPoints, what: str) -> Iterator[np.ndarray]:
    """Decode points block by block, with a progress bar: (at most 64, h, w, 3) float32 each, as ``decode`` does."""
    with tqdm(total=points.count, desc=what, unit="image", disable=None, leave=False) as progress:
        for latents in points:
            for images in decode_batches(decoder, latents):
                progress.update(len(images))
                yield images


def _difference(training: Measured, test: Measured) -> Measured:
    pairs = {name: (value, test[name]) for name, value in training.items()}
    return {name: None if value is None or other is None else value - other for name, (value, other) in pairs.items()}


def _size_of(model: TrainedVariant) -> Measured:
    history = model.variant.history
    return {
        "encoder_parameters": model.encoder.count_params(),
        "decoder_parameters": model.decoder.count_params(),
        "latent_dim": model.decoder.input_shape[-1],
        "epochs": len(history),
        "training_seconds": float(history["seconds"].sum()) if "seconds" in history else None,
    }

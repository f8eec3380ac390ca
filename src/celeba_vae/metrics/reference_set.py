"""The test images as a set that others are compared with: of reconstructions, and of created images."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from celeba_vae.config import EvaluationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.metrics.distribution_metrics import DistributionMeasures
from celeba_vae.metrics.measures import DistributionMetric
from celeba_vae.storage import Arrays

logger = logging.getLogger(__name__)

NO_TEST_IMAGES = (
    "There are no test images to evaluate the models on. Give the test split some (data_engineering.split in"
    " parameters_data_engineering.yml), then: kedro run --pipelines data_engineering,training,evaluation"
)


@dataclass(frozen=True)
class ReferenceSet:
    """What the distribution metrics must know of the test images.

    Args:
        metrics: Those that can work here.
        summaries: What each of them knows, in their order.
        notes: What can't be measured, and why.
        shape: The test images' (n, h, w, 3).
        set_size: How many images each set has that is compared, and how many test images it is compared with.
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
    notes = [] if count else [NO_TEST_IMAGES]
    metrics = [create_component("distribution_metrics", each) for each in parameters.distribution_metrics]
    notes += list(filter(None, (metric.unavailable() for metric in metrics)))
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

"""What a training asks of the devices that it runs on: one, or several of a process, by replicas of the model.

Replicas all take the same step, that of one device. Each has an equal part of every batch. What can't be shared
equally, as the last batch of an epoch may be, each computes as a whole. So means over the parts are means over the
batch, those of Keras' synchronised batch normalisation included.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, BinaryIO

import tensorflow as tf

from celeba_vae.config import VariantConfig
from celeba_vae.errors import SettingError
from celeba_vae.models.batch import Batch, computing

Losses = Mapping[str, float]
Step = Callable[[tf.Tensor, int, Callable[[], bool]], tuple[Losses, bool]]


class Devices:
    """One device, used by one process; subclasses are several."""

    # replicas of the model
    count = 1

    def __init__(self, xla: bool = False) -> None:
        self.xla = xla

    def check(self, variant: VariantConfig) -> None:
        """Make sure that a variant can be trained here; raise a SettingError otherwise."""

    def identity(self, variant: VariantConfig) -> dict[str, Any]:
        """Give what of the devices the weights depend on: in how many parts batches are normalised, None for whole."""
        return {"batches_normalized_in_parts": None}

    def check_same(self, identity: Callable[[], Mapping[str, Any]]) -> None:
        """Make sure that all processes train the same with the same; raise a SettingError that names what differs."""

    def scope(self) -> AbstractContextManager[Any]:
        """Give the context that a model is built in."""
        return nullcontext()

    def from_chief(self, write: Callable[[BinaryIO], object]) -> BinaryIO | None:
        """Give all processes what the first of them, the chief, writes; None where there is one alone."""
        return None

    def rows(self, count: int) -> slice:
        """Say which images this process reads of a batch of ``count``."""
        return slice(0, count)

    def compile(self, step: Callable[[tf.Tensor], Mapping[str, tf.Tensor]], image_shape: tuple[int, ...]) -> Step:
        """Make a model's step, from uint8 images (n, h, w, c) to losses, callable with the ``rows`` of a batch.

        Returns:
            A function of these images, the number of images in the whole batch, and what tells whether this process is
            to stop. It gives the losses, means over the whole batch, and whether any process is to stop.
        """
        signature = [tf.TensorSpec((None, *image_shape), tf.uint8)]
        compiled = tf.function(step, input_signature=signature, jit_compile=self.xla, autograph=False)

        def take(images: tf.Tensor, count: int, stop_requested: Callable[[], bool]) -> tuple[Losses, bool]:
            losses = {name: float(loss) for name, loss in compiled(images).items()}
            return losses, stop_requested()

        return take

    def any_process(self, value: bool) -> bool:
        """Say whether ``value`` is true in any process."""
        return value


@dataclass(frozen=True)
class PartOfBatch(Batch):
    """A replica's part of a batch of ``whole`` images, as large as every other's, behind the ``first`` ones; int32."""

    first: tf.Tensor
    whole: tf.Tensor
    in_parts = True

    def count(self, images: tf.Tensor) -> tf.Tensor:
        """Give the number of images in the batch."""
        return self.whole

    def mean(self, values: tf.Tensor, axis: int | None = None) -> tf.Tensor:
        """Give the mean over the batch; the gradient is that of the part's mean, which ``combined`` makes whole."""

        @tf.custom_gradient
        def over_batch(mean: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
            # the upstream gradient is the same on every replica
            return self.combined([mean])[0], lambda upstream: upstream

        return over_batch(tf.reduce_mean(values, axis))

    def combined(self, values: list[tf.Tensor | None]) -> list[tf.Tensor | None]:
        """Give the means over the replicas."""
        # what comes from outside has no device, by which TensorFlow goes, until it is copied
        given = [tf.identity(value) for value in values if value is not None]
        means = iter(tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, given))
        return [value if value is None else next(means) for value in values]

    def rows(self, draw: Callable[[tf.Tensor], tf.Tensor], shape: tf.Tensor) -> tf.Tensor:
        """Draw for the batch and give the rows of the part."""
        return draw(tf.concat([[self.whole], shape[1:]], axis=0))[self.first : self.first + shape[0]]


class Replicas(Devices):
    """Several devices of one process, or of several that share the replicas equally; this is ``process`` of them."""

    def __init__(self, strategy: tf.distribute.Strategy, processes: int = 1, process: int = 0) -> None:
        super().__init__()
        self.strategy = strategy
        self.count = strategy.num_replicas_in_sync
        self.local_count = self.count // processes
        self._first_local = process * self.local_count

    def check(self, variant: VariantConfig) -> None:
        """Make sure that batches can be shared equally and that the KL term is one that works on several devices."""
        size = variant.batch_size
        if size % self.count:
            fewer = size - size % self.count
            fitting = [fewer, fewer + self.count] if fewer else [self.count]
            raise SettingError(
                f"variants.{variant.name}: {self.count} devices can't share batches of {size} images equally. Set"
                f" batch_size to {' or '.join(map(str, fitting))} (parameters_training.yml), or"
                " strategy: one (hardware.yml)."
            )
        if variant.model == "vae" and variant.kl_term == "add_loss":
            raise SettingError(
                f"variants.{variant.name}: kl_term: add_loss works on one device only. Set kl_term: gradient_tape,"
                " which gives the same (parameters_training.yml), or strategy: one (hardware.yml)."
            )

    def identity(self, variant: VariantConfig) -> dict[str, Any]:
        """Give what of the devices the weights depend on, as ``Devices.identity`` says."""
        in_parts = variant.layers.batch_normalization is True
        return {"batches_normalized_in_parts": self.count if in_parts else None}

    def scope(self) -> AbstractContextManager[Any]:
        """Give the context that a model is built in; its weights are those that the first replica draws."""
        return self.strategy.scope()

    def rows(self, count: int) -> slice:
        """Say which images this process reads of a batch of ``count``."""
        size, stride = self._shares(count)
        return slice(self._first_local * stride, (self._first_local + self.local_count - 1) * stride + size)

    def compile(self, step: Callable[[tf.Tensor], Mapping[str, tf.Tensor]], image_shape: tuple[int, ...]) -> Step:
        """Make a model's step callable, as ``Devices.compile`` says."""
        arguments = [
            tf.TensorSpec((None, *image_shape), tf.uint8),
            *[tf.TensorSpec((), tf.int32)] * 3,
            tf.TensorSpec((), tf.float32),
        ]

        def on_replica(images: tf.Tensor, count: tf.Tensor, stride: tf.Tensor, stop: tf.Tensor) -> Any:
            context = tf.distribute.get_replica_context()
            with computing(PartOfBatch(context.replica_id_in_sync_group * stride, count)):
                return step(images), context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(stop))

        @tf.function(input_signature=arguments, autograph=False)
        def compiled(images: tf.Tensor, count: tf.Tensor, size: tf.Tensor, stride: tf.Tensor, stop: tf.Tensor) -> Any:
            def images_of(context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
                first = (context.replica_id_in_sync_group - self._first_local) * stride
                return images[first : first + size]

            parts = self.strategy.experimental_distribute_values_from_function(images_of)
            losses, stops = self.strategy.run(on_replica, args=(parts, count, stride, stop))
            # they are the same on all
            return tf.nest.map_structure(self.of_first_replica, losses), self.of_first_replica(stops)

        def take(images: tf.Tensor, count: int, stop_requested: Callable[[], bool]) -> tuple[Losses, bool]:
            numbers = (tf.constant(each) for each in (count, *self._shares(count), float(stop_requested())))
            losses, stops = compiled(images, *numbers)
            return {name: float(loss) for name, loss in losses.items()}, bool(stops)

        return take

    def of_first_replica(self, value: Any) -> Any:
        """Give what the first of this process's replicas has."""
        return self.strategy.experimental_local_results(value)[0]

    def _shares(self, count: int) -> tuple[int, int]:
        """Give how many images of a batch each replica computes, and from one's first image to the next one's."""
        size, rest = divmod(count, self.count)
        return (count, 0) if rest else (size, size)

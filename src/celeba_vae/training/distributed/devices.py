"""What a training asks of the devices that it runs on, and the answers of one device."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO

import tensorflow as tf

from celeba_vae.config import VariantConfig

Losses = Mapping[str, float]
Step = Callable[[tf.Tensor, int, Callable[[], bool]], tuple[Losses, bool]]


class Devices:
    """One device, used by one process; subclasses are several.

    Args:
        xla: Compile steps with XLA.
    """

    # replicas of the model
    count = 1

    def __init__(self, xla: bool = False) -> None:
        self.xla = xla

    def check(self, variant: VariantConfig) -> None:
        """Make sure that a variant can be trained here.

        Raises:
            SettingError: it can't.
        """

    def check_same(self, identity: Callable[[], Mapping[str, Any]]) -> None:
        """Make sure that all processes train the same with the same.

        Raises:
            SettingError: they don't; the message names what differs.
        """

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
        compiled = tf.function(
            step,
            input_signature=[tf.TensorSpec((None, *image_shape), tf.uint8)],
            jit_compile=self.xla,
            autograph=False,
        )

        def take(images: tf.Tensor, count: int, stop_requested: Callable[[], bool]) -> tuple[Losses, bool]:
            losses = {name: float(loss) for name, loss in compiled(images).items()}
            return losses, stop_requested()

        return take

    def any_process(self, value: bool) -> bool:
        """Say whether ``value`` is true in any process."""
        return value

"""Schedules: a factor of the KL weight or of the learning rate over the epochs."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt


class Schedule(BaseModel):
    """A factor that depends on the epochs done so far, which may be fractional."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Constant(Schedule):
    """Always 1."""

    def __call__(self, epoch: Any) -> Any:
        """Give the factor after ``epoch`` epochs, float32 scalars."""
        import tensorflow as tf

        return tf.ones_like(tf.convert_to_tensor(epoch, tf.float32))


class LinearWarmUp(Schedule):
    """Rises from 0 to 1, then stays there."""

    epochs: PositiveFloat = Field(5.0, description="Epochs of the rise")

    def __call__(self, epoch: Any) -> Any:
        """Give the factor after ``epoch`` epochs, float32 scalars."""
        import tensorflow as tf

        return tf.minimum(tf.convert_to_tensor(epoch, tf.float32) / self.epochs, 1.0)


class Cosine(Schedule):
    """Falls from 1 along half a cosine, then stays (Loshchilov and Hutter 2017, without restarts)."""

    epochs: PositiveFloat | None = Field(None, description="Epochs of the fall; none: all of the variant's")
    final: NonNegativeFloat = Field(0.0, description="Factor at the end")

    def __call__(self, epoch: Any) -> Any:
        """Give the factor after ``epoch`` epochs, float32 scalars."""
        import tensorflow as tf

        done = tf.minimum(tf.convert_to_tensor(epoch, tf.float32) / self.epochs, 1.0)
        return self.final + (1 - self.final) * 0.5 * (1 + tf.cos(3.14159265 * done))


class Step(Schedule):
    """Is multiplied by ``factor`` every so many epochs."""

    every: PositiveInt = Field(10, description="Epochs between two steps")
    factor: PositiveFloat = Field(0.5, description="Factor of each step")

    def __call__(self, epoch: Any) -> Any:
        """Give the factor after ``epoch`` epochs, float32 scalars."""
        import tensorflow as tf

        return tf.pow(self.factor, tf.floor(tf.convert_to_tensor(epoch, tf.float32) / self.every))

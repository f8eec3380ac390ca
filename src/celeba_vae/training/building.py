"""Building a variant's model as its recipe says, and giving it its optimizer."""

import keras
import tensorflow as tf

from celeba_vae.models.autoencoders import VAE, Autoencoder
from celeba_vae.models.layers import KLDivergence
from celeba_vae.models.optimizers import FusedAdam, Scheduled
from celeba_vae.training.recipe import Recipe


def build_autoencoder(
    recipe: Recipe, image_shape: tuple[int, int, int], precision: str, epoch_steps: int = 1
) -> Autoencoder:
    """Build a variant's model, not compiled, for images of (height, width, channels).

    ``precision`` is a Keras dtype policy: float32, mixed_bfloat16 or mixed_float16. The KL weight's schedule goes by
    epochs of ``epoch_steps`` training steps.
    """
    variant = recipe.variant
    variational = variant.model == "vae"
    parts = {
        "encoder": recipe.encoder.build(
            image_shape,
            variant.latent_dim,
            outputs=("mu", "logvar") if variational else ("z",),
            layers=variant.layers,
            precision=precision,
            seed=variant.seed,
        ),
        "decoder": recipe.decoder.build(
            image_shape,
            variant.latent_dim,
            layers=variant.layers,
            precision=precision,
            seed=variant.seed + 1,
        ),
        "reconstruction_loss": recipe.reconstruction_loss,
    }
    if not variational:
        return Autoencoder(**parts)
    return VAE(
        **parts,
        kl_weight=variant.kl_weight,
        seed=variant.seed,
        kl_factor=lambda step: recipe.kl_schedule(tf.cast(step, tf.float32) / epoch_steps),
        kl_divergence=KLDivergence(variant.free_bits, adds_loss=variant.kl_term == "add_loss", dtype="float32"),
    )


def compile_autoencoder(model: Autoencoder, recipe: Recipe, precision: str, epoch_steps: int = 1) -> None:
    """Give the model its optimizer: Adam as the variant says, with loss scaling in mixed_float16."""
    variant = recipe.variant
    optimizer = FusedAdam(
        Scheduled(variant.learning_rate, recipe.learning_rate_schedule, epoch_steps),
        global_clipnorm=variant.gradient_clip_norm,
        use_ema=variant.ema_momentum is not None,
        ema_momentum=variant.ema_momentum or 0.0,
    )
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    # replicas can't make its variables within a step
    optimizer.build(model.trainable_weights)
    model.compile(optimizer=optimizer)

"""Trains small models on one of two virtual CPU devices and on both; see test_replicas.py."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from base_config import base_config
from discs import discs

from celeba_vae.config import HardwareConfig, VariantConfig
from celeba_vae.errors import CelebaVaeError
from celeba_vae.training.devices import configure_hardware, use_xla

HARDWARE = base_config(HardwareConfig, device="cpu", virtual_devices=2, cpu_threads=1, precision="float32")
LINE = configure_hardware(HARDWARE)

from celeba_vae.training import trainer  # noqa: E402
from celeba_vae.training.batches import steps_per_epoch  # noqa: E402
from celeba_vae.training.checkpoints import Checkpoints, _variables  # noqa: E402
from celeba_vae.training.distributed.replicas import OneDevice, training_devices  # noqa: E402
from celeba_vae.training.recipe import create_recipe  # noqa: E402

COUNT = 161
EPOCHS = 9
IMAGES = discs()


class Recording(Checkpoints):
    """A checkpoint each step, which notes the losses so far: a running mean of the epoch's steps."""

    def __init__(self, folder):
        super().__init__(folder, keep=1000)
        self.losses = []

    def save(self, model, progress, finished=False, best=False):
        values = [float(mean.result()) for mean in model.metrics]
        at_epoch_end = not any(values)
        row = progress.history.iloc[-1] if at_epoch_end else dict(zip(model.metric_names, values, strict=True))
        self.losses.append([row[name] for name in model.metric_names])
        return super().save(model, progress, finished, best)


def recipe_of(options):
    return create_recipe(
        base_config(
            VariantConfig,
            name="small",
            latent_dim=8,
            encoder={"name": "conv", "filters": (8, 16), "kernel_sizes": (3, 3), "strides": (2, 2)},
            decoder={
                "name": "conv_transpose",
                "filters": (8, 3),
                "kernel_sizes": (3, 3),
                "strides": (2, 2),
                "start_filters": 16,
            },
            **{"epochs": EPOCHS, "batch_size": 32, "checkpoint_steps": 1, "learning_rate": 1e-3, **options},
        )
    )


def trained(devices, recipe, folder):
    steps = steps_per_epoch(COUNT, recipe.variant.batch_size)
    with devices.scope():
        model = trainer.build_autoencoder(recipe, (16, 16, 3), "float32", steps)
        trainer.compile_autoencoder(model, recipe, "float32", steps)
    checkpoints = Recording(folder)
    history = trainer.train(model, recipe, IMAGES[:COUNT], IMAGES[COUNT:], checkpoints, devices=devices)
    return model, history, np.array(checkpoints.losses)


def difference(losses, reference):
    return (np.abs(losses - reference) / np.maximum(np.abs(reference), 1e-12)).max(axis=1).tolist()


def copies_differ_by(model):
    copies = [[copy.numpy() for copy in variable.value.values] for variable in _variables(model)]
    return max(float(np.abs(first - second).max()) for first, second in copies)


def compare(options, folder):
    recipe = recipe_of(options)
    _, history, one = trained(OneDevice(), recipe, folder / "one")
    model, histories, both = trained(training_devices(HARDWARE), recipe, folder / "both")
    columns = [name for name in history if name.startswith("validation")]
    inference = trainer.build_autoencoder(recipe, (16, 16, 3), "float32")
    encoder, _ = trainer.inference_models(model.kept_weights(), inference)
    return {
        "steps": difference(both, one),
        "validation": max(difference(histories[columns].to_numpy(), history[columns].to_numpy())),
        "copies_differ_by": copies_differ_by(model),
        **described(encoder),
    }


def moved(options, folder):
    """Go on from the replicas' checkpoint after four epochs; compare with one device from the start."""
    for checkpoint in (folder / "both").glob("step_*"):
        if int(checkpoint.name.removeprefix("step_")) != 4 * 6:
            shutil.rmtree(checkpoint)
    _, _, losses = trained(OneDevice(), recipe_of(options), folder / "both")
    _, _, one = trained(OneDevice(), recipe_of(options), folder / "again")
    return difference(losses, one[-len(losses) :])


def described(encoder):
    return {
        "layers": [type(layer).__name__ for layer in encoder.layers],
        "weights": [weight.path for weight in encoder.weights],
    }


def refusal(call):
    try:
        call()
    except CelebaVaeError as error:
        return str(error)
    return "nothing"


def main(cases, folder):
    results = {name: compare(options, folder / name) for name, options in cases.items()}
    results["moved"] = moved(cases["all"], folder / "all")
    one = trainer.build_autoencoder(recipe_of({}), (16, 16, 3), "float32")
    results["one device"] = described(one.encoder)
    add_loss = recipe_of({"kl_term": "add_loss"}).variant
    results["refused"] = {
        "add_loss": refusal(lambda: training_devices(HARDWARE).check(add_loss)),
        "xla": refusal(lambda: use_xla(HARDWARE.model_copy(update={"xla": True}))),
    }
    results["line"] = LINE
    print(json.dumps(results))


main(json.loads(sys.argv[1]), Path(sys.argv[2]))

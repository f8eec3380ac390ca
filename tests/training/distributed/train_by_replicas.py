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
from celeba_vae.training.hardware import configure_hardware

HARDWARE = base_config(HardwareConfig, device="cpu", virtual_devices=2, cpu_threads=1, precision="float32")
ONE_DEVICE = HARDWARE.model_copy(update={"strategy": "one"})
LINE = configure_hardware(HARDWARE)

from celeba_vae.training.checkpoints import Checkpoints, state_of  # noqa: E402
from celeba_vae.training.recipe import create_recipe  # noqa: E402
from celeba_vae.training.trainer import Trainer  # noqa: E402

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
        super().save(model, progress, finished, best)


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


def trained(hardware, recipe, folder):
    trainer = Trainer(recipe, IMAGES[:COUNT], IMAGES[COUNT:], hardware)
    checkpoints = Recording(folder)
    history = trainer.train(checkpoints)
    return trainer, history, np.array(checkpoints.losses)


def difference(losses, reference):
    return (np.abs(losses - reference) / np.maximum(np.abs(reference), 1e-12)).max(axis=1).tolist()


def copies_differ_by(model):
    copies = [[copy.numpy() for copy in variable.value.values] for variable in state_of(model)]
    return max(float(np.abs(first - second).max()) for first, second in copies)


def compare(options, folder):
    recipe = recipe_of(options)
    _, history, one = trained(ONE_DEVICE, recipe, folder / "one")
    trainer, histories, both = trained(HARDWARE, recipe, folder / "both")
    columns = [name for name in history if name.startswith("validation")]
    encoder, _ = trainer.inference_models(Checkpoints(folder / "both"))
    return {
        "steps": difference(both, one),
        "validation": max(difference(histories[columns].to_numpy(), history[columns].to_numpy())),
        "copies_differ_by": copies_differ_by(trainer.model),
        **described(encoder),
    }


def moved(options, folder):
    """Go on from the replicas' checkpoint after four epochs; compare with one device from the start."""
    for checkpoint in (folder / "both").glob("step_*"):
        if int(checkpoint.name.removeprefix("step_")) != 4 * 6:
            shutil.rmtree(checkpoint)
    _, _, losses = trained(ONE_DEVICE, recipe_of(options), folder / "both")
    _, _, one = trained(ONE_DEVICE, recipe_of(options), folder / "again")
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
    images = IMAGES[:COUNT], IMAGES[COUNT:]
    results["one device"] = described(Trainer(recipe_of({}), *images, ONE_DEVICE).model.encoder)
    refused = {
        "add_loss": ({"kl_term": "add_loss"}, HARDWARE),
        "batch_size": ({"batch_size": 33}, HARDWARE),
        "xla": ({}, HARDWARE.model_copy(update={"xla": True})),
    }
    results["refused"] = {
        name: refusal(lambda: Trainer(recipe_of(options), *images, hardware))  # noqa: B023  called at once
        for name, (options, hardware) in refused.items()
    }
    results["line"] = LINE
    print(json.dumps(results))


main(json.loads(sys.argv[1]), Path(sys.argv[2]))

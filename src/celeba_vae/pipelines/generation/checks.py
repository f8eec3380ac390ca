"""What is looked at before faces are generated."""

import math
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np

from celeba_vae.config import GenerationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.config.validation import of_setting
from celeba_vae.errors import DataError
from celeba_vae.latent.directions import check_attribute
from celeba_vae.latent.faces import names_of, row_of_face
from celeba_vae.photos.own_photos import photo_files
from celeba_vae.pipelines.data_engineering.checks import count_of_test_images, image_shape
from celeba_vae.pipelines.run_inputs import RunInputs
from celeba_vae.storage.atomic import check_room

# bytes of a face's PNG for each of its pixels' values: 0.59 as decoded, 0.68 sharpened, with the disk's blocks 0.74
PNG_SHARE = 0.75


def needed(run: RunInputs) -> dict[str, str]:
    """Name all that these nodes read, the models too, and say what does without those that are only compared."""
    read = run.read_by("generation")
    advice = ""
    if "sampler_comparison" in run.made:
        parameters = run.parameters(GenerationConfig)
        untrained = sorted(variant for variant in parameters.compared if f"{variant}.decoder" in run.missing)
        if untrained and parameters.variant not in untrained:
            advice = (
                f"Only the comparison of samplers needs {', '.join(untrained)}: --params"
                f" generation.compared={parameters.variant} does without."
            )
    return dict.fromkeys(read, advice)


def check_components(run: RunInputs) -> None:
    """Create the samplers and enhancers that the parameters name: a SettingError where one can't be made or fitted."""
    if "params:generation" not in run.read:
        return
    parameters = run.parameters(GenerationConfig)
    for name, config in (("sampler", parameters.sampler), ("compared_sampler", parameters.compared_sampler)):
        with of_setting(f"generation.{name}"):
            sampler = create_component("samplers", config)
            fitted = sorted(output for output in run.made if output.endswith(f".fitted_{name}"))
            for output in fitted if hasattr(sampler, "check") else []:
                variational = run.variant(output.removesuffix(f".fitted_{name}")).model == "vae"
                # what is only compared is left out where the data does not suffice
                with suppress(DataError) if name == "compared_sampler" else nullcontext():
                    sampler.check(variational, count_of_test_images(run))
    for config in parameters.enhancer:
        with of_setting("generation.enhancer"):
            create_component("enhancers", config)


def check_attributes(run: RunInputs) -> None:
    """Look for the attributes to move faces along, where the images' are known: a SettingError where there is none."""
    if {"train_attributes", "params:generation"} <= run.read:
        names = run.parameters(GenerationConfig).attributes.names
        if names != "auto":
            known = list(run.load("train_attributes").columns.drop("image_id"))
            for name in names:
                check_attribute(name, known)


def check_room_for_images(run: RunInputs) -> None:
    """Raise a DataError unless the disk holds the points and images that are to be generated."""
    folders = {"generated_images", "sharpened_images"} & run.made
    if not folders or not isinstance(place := run.place("generated_images"), Path):
        return
    parameters = run.parameters(GenerationConfig)
    latent_dim = run.variant(parameters.variant).latent_dim
    png = PNG_SHARE * math.prod(image_shape(run))
    check_room(
        place.parent,
        round(parameters.count * (latent_dim * np.dtype(np.float32).itemsize + len(folders) * png)),
        f"generation.count = {parameters.count:,} images and their points",
        "a smaller generation.count",
    )


def check_faces(run: RunInputs) -> None:
    """Look for the faces to take through latent space, where they are known: a SettingError where one is not there."""
    if "interpolated_faces" not in run.made:
        return
    parameters = run.parameters(GenerationConfig)
    way, moved = parameters.interpolation, parameters.attributes
    wanted = [(way.between, "interpolation.start", way.start), (way.between, "interpolation.end", way.end)]
    if not isinstance(moved.shown, int):
        wanted += [(moved.faces, "attributes.shown", face) for face in moved.shown]
    for source, setting, face in wanted:
        if source == "own_photos":
            folder = run.load("own_photos")
            # one that can't be read is left out later
            row_of_face(face, [path.name for path in photo_files(folder)], str(folder), f"generation.{setting}")
        elif source == "generated_images" and "generated_latents" in run.made:
            row_of_face(face, names_of(source, parameters.count), source, f"generation.{setting}")
        elif source == "test_images" and (count := count_of_test_images(run)):
            # without any, pictures say so
            row_of_face(face, names_of(source, count), source, f"generation.{setting}")


CHECKS = (check_components, check_attributes, check_room_for_images, check_faces)

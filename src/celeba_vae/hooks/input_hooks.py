"""Stops a run that can't succeed before TensorFlow is loaded and before any node runs."""

import logging
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import AbstractVersionedDataset, CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline

from celeba_vae.config import (
    ComponentConfig,
    DataEngineeringConfig,
    EvaluationConfig,
    GenerationConfig,
    VariantConfig,
)
from celeba_vae.config.plugins import create_component
from celeba_vae.datasets import FolderDataset, place_of
from celeba_vae.datasets.missing_input import MissingInput, can_do_without
from celeba_vae.errors import DataError, SettingError
from celeba_vae.hooks.catalogs import replace_dataset
from celeba_vae.hooks.run_record_hooks import RUN_RECORD
from celeba_vae.latent.directions import check_attribute, unknown_attribute
from celeba_vae.latent.faces import find_face, names_of_generated_images, names_of_test_images
from celeba_vae.photos.own_photos import photo_files
from celeba_vae.preparation.dask import check_dask
from celeba_vae.storage import RemotePath
from celeba_vae.storage.atomic import check_room
from celeba_vae.training.checkpoints import refuse_changed_training
from celeba_vae.training.recipe import create_recipe

logger = logging.getLogger(__name__)

# bytes of a face's PNG for each of its pixels' values: 0.59 as decoded, 0.68 sharpened, with the disk's blocks 0.74
PNG_SHARE = 0.75


class DataCheckHooks:
    """Checks what a run starts from: the originals, the datasets of earlier runs, the components that it names."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Check the cheapest first; raises the ``CelebaVaeError`` that says what to do."""
        check_storage(pipeline, catalog)
        check_source(pipeline, catalog)
        check_cluster(pipeline, catalog)
        check_load_versions(run_params.get("load_versions") or {}, catalog)
        check_inputs(pipeline, catalog, run_params.get("env"))
        check_model_versions(pipeline, catalog)
        check_components(pipeline, catalog)
        check_named_components(pipeline, catalog)
        check_attributes(pipeline, catalog)
        check_room_for_images(pipeline, catalog)
        check_faces(pipeline, catalog)


def check_storage(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Make sure that working folders are local, and that each remote file system that the run uses can be reached.

    Raises:
        SettingError: a working folder is not local.
        DataError: a bucket is not there, or its store can't be reached or refuses.
    """
    places: dict[tuple[Any, str], RemotePath] = {}
    for name in sorted(pipeline.datasets()):
        dataset = catalog.get(name)
        if isinstance(dataset, FolderDataset):
            dataset.check(name)
            place = dataset.load()
        elif hasattr(dataset, "_filepath"):
            place = place_of(dataset, dataset._filepath)
        else:
            continue
        if isinstance(place, RemotePath):
            places.setdefault((place.fs, place.parts[0]), place.parent)
    for place in places.values():
        place.check()


def check_source(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Let the source look at the folder of originals when a node is going to read them.

    Raises:
        DataError: the source finds no images.
        SettingError: no such source, or a wrong option.
    """
    if any("raw_folder" in node.inputs for node in pipeline.nodes):
        create_component("sources", _data_engineering(catalog).source).check(catalog["raw_folder"].load())


def check_cluster(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Look for Dask when a node is going to prepare images and the parameters ask for it.

    Raises:
        SettingError: it is not installed.
    """
    if any("preparation_folder" in node.inputs for node in pipeline.nodes):
        check_dask(_data_engineering(catalog).cluster)


def check_load_versions(load_versions: dict[str, str], catalog: CatalogProtocol) -> None:
    """Look for the versions that ``--load-versions`` names.

    Raises:
        DataError: there is no such version.
    """
    for name, version in load_versions.items():
        dataset = catalog.get(name)
        if not isinstance(dataset, AbstractVersionedDataset) or dataset._version is None:
            raise DataError(f"--load-versions names {name}, which keeps no versions.")
        if not dataset.exists():
            existing = dataset.list_versions(full_path=False)
            raise DataError(f"{name} has no version {version}. Existing versions: {', '.join(existing) or 'none'}.")


def check_inputs(pipeline: Pipeline, catalog: CatalogProtocol, env: str | None = None) -> None:
    """Look for every dataset that the pipeline reads and does not make itself.

    Where only such are missing as every node that reads them goes on without, they are replaced by ``MissingInput``.

    Raises:
        DataError: others are missing, or all models; the message names all with the command that makes it. Or the run
            is a part of a pipeline that needs what other nodes keep in memory.
    """
    kept_in_memory = [name for name in sorted(pipeline.inputs()) if _is_only_in_memory(name, catalog)]
    if kept_in_memory:
        raise DataError(
            f"This part of the pipeline needs {', '.join(kept_in_memory)}, which other nodes of it make and keep in"
            " memory only. Run the whole pipeline: without --namespaces, --nodes, --from-nodes or --tags."
        )
    missing = {
        name: _command_that_makes(name, env) for name in sorted(pipeline.inputs()) if not _is_there(name, catalog)
    }
    needed = {name for node in pipeline.nodes for name in node.inputs if not can_do_without(node.tags, name)}
    models = {name for name in pipeline.inputs() if name.endswith(".encoder")}
    if not needed & missing.keys() and not (models and models <= missing.keys()):
        for name, command in missing.items():
            replace_dataset(catalog, name, MemoryDataset(MissingInput(name, command)))
        return
    made_by = defaultdict(list)
    for name, command in missing.items():
        made_by[command].append(name)
    lines = [f"  {', '.join(names)}: {command}" for command, names in made_by.items()]
    lines += _what_does_without(missing, pipeline, catalog)
    raise DataError("\n".join(["This run starts from data that is not there. Make it by", *lines]))


def check_model_versions(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Make sure that a variant's encoder and decoder are of one training: of the version that its run gave them.

    What one training's encoder makes of images is nothing that another's decoder has learnt to read.

    Raises:
        DataError: their versions differ; the message names the versions to choose instead.
    """
    read = pipeline.inputs()
    for encoder in sorted(name for name in read if name.endswith(".encoder")):
        variant = encoder.removesuffix(".encoder")
        models = {name: _versioned(name, catalog) for name in (encoder, f"{variant}.decoder") if name in read}
        if not all(models.values()):
            continue
        versions = {name: dataset.resolve_load_version() for name, dataset in models.items()}
        if len(set(versions.values())) > 1:
            chosen = ", ".join(f"{name} {version}" for name, version in versions.items())
            raise DataError(
                f"{chosen}: encoder and decoder of different trainings, whose latents mean different things."
                f" {_what_is_of_one_training(variant, read, set(versions.values()), catalog)}"
            )


def check_components(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Create the components of each variant that is to be trained; hold them against the images' size and its past.

    Raises:
        SettingError: no such component, a wrong option, layers that don't fit, or a variant that has been trained with
            other settings.
    """
    made = pipeline.all_outputs()
    for parameter in sorted(pipeline.inputs()):
        name = parameter.removeprefix("params:variants.")
        if name != parameter and f"{name}.encoder" in made:
            variant = VariantConfig.model_validate(catalog[parameter].load())
            try:
                _check_variant(variant, _image_shape(pipeline, catalog), catalog[f"{name}.checkpoints"].load())
            except SettingError as error:
                raise SettingError(f"variants.{name}: {error}") from error


def check_named_components(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Create the samplers, enhancers and metrics that generation and evaluation are going to use.

    Raises:
        SettingError: no such component, a wrong option, or a sampler that can't be fitted to a variant or these images.
    """
    wanted: list[tuple[str, str, tuple[ComponentConfig, ...]]] = []
    if "params:generation" in pipeline.inputs():
        generation = _generation(catalog)
        wanted += [
            ("generation.sampler", "samplers", (generation.sampler,)),
            ("generation.compared_sampler", "samplers", (generation.compared_sampler,)),
            ("generation.enhancer", "enhancers", generation.enhancer),
        ]
    if "params:evaluation" in pipeline.inputs():
        evaluation = EvaluationConfig.model_validate(catalog["params:evaluation"].load())
        kinds = ("metrics", "distribution_metrics", "samplers")
        wanted += [(f"evaluation.{kind}", kind, getattr(evaluation, kind)) for kind in kinds]
    for setting, kind, components in wanted:
        for component in components:
            try:
                created = create_component(kind, component)
                for variant in _fitted_to(setting, pipeline):
                    if hasattr(created, "check"):
                        created.check(_is_variational(variant, catalog), _count_of_test_images(pipeline, catalog))
            except SettingError as error:
                raise SettingError(f"{setting}: {error}") from error


def check_attributes(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Look for the attributes that settings name, where those of the images are known already.

    One that would only colour a picture is missed in a warning.

    Raises:
        SettingError: there is no such attribute to move faces along.
    """
    if {"train_attributes", "params:generation"} <= pipeline.inputs():
        names = _generation(catalog).attributes.names
        if names != "auto":
            known = list(catalog["train_attributes"].load().columns.drop("image_id"))
            for name in names:
                check_attribute(name, known)
    if {"test_attributes", "params:evaluation"} <= pipeline.inputs():
        colouring = EvaluationConfig.model_validate(catalog["params:evaluation"].load()).attribute
        attributes = catalog["test_attributes"].load()
        known = [] if isinstance(attributes, MissingInput) else list(attributes.columns.drop("image_id"))
        if known and colouring not in known:
            logger.warning("evaluation.attribute: %s", unknown_attribute(colouring, known))


def check_faces(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Look for the faces that are to be taken through latent space, where it is known already which there are.

    Raises:
        SettingError: there is no such face.
    """
    if "interpolated_faces" not in pipeline.all_outputs():
        return
    parameters = _generation(catalog)
    way, moved = parameters.interpolation, parameters.attributes
    wanted = [(way.between, "interpolation.start", way.start), (way.between, "interpolation.end", way.end)]
    if not isinstance(moved.shown, int):
        wanted += [(moved.faces, "attributes.shown", face) for face in moved.shown]
    for source, setting, face in wanted:
        if source == "own_photos":
            folder = catalog["own_photos"].load()
            # one that can't be read is left out later
            find_face(face, [path.name for path in photo_files(folder)], str(folder), f"generation.{setting}")
        elif source == "generated_images" and "generated_latents" in pipeline.all_outputs():
            find_face(face, names_of_generated_images(parameters.count), source, f"generation.{setting}")
        elif source == "test_images" and (count := _count_of_test_images(pipeline, catalog)) is not None:
            find_face(face, names_of_test_images(count), source, f"generation.{setting}")


def check_room_for_images(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Make sure that the disk holds the points and images that are to be generated.

    Raises:
        DataError: it does not.
    """
    folders = {"generated_images", "sharpened_images"} & pipeline.all_outputs()
    place = place_of(catalog["generated_images"], catalog["generated_images"]._filepath) if folders else None
    if not isinstance(place, Path):
        return
    parameters = _generation(catalog)
    latent_dim = _variant(parameters.variant, catalog).latent_dim
    png = PNG_SHARE * math.prod(_image_shape(pipeline, catalog))
    check_room(
        place.parent,
        round(parameters.count * (latent_dim * np.dtype(np.float32).itemsize + len(folders) * png)),
        f"generation.count = {parameters.count:,} images and their points",
        "a smaller generation.count",
    )


def _versioned(name: str, catalog: CatalogProtocol) -> AbstractVersionedDataset | None:
    dataset = catalog.get(name)
    return dataset if isinstance(dataset, AbstractVersionedDataset) else None


def _what_is_of_one_training(variant: str, read: set[str], chosen: set[str], catalog: CatalogProtocol) -> str:
    """Say what to pass so that all that a run reads of a training is of one: of those chosen, or the newest."""
    saved_together = [f"{variant}.{name}" for name in ("encoder", "decoder", "history", "configuration")]
    versions = {
        name: set(dataset.list_versions(full_path=False))
        for name in saved_together
        if name in read and (dataset := _versioned(name, catalog))
    }
    of_both = versions[f"{variant}.encoder"] & versions[f"{variant}.decoder"]
    if not of_both:
        return f"No version has both: kedro run --pipelines variants --namespaces {variant} trains them."
    # where one of those chosen is of both, the older one, since the newest need not be asked for
    version = min(of_both & chosen, default=max(of_both))
    pinned = ",".join(f"{name}:{version}" for name, existing in versions.items() if version in existing)
    return f"Name one version of both: --load-versions {pinned}"


def _check_variant(variant: VariantConfig, image_shape: tuple[int, int, int], checkpoints: Path) -> None:
    recipe = create_recipe(variant)
    recipe.encoder.check(image_shape, variant.latent_dim)
    recipe.decoder.check(image_shape, variant.latent_dim)
    if not variant.fresh:
        refuse_changed_training(checkpoints, recipe.identity(), variant.name)


def _image_shape(pipeline: Pipeline, catalog: CatalogProtocol) -> tuple[int, int, int]:
    if "train_images" in pipeline.inputs():
        return catalog["train_images"].load().shape[1:]
    return _data_engineering(catalog).image_shape


def _count_of_test_images(pipeline: Pipeline, catalog: CatalogProtocol) -> int | None:
    """Count the test images; None where this run is going to prepare them."""
    return len(catalog["test_images"].load()) if "test_images" in pipeline.inputs() else None


def _fitted_to(setting: str, pipeline: Pipeline) -> list[str]:
    """Name the variants to whose latents this run fits the sampler in a setting."""
    fitted = f".fitted_{setting.removeprefix('generation.')}"
    return sorted(name.removesuffix(fitted) for name in pipeline.all_outputs() if name.endswith(fitted))


def _is_variational(variant: str, catalog: CatalogProtocol) -> bool:
    return _variant(variant, catalog).model == "vae"


def _variant(name: str, catalog: CatalogProtocol) -> VariantConfig:
    return VariantConfig.model_validate(catalog[f"params:variants.{name}"].load())


def _generation(catalog: CatalogProtocol) -> GenerationConfig:
    return GenerationConfig.model_validate(catalog["params:generation"].load())


def _data_engineering(catalog: CatalogProtocol) -> DataEngineeringConfig:
    return DataEngineeringConfig.model_validate(catalog["params:data_engineering"].load())


def _is_there(name: str, catalog: CatalogProtocol) -> bool:
    dataset = catalog.get(name)
    # the record of a run is made by a hook; a working folder is made when it is needed
    return dataset is None or isinstance(dataset, FolderDataset) or dataset.exists()


def _is_only_in_memory(name: str, catalog: CatalogProtocol) -> bool:
    dataset = catalog.get(name)
    if dataset is None:
        # a hook puts the record of a run into the catalog
        return name != RUN_RECORD
    return isinstance(dataset, MemoryDataset) and not dataset.exists()


def _what_does_without(missing: Mapping[str, str], pipeline: Pipeline, catalog: CatalogProtocol) -> list[str]:
    if "sampler_comparison" not in pipeline.all_outputs():
        return []
    parameters = _generation(catalog)
    untrained = {variant for variant in parameters.compared if f"{variant}.decoder" in missing}
    if not untrained or f"{parameters.variant}.decoder" in missing:
        return []
    return [
        f"Only the comparison of samplers needs {', '.join(sorted(untrained))}: --params"
        f" generation.compared={parameters.variant} does without."
    ]


def _command_that_makes(name: str, env: str | None) -> str:
    for pipeline_name, pipeline in pipelines.items():
        for node in pipeline.nodes:
            if name in node.outputs and pipeline_name != "__default__":
                environment = f" --env {env}" if env else ""
                namespace = f" --namespaces {node.namespace}" if node.namespace else ""
                return f"kedro run{environment} --pipelines {pipeline_name}{namespace}"
    return "no pipeline makes it: put it where the catalog says"

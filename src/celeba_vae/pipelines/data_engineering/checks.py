"""What is looked at before originals are read and prepared."""

from celeba_vae.config import DataEngineeringConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.pipelines.run_inputs import RunInputs
from celeba_vae.preparation.dask import check_dask


def check_source(run: RunInputs) -> None:
    """Let the source look at the folder of originals: a DataError where it finds no images."""
    if "raw_folder" in run.read:
        create_component("sources", run.parameters(DataEngineeringConfig).source).check(run.load("raw_folder"))


def check_cluster(run: RunInputs) -> None:
    """Look for Dask where the parameters ask for it: a SettingError where it is not installed."""
    if "preparation_folder" in run.read:
        check_dask(run.parameters(DataEngineeringConfig).cluster)


def image_shape(run: RunInputs) -> tuple[int, int, int]:
    """Give (height, width, 3) of the training images, those that are there or those that the run is to prepare."""
    if "train_images" in run.read:
        return run.load("train_images").shape[1:]
    return run.parameters(DataEngineeringConfig).image_shape


def count_of_test_images(run: RunInputs) -> int | None:
    """Count the test images; None where the run is to prepare them."""
    return len(run.load("test_images")) if "test_images" in run.read else None


CHECKS = (check_source, check_cluster)

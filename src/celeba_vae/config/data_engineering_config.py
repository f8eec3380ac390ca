"""Parameters of the pipeline ``data_engineering``."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, field_validator

from celeba_vae.config.base import ComponentConfig, NoneFromText, Parameters


def _scheduler(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"local|(tcp|tls)://\S+:\d+", value):
        raise ValueError("give none, local, or a scheduler's address such as tcp://host:8786")
    return value


class SplitConfig(Parameters, block="data_engineering.split"):
    """How images are divided into training, validation and test images."""

    by: Literal["auto", "partition", "counts"] = Field(
        description="CelebA's partition file (partition), seeded counts (counts), or the file where it exists and no"
        " split stays empty for want of images (auto)"
    )
    train: PositiveInt = Field(description="Training images, when split by counts")
    validation: int = Field(ge=0, description="Validation images, when split by counts")
    test: int = Field(ge=0, description="Test images, when split by counts; fewer images: all scaled down")
    seed: int = Field(ge=0, description="Seed of the order in which counts are dealt out")


class ClusterConfig(Parameters, block="data_engineering.cluster"):
    """Where images are prepared: in this process, or by Dask's workers (the extra dask)."""

    scheduler: Annotated[str | None, AfterValidator(_scheduler), NoneFromText] = Field(
        description="none: this process; local: worker processes of their own on this machine; or the address of a Dask"
        " scheduler, such as tcp://host:8786"
    )
    processes: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="Worker processes that local starts; none: one per processor"
    )
    timeout: PositiveFloat = Field(description="Seconds to wait for a worker when there is none")


class DataEngineeringConfig(Parameters, block="data_engineering"):
    """From original images to arrays."""

    source: ComponentConfig = Field(description="Where the images come from: celeba, folder, synthetic or a plugin")
    crop: Annotated[Literal["auto"] | PositiveInt | tuple[int, int, int, int] | None, NoneFromText] = Field(
        description="auto: the centre 148x148 of CelebA's own form (178x218), the largest centre square of any other;"
        " or the side of a centre square, or a box [left, top, right, bottom] in pixels, or none"
    )
    image_size: PositiveInt | tuple[PositiveInt, PositiveInt] = Field(
        description="Side of the square result in pixels, or [height, width]"
    )
    split: SplitConfig = Field(description="How images become training, validation and test images")
    max_bad_share: float = Field(
        ge=0,
        le=1,
        description="The run stops when more than this share of the images that are there is damaged, or has nothing"
        " from a list",
    )
    workers: Annotated[PositiveInt | None, NoneFromText] = Field(
        description="Threads; none: one per processor, 16 for images in a bucket. The result never depends on it"
    )
    cluster: ClusterConfig = Field(
        description="Worker processes, here or on other machines. The result never depends on it"
    )
    fresh: bool = Field(description="Prepare again although nothing has changed")
    preview_count: PositiveInt = Field(description="Images in the preview grid")
    preview_seed: int = Field(ge=0, description="Seed that chooses the images of the preview grid")

    @field_validator("crop")
    @classmethod
    def _box_is_not_empty(cls, crop: Any) -> Any:
        if isinstance(crop, tuple):
            left, top, right, bottom = crop
            if not (0 <= left < right and 0 <= top < bottom):
                raise ValueError(
                    f"a box is [left, top, right, bottom], 0 <= left < right and 0 <= top < bottom, not {list(crop)}"
                )
        return crop

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, 3) of a prepared image."""
        size = self.image_size
        height, width = (size, size) if isinstance(size, int) else size
        return height, width, 3

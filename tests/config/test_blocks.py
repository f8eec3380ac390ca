"""Parameter blocks agree with the files of settings and say in one line what is wrong."""

from functools import reduce

import pytest
from base_config import CONF, base_config
from pydantic import BaseModel, ValidationError

from celeba_vae import config
from celeba_vae.config import (
    ClusterConfig,
    ComponentConfig,
    DataEngineeringConfig,
    EvaluationConfig,
    GenerationConfig,
    HardwareConfig,
    VariantConfig,
)
from celeba_vae.config.reading import read_parameters

MODELS = [model for model in vars(config).values() if isinstance(model, type) and issubclass(model, BaseModel)]
BLOCKS = [model for model in MODELS if hasattr(model, "block")]


@pytest.mark.parametrize("model", BLOCKS)
def test_the_files_hold_every_setting_and_the_models_no_value(model):
    values = reduce(lambda block, name: block[name], model.block.split("."), read_parameters(CONF))
    # which variants are trained is no setting of one; a variant's name is that of its block
    assert values.keys() - {"variants"} == model.model_fields.keys() - {"name", "variants"}
    assert [name for name, field in model.model_fields.items() if name != "name" and not field.is_required()] == []
    assert set(base_config(model).model_dump()) == set(model.model_fields)


def test_every_setting_is_described():
    missing = [
        f"{m.__name__}.{name}" for m in MODELS for name, field in m.model_fields.items() if not field.description
    ]

    assert missing == []


def test_none_can_be_given_on_the_command_line():
    assert base_config(VariantConfig, image_count="none").image_count is None
    assert base_config(HardwareConfig, gpu_memory_limit="None", cpu_threads="null").cpu_threads is None
    assert base_config(DataEngineeringConfig, crop="none").crop is None
    assert base_config(DataEngineeringConfig).crop == base_config(DataEngineeringConfig, crop="auto").crop == "auto"
    assert base_config(EvaluationConfig, variants="vae").variants == ("vae",)


def test_blocks_refuse_unknown_names_and_changes():
    with pytest.raises(ValidationError):
        base_config(GenerationConfig, colums=3)
    with pytest.raises(ValidationError):
        base_config(GenerationConfig).columns = 3


def test_a_value_that_no_file_has_is_missed():
    with pytest.raises(ValidationError, match=r"columns\s+Field required"):
        GenerationConfig.model_validate(base_config(GenerationConfig).model_dump(exclude={"columns"}))


def test_a_cluster_is_named_in_one_of_three_ways():
    for scheduler in ("none", "local", "tcp://host:8786", "tls://10.0.0.1:8786"):
        base_config(DataEngineeringConfig, cluster=base_config(ClusterConfig, scheduler=scheduler))
    with pytest.raises(ValidationError, match="give none, local, or a scheduler's address such as tcp://host:8786"):
        base_config(ClusterConfig, scheduler="localhost:8786")


def test_image_size_is_a_side_or_height_and_width():
    assert base_config(DataEngineeringConfig, image_size=64).image_shape == (64, 64, 3)
    assert base_config(DataEngineeringConfig, image_size=[128, 96]).image_shape == (128, 96, 3)


def test_a_components_options_are_all_but_its_name():
    assert ComponentConfig(name="conv", filters=[1, 2]).options == {"filters": [1, 2]}
    assert ComponentConfig(name="conv").options == {}

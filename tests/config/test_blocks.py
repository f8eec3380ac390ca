"""Parameter blocks agree with the files of settings and say in one line what is wrong."""

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from celeba_vae import config
from celeba_vae.config import (
    ComponentConfig,
    DataEngineeringConfig,
    EvaluationConfig,
    GenerationConfig,
    HardwareConfig,
    VariantConfig,
)

CONF = Path(__file__).parents[2] / "conf/base"


def block(file: str, name: str) -> dict:
    return yaml.safe_load((CONF / file).read_text())[name]


@pytest.mark.parametrize(
    ("file", "name", "model"),
    [
        ("parameters_data_engineering.yml", "data_engineering", DataEngineeringConfig),
        ("parameters_generation.yml", "generation", GenerationConfig),
        ("parameters_evaluation.yml", "evaluation", EvaluationConfig),
        ("hardware.yml", "hardware", HardwareConfig),
    ],
)
def test_the_files_hold_every_setting_with_its_default(file, name, model):
    values = block(file, name)

    assert set(values) == set(model.model_fields)
    assert model.model_validate(values) == model()


def test_what_variants_share_is_in_the_file_with_its_default():
    shared = block("parameters_training.yml", "training")
    shared.pop("variants")
    own_to_a_variant = {"name", "model", "kl_weight"}

    assert set(shared) == set(VariantConfig.model_fields) - own_to_a_variant
    defaults = VariantConfig()
    validated = VariantConfig.model_validate(shared)
    for name in set(shared) - {"encoder", "decoder"}:
        assert getattr(validated, name) == getattr(defaults, name), name
    assert (validated.encoder.name, validated.decoder.name) == (defaults.encoder.name, defaults.decoder.name)


def test_every_setting_is_described():
    models = [
        m for m in vars(config).values() if isinstance(m, type) and issubclass(m, BaseModel) and m is not BaseModel
    ]

    missing = [
        f"{m.__name__}.{name}" for m in models for name, field in m.model_fields.items() if not field.description
    ]

    assert missing == []


def test_none_can_be_given_on_the_command_line():
    assert VariantConfig(image_count="none").image_count is None
    assert HardwareConfig(gpu_memory_limit="None", cpu_threads="null").cpu_threads is None
    assert DataEngineeringConfig(crop="none").crop is None
    assert EvaluationConfig(variants="vae").variants == ("vae",)


def test_blocks_refuse_unknown_names_and_changes():
    with pytest.raises(ValidationError):
        GenerationConfig(colums=3)
    with pytest.raises(ValidationError):
        GenerationConfig().columns = 3


def test_a_cluster_is_named_in_one_of_three_ways():
    for scheduler in ("none", "local", "tcp://host:8786", "tls://10.0.0.1:8786"):
        DataEngineeringConfig(cluster={"scheduler": scheduler})
    with pytest.raises(ValidationError, match="give none, local, or a scheduler's address such as tcp://host:8786"):
        DataEngineeringConfig(cluster={"scheduler": "localhost:8786"})


def test_image_size_is_a_side_or_height_and_width():
    assert DataEngineeringConfig(image_size=64).image_shape == (64, 64, 3)
    assert DataEngineeringConfig(image_size=[128, 96]).image_shape == (128, 96, 3)


def test_a_components_options_are_all_but_its_name():
    assert ComponentConfig(name="conv", filters=[1, 2]).options == {"filters": [1, 2]}
    assert ComponentConfig(name="conv").options == {}

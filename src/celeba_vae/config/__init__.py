"""Every parameter block as a Pydantic model: Kedro validates parameters by the nodes' type hints, which name them."""

from celeba_vae.config.base import ComponentConfig, NoneFromText, Options, Parameters
from celeba_vae.config.parameter_blocks import (
    TRIAL,
    AttributesConfig,
    ClusterConfig,
    DataEngineeringConfig,
    EvaluationConfig,
    ExperimentsConfig,
    FaceSource,
    GenerationConfig,
    HardwareConfig,
    SplitConfig,
)
from celeba_vae.config.training_config import LayersConfig, VariantConfig

__all__ = [
    "TRIAL",
    "AttributesConfig",
    "ClusterConfig",
    "ComponentConfig",
    "DataEngineeringConfig",
    "EvaluationConfig",
    "ExperimentsConfig",
    "FaceSource",
    "GenerationConfig",
    "HardwareConfig",
    "LayersConfig",
    "NoneFromText",
    "Options",
    "Parameters",
    "SplitConfig",
    "VariantConfig",
]

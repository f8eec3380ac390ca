"""Every parameter block as a Pydantic model, how blocks are completed, and components by name.

Kedro validates the parameters against these before any node runs: the nodes' type hints name them.
"""

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

"""Every parameter block as a Pydantic model: Kedro validates parameters by the nodes' type hints, which name them."""

from celeba_vae.config.base import ComponentConfig, NoneFromText, Options, Parameters
from celeba_vae.config.data_engineering_config import ClusterConfig, DataEngineeringConfig, SplitConfig
from celeba_vae.config.evaluation_config import EvaluationConfig
from celeba_vae.config.experiments_config import TRIAL, ExperimentsConfig
from celeba_vae.config.generation_config import AttributesConfig, FaceSource, GenerationConfig
from celeba_vae.config.hardware_config import HardwareConfig
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

"""Every parameter block as a Pydantic model, how blocks are completed, and components by name.

Kedro validates the parameters against these before any node runs: the nodes' type hints name them.
"""

from celeba_vae.config.addresses import is_remote, protocol_of, working_folder
from celeba_vae.config.base import ComponentChain, ComponentConfig, NoneFromText, Options, Parameters, TupleFromText
from celeba_vae.config.data_engineering_config import ClusterConfig, DataEngineeringConfig, SplitConfig
from celeba_vae.config.evaluation_config import EvaluationConfig
from celeba_vae.config.experiments_config import TRIAL, ExperimentsConfig
from celeba_vae.config.generation_config import (
    AttributesConfig,
    FaceSource,
    GenerationConfig,
    InterpolationConfig,
    TraversalConfig,
)
from celeba_vae.config.hardware_config import HardwareConfig
from celeba_vae.config.training_config import LayersConfig, VariantConfig

__all__ = [
    "TRIAL",
    "AttributesConfig",
    "ClusterConfig",
    "ComponentChain",
    "ComponentConfig",
    "DataEngineeringConfig",
    "EvaluationConfig",
    "ExperimentsConfig",
    "FaceSource",
    "GenerationConfig",
    "HardwareConfig",
    "InterpolationConfig",
    "LayersConfig",
    "NoneFromText",
    "Options",
    "Parameters",
    "SplitConfig",
    "TraversalConfig",
    "TupleFromText",
    "VariantConfig",
    "is_remote",
    "protocol_of",
    "working_folder",
]

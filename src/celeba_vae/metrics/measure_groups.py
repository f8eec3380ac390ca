"""The groups that a variant's measures come in, each with its title and its measures."""

from collections.abc import Sequence

from celeba_vae.config import ComponentConfig, EvaluationConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.latent.samplers import Normal, Posterior
from celeba_vae.metrics.latent_space import LATENT_MEASURES
from celeba_vae.metrics.measures import Measure

IMAGES = Measure("images", "Images measured", number="{:,.0f}")
MODEL_MEASURES = (
    Measure("encoder_parameters", "Parameters of the encoder", number="{:,.0f}"),
    Measure("decoder_parameters", "Parameters of the decoder", number="{:,.0f}"),
    Measure("latent_dim", "Latent dimensions", number="{:.0f}"),
    Measure("epochs", "Epochs trained", number="{:.0f}"),
    Measure("training_seconds", "Training time", unit="s", number="{:,.0f}"),
)
# groups that are not named for a sampler
_RESERVED = ("test", "training", "gap", "latents", "model", "reconstructed")


def measure_groups(parameters: EvaluationConfig) -> dict[str, tuple[str, list[Measure]]]:
    """Give each group its title and its measures, in the order in which people read them."""
    reconstruction = reconstruction_measures(parameters)
    distribution = [*_measures("distribution_metrics", parameters.distribution_metrics), IMAGES]
    gap = [Measure(each.name, each.title, unit=each.unit, number=each.number) for each in reconstruction]
    samplers = {
        label: (f"Images generated from {label}, against the test images", distribution)
        for label in (sampler_label(config, parameters.samplers) for config in parameters.samplers)
    }
    return {
        "test": ("Reconstructions of the test images", reconstruction),
        "training": ("Reconstructions of training images", [*reconstruction, IMAGES]),
        "gap": ("Gap: training images minus test images", gap),
        **samplers,
        "reconstructed": ("The test images' reconstructions as a set, against the test images", distribution),
        "latents": ("Latent space", list(LATENT_MEASURES)),
        "model": ("Models", list(MODEL_MEASURES)),
    }


def reconstruction_measures(parameters: EvaluationConfig) -> list[Measure]:
    """Give the measures of the metrics that reconstructions are compared by, in their order."""
    return _measures("metrics", parameters.metrics)


def known_measures(parameters: EvaluationConfig) -> list[Measure]:
    """Give every measure that metrics.json may have, each once."""
    groups = {name: measures for name, (_, measures) in measure_groups(parameters).items() if name != "gap"}
    return list({measure.name: measure for measures in groups.values() for measure in measures}.values())


def sampler_label(config: ComponentConfig, among: Sequence[ComponentConfig]) -> str:
    """Name a sampler: with its options where another has the same name, and never as another group of measures."""
    label = config.name
    if [each.name for each in among].count(label) > 1:
        label = " ".join([label, *(f"{key}={value}" for key, value in config.options.items())])
    return f"sampler {label}" if label in _RESERVED else label


def sampler_groups(configs: Sequence[ComponentConfig]) -> tuple[str, tuple[str, ...]]:
    """Give the label of the sampler of N(0, I), empty without one, and those of samplers fitted to training images."""
    samplers = {sampler_label(config, configs): create_component("samplers", config) for config in configs}
    prior = [label for label, each in samplers.items() if isinstance(each, Normal) and each.scale == 1]
    fitted = [label for label, each in samplers.items() if hasattr(each, "fit") and not isinstance(each, Posterior)]
    return prior[0] if prior else "", tuple(fitted)


def _measures(kind: str, configs: Sequence[ComponentConfig]) -> list[Measure]:
    return [measure for config in configs for measure in create_component(kind, config).measures]

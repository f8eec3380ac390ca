"""Which group of measures is of which sampler."""

from base_config import base_config

from celeba_vae.config import EvaluationConfig
from celeba_vae.metrics.measure_groups import sampler_groups, sampler_label


def samplers(*configs):
    return base_config(EvaluationConfig, samplers=list(configs)).samplers


def test_samplers_are_told_by_what_they_are_not_by_their_names():
    assert sampler_groups(samplers("normal", "mixture", "gaussian")) == ("normal", ("mixture", "gaussian"))
    assert sampler_groups(samplers({"name": "normal", "scale": 0.3})) == ("", ())
    assert sampler_groups(samplers("uniform", "truncated_normal", "posterior")) == ("", ())
    both = samplers({"name": "normal", "scale": 0.3}, {"name": "normal", "scale": 1.0}, {"name": "mixture"})
    assert sampler_groups(both) == ("normal scale=1.0", ("mixture",))


def test_labels_are_unique_and_no_group_of_other_figures():
    configs = samplers("normal", {"name": "normal", "scale": 2}, "test", {"name": "uniform", "limit": 3})

    labels = [sampler_label(config, configs) for config in configs]

    assert labels == ["normal", "normal scale=2", "sampler test", "uniform"]

"""Schedules against their formulas, worked by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf
from base_config import base_config

from celeba_vae.config import VariantConfig
from celeba_vae.errors import SettingError
from celeba_vae.models.schedules import Constant, Cosine, Cyclical, LinearWarmUp, Step
from celeba_vae.training.recipe import create_recipe


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (Constant(), {0: 1, 3.5: 1}),
        (LinearWarmUp(epochs=4), {0: 0, 1: 0.25, 3: 0.75, 4: 1, 9: 1}),
        (Cosine(epochs=8), {0: 1, 2: (1 + math.sqrt(0.5)) / 2, 4: 0.5, 8: 0, 12: 0}),
        (Cosine(epochs=8, final=0.2), {0: 1, 4: 0.6, 8: 0.2, 12: 0.2}),
        (Step(every=10, factor=0.5), {0: 1, 9.99: 1, 10: 0.5, 25: 0.25}),
        # two cycles of ten epochs, each rising for five
        (Cyclical(epochs=20), {0: 0, 1.25: 0.5, 2.5: 1, 4.9: 1, 5: 0, 6.25: 0.5, 20: 1, 30: 1}),
        (Cyclical(epochs=20, cycles=2, rising_share=0.25), {0: 0, 1: 0.4, 2.5: 1, 9: 1, 11: 0.4, 19: 1, 21: 1}),
    ],
)
def test_factors_are_those_worked_by_hand(schedule, factors):
    in_graph = tf.function(lambda epoch: tf.cast(schedule(epoch), tf.float32))
    for epoch, factor in factors.items():
        for given in (float(epoch), tf.constant(epoch, tf.float32)):
            assert float(schedule(given)) == pytest.approx(factor, abs=1e-6), epoch
        assert float(in_graph(tf.constant(epoch, tf.float32))) == pytest.approx(factor, abs=1e-6), epoch


def test_a_schedule_without_a_length_takes_the_variants_epochs_and_is_part_of_its_identity():
    def recipe(**options):
        return create_recipe(base_config(VariantConfig, epochs=6, learning_rate_schedule={"name": "cosine", **options}))

    assert np.isclose(recipe().learning_rate_schedule(3.0), 0.5)
    assert np.isclose(recipe(epochs=12).learning_rate_schedule(3.0), (1 + math.sqrt(0.5)) / 2)
    assert recipe().identity()["variant"]["learning_rate_schedule"] == {"name": "cosine", "epochs": 6, "final": 0}
    with pytest.raises(SettingError, match="has no length"):
        Cosine()(1.0)

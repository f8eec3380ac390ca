"""Commands in messages are those of the environment that is in use; durations are as people write them."""

import pytest

from celeba_vae.config.wording import duration, flattened, in_environment, printable, title_of, training_command

TEXT = "No model: kedro run --pipelines training; then kedro run --env demo --pipelines evaluation"


def test_each_command_names_the_environment_once():
    assert in_environment(TEXT, "demo") == (
        "No model: kedro run --env demo --pipelines training; then kedro run --env demo --pipelines evaluation"
    )
    assert in_environment(TEXT, "base") == in_environment(TEXT, "local") == TEXT


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (192, "3 min 12 s"), (7500, "2 h 05 min")]
)
def test_durations_are_written_for_people(seconds, text):
    assert duration(seconds) == text


def test_a_trial_is_trained_by_the_experiments_from_blocks_that_are_set_for_all():
    assert training_command("ae") == "kedro run --pipelines variants --namespaces ae"
    assert training_command("ae", fresh=True).endswith(" --namespaces ae --params variants.ae.fresh=true")
    assert training_command("trial_ae") == "kedro run --pipelines experiments --namespaces trial_ae"
    assert training_command("trial_ae", fresh=True).endswith(" --namespaces trial_ae --params training.fresh=true")
    assert title_of("trial_vae_dense") == title_of("vae_dense") == "VAE_DENSE"


def test_nested_settings_are_named_by_their_paths():
    assert flattened({"a": 1, "b": {"c": [2], "d": {"e": None}}}) == {"a": 1, "b.c": [2], "b.d.e": None}


def test_what_can_not_be_seen_is_replaced_and_any_space_is_one():
    assert printable("Ünïcode 名前 😀.jpg") == "Ünïcode 名前 😀.jpg"
    assert printable("a\nb\rc\td\x1be\x00f\u202eg\udcffh\u202fi\xa0j") == "a�b�c�d�e�f�g�h i j"

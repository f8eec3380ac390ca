"""Commands in messages are those of the environment that is in use; durations are as people write them."""

import pytest

from celeba_vae.config.wording import duration, in_environment

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

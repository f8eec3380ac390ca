"""Commands in messages are those of the environment that is in use."""

from celeba_vae.commands import in_environment

TEXT = "No model: kedro run --pipelines training; then kedro run --env demo --pipelines evaluation"


def test_each_command_names_the_environment_once():
    assert in_environment(TEXT, "demo") == (
        "No model: kedro run --env demo --pipelines training; then kedro run --env demo --pipelines evaluation"
    )
    assert in_environment(TEXT, "base") == in_environment(TEXT, "local") == TEXT

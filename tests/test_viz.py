"""What kedro-viz makes of the pipelines, as ``kedro viz`` loads them: without hooks."""

import logging

from kedro_viz.api.rest.responses.pipelines import get_pipeline_response
from kedro_viz.data_access import data_access_manager
from kedro_viz.server import load_and_populate_data


def test_layers_run_one_way_and_every_parameter_is_known(project, monkeypatch, caplog):
    monkeypatch.chdir(project)
    caplog.set_level(logging.WARNING)

    load_and_populate_data(project, env=None)
    pipelines = [pipeline.id for pipeline in data_access_manager.registered_pipelines.as_list()]
    layers = {name: get_pipeline_response(name).layers for name in pipelines}

    assert caplog.messages == []
    assert layers["__default__"] == ["raw", "intermediate", "model_input", "models", "model_output", "reporting"]
    assert "experiments" in layers
    assert all(layers.values())

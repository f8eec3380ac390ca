"""Runs of a small pipeline on real datasets, with the hooks called as Kedro's session calls them."""

import json
import logging
from pathlib import Path

import pytest
from kedro.framework.hooks import specs
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner, ThreadRunner
from PIL import Image
from pluggy import PluginManager

from celeba_vae.hooks.summary_hooks import RunSummaryHooks


def make_catalog(root: Path, version: str) -> DataCatalog:
    reporting = root / "data/08_reporting"
    picture = {"type": "celeba_vae.datasets.PictureDataset", "versioned": True}
    return DataCatalog.from_config(
        {
            "table": {"type": "pandas.CSVDataset", "filepath": str(root / "data/02_intermediate/table.csv")},
            "grid": {**picture, "filepath": str(reporting / "grid.png")},
            "curves": {**picture, "filepath": str(reporting / "vae/curves.png")},
            "measures": {"type": "json.JSONDataset", "versioned": True, "filepath": str(reporting / "measures.json")},
        },
        save_version=version,
    )


def make_pipeline(value: int, fails: bool = False) -> Pipeline:
    import pandas as pd

    def picture() -> Image.Image:
        return Image.new("RGB", (4, 4), (value, 0, 0))

    def last(*_):
        if fails:
            raise ZeroDivisionError
        return {"value": value}, picture()

    return Pipeline(
        [
            Node(lambda: pd.DataFrame({"a": [value]}), inputs=None, outputs="table", name="write_table"),
            Node(picture, inputs=None, outputs="grid", name="draw_grid"),
            Node(lambda _: value, inputs="grid", outputs="in_memory", name="think"),
            Node(last, inputs=["table", "in_memory"], outputs=["measures", "curves"], name="measure"),
        ]
    )


def run(root: Path, version: str, pipeline: Pipeline, runner=None) -> None:
    catalog = make_catalog(root, version)
    hooks = PluginManager("kedro")
    for specification in (specs.PipelineSpecs, specs.NodeSpecs, specs.DatasetSpecs):
        hooks.add_hookspecs(specification)
    hooks.register(RunSummaryHooks())
    params = {"project_path": root.as_posix()}
    hooks.hook.before_pipeline_run(run_params=params, pipeline=pipeline, catalog=catalog)
    result = (runner or SequentialRunner()).run(pipeline, catalog, hooks)
    hooks.hook.after_pipeline_run(run_params=params, run_result=result, pipeline=pipeline, catalog=catalog)


@pytest.fixture
def messages(caplog):
    caplog.set_level(logging.INFO, "celeba_vae")
    return lambda: [record.getMessage() for record in caplog.records if record.name.startswith("celeba_vae")]


@pytest.mark.parametrize("runner", [SequentialRunner(), ThreadRunner()])
def test_the_summary_names_what_was_made_and_ends_with_the_folder_of_the_pictures(tmp_path, messages, runner):
    run(tmp_path, "v1", make_pipeline(1), runner)

    *nodes, summary = messages()
    assert sorted(line.split()[0] for line in nodes) == ["draw_grid", "measure", "think", "write_table"]
    assert nodes[-1].endswith("(4 of 4)")
    first, *made, last = summary.splitlines()
    assert first == "Finished in 0 s. Made:"
    assert {tuple(line.split()) for line in made} == {
        ("table", "data/02_intermediate/table.csv"),
        ("grid", "data/08_reporting/grid.png/v1/grid.png"),
        ("measures", "data/08_reporting/measures.json/v1/measures.json"),
        ("curves", "data/08_reporting/vae/curves.png/v1/curves.png"),
    }
    assert last == "Pictures and reports: data/08_reporting/latest"
    assert all((tmp_path / line.split()[1]).exists() for line in made)


def test_the_newest_reports_lie_in_one_folder_and_older_versions_stay(tmp_path):
    run(tmp_path, "v1", make_pipeline(1))
    run(tmp_path, "v2", make_pipeline(2))

    latest = tmp_path / "data/08_reporting/latest"
    assert sorted(path.name for path in latest.iterdir()) == ["grid.png", "measures.json", "vae_curves.png"]
    assert json.loads((latest / "measures.json").read_text()) == {"value": 2}
    assert Image.open(latest / "vae_curves.png").getpixel((0, 0)) == (2, 0, 0)
    assert Image.open(tmp_path / "data/08_reporting/grid.png/v1/grid.png").getpixel((0, 0)) == (1, 0, 0)
    # a copy: who draws on the latest picture does not change the version
    assert not (latest / "grid.png").samefile(tmp_path / "data/08_reporting/grid.png/v2/grid.png")


def test_pictures_made_before_a_failure_are_there(tmp_path):
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, "v1", make_pipeline(1, fails=True))

    assert [path.name for path in (tmp_path / "data/08_reporting/latest").iterdir()] == ["grid.png"]


def test_a_run_without_reports_ends_without_their_folder(tmp_path, messages):
    run(tmp_path, "v1", make_pipeline(1).only_nodes("write_table"))

    assert messages()[-1].splitlines()[-1].split() == ["table", "data/02_intermediate/table.csv"]

"""What becomes of the files' settings before Kedro makes anything of them."""

import pytest
import yaml

from celeba_vae.errors import SettingError
from celeba_vae.hooks.config_loader import ConfigLoader
from celeba_vae.settings import CONFIG_LOADER_ARGS


@pytest.fixture
def load(project):
    """``load(env, given)`` reads the project's settings as a command does, with what --params gives."""

    def read(env=None, given=None):
        return ConfigLoader(str(project / "conf"), env, given, **CONFIG_LOADER_ARGS)

    return read


def test_a_component_renamed_by_params_loses_the_options_of_the_one_it_replaces(load):
    """The demo's source is synthetic with a count and a seed, which the source folder does not have."""
    source = {"name": "folder", "folder": "mine"}

    given = load("demo", {"data_engineering": {"source": source}})

    assert given["parameters"]["data_engineering"]["source"] == source


def test_options_of_the_same_component_stay(load):
    given = load("demo", {"data_engineering": {"source": {"count": 12}}})

    source = load("demo")["parameters"]["data_engineering"]["source"]
    assert given["parameters"]["data_engineering"]["source"] == {**source, "count": 12}


def test_a_key_in_two_files_is_named(project, load):
    for name in ("parameters_a", "parameters_b"):
        (project / f"conf/local/{name}.yml").write_text("evaluation: {columns: 3}")

    with pytest.raises(SettingError, match=r"(?s)parameters_[ab].yml and .*parameters_[ab].yml: evaluation.columns"):
        load()


def test_an_unknown_interpolation_is_named(project, load):
    (project / "conf/local/parameters.yml").write_text("evaluation: {columns: '${globals:nosuch}'}")

    with pytest.raises(SettingError, match="nosuch"):
        load()


@pytest.fixture
def catalog_of(project, load):
    """``catalog_of(entries, credentials)`` gives what becomes of entries."""

    def read(entries, credentials=None):
        (project / "conf/local/catalog.yml").write_text(yaml.safe_dump(entries))
        if credentials:
            (project / "conf/local/credentials.yml").write_text(yaml.safe_dump(credentials))
        catalog = load()["catalog"]
        return {name: catalog[name] for name in entries}

    return read


def test_addresses_get_the_credentials_of_their_kind_unless_they_name_some(catalog_of):
    report = {"type": "celeba_vae.datasets.PageDataset"}
    catalog = catalog_of(
        {
            "{name}_report": {**report, "filepath": "s3://bucket/{name}.html"},
            "folder": {"type": "celeba_vae.datasets.InputFolderDataset", "path": "s3://bucket/raw"},
            "own": {**report, "filepath": "s3://bucket/own.html", "credentials": "mine"},
            "google": {**report, "filepath": "gs://bucket/report.html"},
            "local": {**report, "filepath": "data/report.html"},
            "memory": {"type": "MemoryDataset"},
        },
        {"s3": {"key": "key"}, "mine": {"key": "mine"}},
    )
    assert {name: entry.get("credentials") for name, entry in catalog.items()} == {
        "{name}_report": "s3",
        "folder": "s3",
        "own": "mine",
        "google": None,
        "local": None,
        "memory": None,
    }


def test_without_credentials_the_environments_count(catalog_of):
    entries = {"report": {"type": "celeba_vae.datasets.PageDataset", "filepath": "s3://bucket/report.html"}}
    assert catalog_of(entries) == entries


def test_credentials_that_are_no_settings_are_named(catalog_of):
    with pytest.raises(SettingError, match=r"credentials.yml: s3 must hold settings by their names"):
        catalog_of({"report": {"type": "celeba_vae.datasets.PageDataset"}}, {"s3": "key"})

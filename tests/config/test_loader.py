"""Which credentials catalog entries get."""

import pytest
import yaml

from celeba_vae.config.loader import ConfigLoader
from celeba_vae.errors import SettingError


@pytest.fixture
def catalog_of(tmp_path):
    def load(entries, credentials=None):
        (tmp_path / "base").mkdir()
        (tmp_path / "local").mkdir()
        (tmp_path / "base/catalog.yml").write_text(yaml.safe_dump(entries))
        if credentials:
            (tmp_path / "local/credentials.yml").write_text(yaml.safe_dump(credentials))
        return ConfigLoader(str(tmp_path), base_env="base", default_run_env="local")["catalog"]

    return load


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

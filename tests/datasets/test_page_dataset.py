"""Pages as the catalog keeps them, on real files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kedro.io import DatasetError, Version

from celeba_vae.datasets import PageDataset
from celeba_vae.hooks.summary_hooks import publish, saved_path

TEXT = "<p>Überblendung, 人脸, ★</p>\n"


def test_page_is_utf8_wherever_it_is_written(tmp_path):
    path = tmp_path / "new" / "report.html"
    script = f"from celeba_vae.datasets import PageDataset; PageDataset(filepath={str(path)!r}).save({TEXT!a})"

    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ | ascii_only)

    assert path.read_bytes() == TEXT.encode()
    assert PageDataset(filepath=str(path)).load() == TEXT


def test_each_save_is_a_version_and_the_newest_is_published_without_one(tmp_path):
    path = tmp_path / "08_reporting" / "report.html"
    for version in ("2024-01-01T00.00.00.000Z", "2024-01-02T00.00.00.000Z"):
        dataset = PageDataset(filepath=str(path), version=Version(None, version))
        dataset.save(version)
        publish(saved_path(dataset), Path(dataset._filepath))

    assert (tmp_path / "08_reporting" / "latest" / "report.html").read_text() == "2024-01-02T00.00.00.000Z"
    older = PageDataset(filepath=str(path), version=Version("2024-01-01T00.00.00.000Z", None))
    assert older.load() == "2024-01-01T00.00.00.000Z"
    assert PageDataset(filepath=str(path), version=Version(None, None)).load() == "2024-01-02T00.00.00.000Z"


def test_failed_save_keeps_the_old_page_and_leaves_nothing_else(tmp_path):
    dataset = PageDataset(filepath=str(tmp_path / "report.html"))
    assert not dataset.exists()
    dataset.save(TEXT)

    with pytest.raises(DatasetError, match="surrogates not allowed"):
        dataset.save("\ud800")

    assert dataset.load() == TEXT
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]

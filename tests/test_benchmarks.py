import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(script: str, *options: str, tmp_path: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )


def test_data_engineering_is_measured_from_folder_and_zip(tmp_path: Path, write_celeba: Callable[..., list]) -> None:
    write_celeba(tmp_path, 10)
    images = ["--images", str(tmp_path / "img_align_celeba"), "--count", "60"]
    options = [*images, "--rounds", "1", "--skip-large", "--skip-kills"]
    process = run("data_engineering.py", *options, tmp_path=tmp_path)
    assert process.returncode == 0, process.stderr
    results = json.loads(process.stdout.splitlines()[-1])
    for name in ("pillow", "folder", "zip", "parquet", "cluster", "decode_only"):
        assert results[f"{name}_img_per_s"] > 0, name
    assert results["peak_mb_small"] > 0
    assert results["ratio_zip"] > 0
    assert results["ratio_folder"] > 0
    assert results["ratio_parquet"] > 0
    assert results["peak_mb_large"] is None
    assert os.listdir(tmp_path) == ["img_align_celeba"]


def test_training_is_measured_and_a_peer_that_is_missing_is_named(tmp_path: Path) -> None:
    # an interpreter that sees no installed packages has no PyTorch
    isolated = tmp_path / "python"
    isolated.write_text(f"#!/bin/sh\nexec '{sys.executable}' -I -S \"$@\"\n")
    isolated.chmod(0o755)
    size = ["--rounds", "1", "--epochs", "2", "--batch-size", "2", "--skip-memory"]
    process = run("training.py", *size, "--peer-python", str(isolated), tmp_path=tmp_path)
    assert process.returncode == 0, process.stderr
    assert f"left out: torch_compile, since {isolated} has no PyTorch" in process.stdout
    results = json.loads(process.stdout.splitlines()[-1])
    for name in ("float32_img_per_s", "plain_keras_img_per_s", "matmul_gflops"):
        assert results[name] > 0, name
    assert (results["bfloat16_img_per_s"] is None) == ("left out: bfloat16," in process.stdout)
    assert results["torch_compile_img_per_s"] is results["torch_compile_bf16_img_per_s"] is None
    assert 0 < results["data_wait_share"] < 1
    assert results["peak_mb"] is None
    assert os.listdir(tmp_path) == ["python"]


def test_generation_is_measured_beside_a_plain_loop(tmp_path: Path) -> None:
    process = run("generation.py", "--count", "140", "--rounds", "1", tmp_path=tmp_path)
    assert process.returncode == 0, process.stderr
    results = json.loads(process.stdout.splitlines()[-1])
    assert list(results) == ["img_per_s", "plain_loop_img_per_s", "ratio", "peak_mb", "peak_mb_tenth"]
    assert all(value > 0 for value in results.values())
    assert os.listdir(tmp_path) == []

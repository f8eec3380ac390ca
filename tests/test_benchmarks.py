import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "data_engineering.py"


def test_data_engineering_is_measured_from_folder_and_zip(tmp_path: Path, write_celeba: Callable[..., list]) -> None:
    write_celeba(tmp_path, 10)
    command = [sys.executable, str(SCRIPT), "--images", str(tmp_path / "img_align_celeba"), "--count", "60"]
    process = subprocess.run(
        [*command, "--rounds", "1", "--skip-large", "--skip-kills"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert process.returncode == 0, process.stderr
    results = json.loads(process.stdout.splitlines()[-1])
    for name in ("pillow_img_per_s", "folder_img_per_s", "zip_img_per_s", "decode_only_img_per_s", "peak_mb_small"):
        assert results[name] > 0, name
    assert results["ratio_zip"] > 0
    assert results["ratio_folder"] > 0
    assert results["peak_mb_large"] is None
    assert os.listdir(tmp_path) == ["img_align_celeba"]

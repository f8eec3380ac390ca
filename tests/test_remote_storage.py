"""The whole project on an object store: originals, arrays, models and results lie in a bucket."""

import io
import re
import shutil
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DatasetError
from s3_server import running_s3_server

from celeba_vae.datasets import NumpyDataset

pytestmark = pytest.mark.slow

LAYERS = {"kernel_sizes": [3, 3], "strides": [2, 2]}
SMALL = {
    "data_engineering": {"image_size": 16},
    "training": {
        "latent_dim": 4,
        "batch_size": 8,
        "epochs": 1,
        "encoder": {"name": "conv", "filters": [4, 8], **LAYERS},
        "decoder": {"name": "conv_transpose", "filters": [4, 3], "start_filters": 8, **LAYERS},
    },
    "generation": {"count": 4, "compared": ["vae"], "compared_sampler": {"name": "gaussian"}},
    "evaluation": {
        "generated_count": 6,
        "sweep_count": 4,
        "samplers": ["normal"],
        "distribution_metrics": ["sharpness"],
    },
    "hardware": {"precision": "float32"},
}
PARTITION = [0] * 24 + [1] * 8 + [2] * 8


@pytest.fixture(scope="module")
def s3():
    pytest.importorskip("moto", reason="needs the extra dev: moto, a server of S3's protocol")
    with running_s3_server() as server:
        yield server


def configure(project, **files):
    for name, content in files.items():
        (project / f"conf/local/{name}.yml").write_text(yaml.safe_dump(content))


def versions(s3, folder):
    return sorted(path.rpartition("/")[2] for path in s3.fs.ls(f"bucket/celeba/{folder}", detail=False))


def table(s3, version):
    key = f"bucket/celeba/07_model_output/generated/{version}/generated/index.csv"
    return pd.read_csv(io.BytesIO(s3.fs.cat_file(key)))


def test_all_pipelines_run_on_a_bucket(project, run_kedro, write_celeba, s3):
    write_celeba(project / "celeba", len(PARTITION), PARTITION)
    s3.fs.put(str(project / "celeba"), "bucket/celeba/01_raw/celeba", recursive=True)
    configure(
        project, globals={"data": "s3://bucket/celeba"}, credentials={"s3": s3.credentials}, parameters_small=SMALL
    )

    first = run_kedro(project)

    assert first.returncode == 0, first.stderr
    assert "Pictures and reports: s3://bucket/celeba/08_reporting/latest" in first.stdout + first.stderr
    # what was just uploaded is not downloaded
    assert s3.reads("_images.npy") == 0
    fs = s3.fs
    for name in ("06_models/vae/encoder.keras", "06_models/ae/history.csv", "08_reporting/report.html"):
        (version,) = versions(s3, name)
        assert fs.size(f"bucket/celeba/{name}/{version}/{name.rpartition('/')[2]}")
    (version,) = versions(s3, "07_model_output/generated")
    assert len(table(s3, version)) == 4
    newest = fs.cat_file("bucket/celeba/08_reporting/latest/report.html")
    assert newest == fs.cat_file(f"bucket/celeba/08_reporting/report.html/{version}/report.html")
    # only working files are on this machine
    here = {path.relative_to(project / "data").parts[:3] for path in (project / "data").rglob("*") if path.is_file()}
    working = {("02_intermediate", "preparation"), ("07_model_output", "vae", "stages")}
    working |= {("06_models", variant, "checkpoints") for variant in ("vae", "ae")}
    for parts in here:
        assert parts[0] == "cache" or parts[1].endswith("_training") or working & {parts[:2], parts}, parts

    # the arrays are those that are made on a disk
    shutil.copytree(project / "celeba", project / "data/01_raw/celeba")
    configure(project, globals={"data": "data"})
    bootstrap_project(project)
    with KedroSession.create(project_path=project) as session:
        session.run(pipeline_names=["data_engineering"])
    for split in ("train", "validation", "test"):
        array = (project / f"data/05_model_input/{split}_images.npy").read_bytes()
        assert fs.cat_file(f"bucket/celeba/05_model_input/{split}_images.npy") == array

    # a newer model is there, but an older one is asked for; the arrays are no longer on this machine
    newer = "2099-01-01T00.00.00.000Z"
    for name in ("encoder.keras", "decoder.keras"):
        fs.pipe_file(f"bucket/celeba/06_models/vae/{name}/{newer}/{name}", b"no model")
    configure(project, globals={"data": "s3://bucket/celeba"})
    shutil.rmtree(project / "data/cache")
    s3.requests.clear()
    older = f"vae.encoder:{version},vae.decoder:{version}"
    again = run_kedro(project, "--pipelines", "generation", "--load-versions", older)
    assert again.returncode == 0, again.stderr
    assert s3.reads("/train_images.npy") == s3.reads("/test_images.npy") == 1
    newest = versions(s3, "07_model_output/generated")[-1]
    assert newest != version
    assert table(s3, newest)["decoder"].equals(table(s3, version)["decoder"])

    # a copy that is there is used; what comes damaged is noticed
    s3.requests.clear()
    train_images = {"filepath": "s3://bucket/celeba/05_model_input/train_images.npy", "credentials": s3.credentials}
    expected = np.load(project / "data/05_model_input/train_images.npy")
    copies = {"path": str(project / "data/cache")}
    np.testing.assert_array_equal(NumpyDataset(**train_images, cache=copies).load(), expected)
    assert s3.reads("/train_images.npy") == 0
    fs.pipe_file("bucket/celeba/05_model_input/train_images.npy", array[:-1] + b"x")
    with pytest.raises(DatasetError, match=r"train_images\.npy is damaged: downloaded twice"):
        NumpyDataset(**train_images, cache={"path": str(project / "elsewhere")}).load()


def test_a_bucket_that_is_not_there_is_one_message(project, run_kedro, s3):
    configure(project, globals={"data": "s3://no-bucket/celeba"}, credentials={"s3": s3.credentials})
    # generation alone would otherwise say that the models are not there
    result = run_kedro(project, "--pipelines", "generation")
    assert result.returncode == 1
    assert "Error: s3://no-bucket can't be used: FileNotFoundError" in result.stderr
    assert "credentials.yml" in result.stderr
    assert len(result.stderr.splitlines()) < 5


def test_a_store_that_does_not_answer_is_one_message(project, run_kedro):
    pytest.importorskip("s3fs", reason="needs the extra s3")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    configure(project, globals={"data": "s3://bucket/celeba"})
    environment = {"AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    environment["AWS_MAX_ATTEMPTS"] = "1"
    result = run_kedro(project, environment=environment)
    assert result.returncode == 1
    assert re.search(rf"Error: s3://bucket/\S+ can't be used: .*{address}", result.stderr)
    assert len(result.stderr.splitlines()) < 5


def test_a_missing_package_is_named_with_its_extra(project):
    configure(project, globals={"data": "s3://bucket/celeba"})
    without = "import sys; sys.modules['s3fs'] = None; from kedro.framework.cli.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", without, "run"], cwd=project, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "pip install -c constraints.txt -e '.[s3]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_remote_working_folder_is_named_with_what_to_set(project, run_kedro, s3):
    configure(
        project,
        globals={"data": "s3://bucket/empty", "work": "s3://bucket/work"},
        credentials={"s3": s3.credentials},
    )
    result = run_kedro(project)
    assert result.returncode == 1
    assert re.search(r"Error: \S+ is a working folder.* s3://bucket/work/\S+\.\n.*`work` in globals.yml", result.stderr)

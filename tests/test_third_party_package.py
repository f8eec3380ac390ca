"""A package with components of most kinds, installed by pip, and used by name only."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

PACKAGE = Path(__file__).parent / "third_party_package"
PARAMETERS = {
    "training": {"latent_dim": 4, "epochs": 2, "batch_size": 16},
    "variants": {
        "mine": {
            "model": "vae",
            "encoder": {"name": "haar", "levels": 3},
            "decoder": {"name": "haar"},
            "reconstruction_loss": {"name": "charbonnier", "epsilon": 0.01},
            "kl_weight": 0.05,
        }
    },
    "generation": {
        "variant": "mine",
        "compared": ["mine"],
        "count": 2,
        "sampler": {"name": "shell", "radius": 2.5},
        "enhancer": [{"name": "posterize", "bits": 2}],
    },
    "evaluation": {
        "variants": ["mine"],
        "metrics": ["mse", "absolute_error"],
        "distribution_metrics": ["brightness"],
        "samplers": ["shell"],
    },
    "hardware": {"precision": "float32"},
}


@pytest.fixture
def python_with_package(tmp_path, install_apart):
    """The interpreter of an environment with the third-party package."""
    # a copy, since building leaves folders beside the sources
    return install_apart(shutil.copytree(PACKAGE, tmp_path / "package"))


def test_components_of_an_installed_package_train_and_their_models_load(
    project, python_with_package, run_kedro_process
):
    (project / "conf/local/parameters.yml").write_text(yaml.safe_dump(PARAMETERS))
    random = np.random.default_rng(0)
    for split, count in (("train", 40), ("validation", 8), ("test", 8)):
        images = random.integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)
        np.save(project / f"data/05_model_input/{split}_images.npy", images)
    attributes = pd.DataFrame({"image_id": [f"{i}.jpg" for i in range(40)], "Smiling": [1, -1] * 20})
    attributes.to_csv(project / "data/05_model_input/train_attributes.csv", index=False)

    def run(*arguments, python=python_with_package):
        return run_kedro_process(project, "--pipelines", *arguments, python=python)

    result = run("variants", "--namespaces", "mine")
    assert result.returncode == 0, result.stdout + result.stderr
    (configuration,) = (project / "data/06_models/mine").glob("configuration.json/*/configuration.json")
    configuration = json.loads(configuration.read_text())
    assert configuration["encoder"] == {"name": "haar", "levels": 3}
    assert configuration["decoder"] == {"name": "haar", "levels": 2}
    assert configuration["reconstruction_loss"] == {"name": "charbonnier", "epsilon": 0.01}
    (history,) = (project / "data/06_models/mine").glob("history.csv/*/history.csv")
    # noise against the grey of a network hardly trained: a quarter of the range for each of the values
    assert pd.read_csv(history)["reconstruction_loss"].iloc[0] == pytest.approx(16 * 16 * 3 / 4, rel=0.1)

    # each in a new process: the decoder alone, then encoder and decoder
    for pipeline in ("generation", "evaluation"):
        result = run(pipeline)
        assert result.returncode == 0, result.stdout + result.stderr
    (metrics,) = (project / "data/08_reporting/metrics.json").glob("*/metrics.json")
    metrics = json.loads(metrics.read_text())["mine"]
    # of noise against the grey of a network hardly trained: a quarter of the range, and its variance of a twelfth
    assert metrics["test"]["absolute_error"] == pytest.approx(1 / 4, rel=0.1)
    assert metrics["test"]["absolute_error"] <= metrics["test"]["mse"] ** 0.5
    assert abs(metrics["shell"]["brightness"]) < 0.1
    assert "Mean absolute error" in (project / "data/08_reporting/latest/report.html").read_text()
    output = project / "data/07_model_output"
    ((latents,), (arrays,)) = (
        list(output.glob(pattern)) for pattern in ("*.npy/*/*.npy", "mine/fitted_sampler.npz/*/*")
    )
    with np.load(arrays) as fitted:
        center = np.load(output / "mine/train_latents.npy").mean(axis=0)
        np.testing.assert_allclose(fitted["center"], center, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(np.load(latents) - fitted["center"], axis=1), 2.5, rtol=1e-5)
    generated, sharpened = (sorted(output.glob(f"{name}/*/{name}/*.png")) for name in ("generated", "sharpened"))
    assert len(generated) == len(sharpened) == 2
    for file, enhanced in zip(generated, sharpened, strict=True):
        # two bits of eight
        np.testing.assert_array_equal(np.asarray(Image.open(file)) & 0b11000000, np.asarray(Image.open(enhanced)))
    (index,) = output.glob("sharpened/*/sharpened/index.csv")
    row = pd.read_csv(index).iloc[1]
    assert json.loads(row["sampler"]) == {"name": "shell", "radius": 2.5}
    assert json.loads(row["enhancer"]) == [{"name": "posterize", "bits": 2}]

    # without the package its model does not load, whatever else is used
    parameters = "generation.sampler.name=normal,generation.enhancer=none"
    result = run("generation", "--params", parameters, python=sys.executable)
    assert result.returncode == 1
    assert "it needs the layer HaarSynthesis of 'haar_faces.layers'" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr

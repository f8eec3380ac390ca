"""Experiments in a real session: every variant on one budget, trained once, and the claims that they decide."""

import json

import numpy as np
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from small_models import save_test_images, save_train_images

SHAPE = (16, 16, 3)
LAYERS = {"kernel_sizes": [3, 3], "strides": [2, 2]}
PARAMETERS = {
    "training": {
        "latent_dim": 4,
        "batch_size": 16,
        "encoder": {"name": "conv", "filters": [4, 8], **LAYERS},
        "decoder": {"name": "conv_transpose", "filters": [4, 3], "start_filters": 8, **LAYERS},
        "layers": {"batch_normalization_momentum": 0.5},
    },
    "experiments": {
        "variants": ["vae", "ae", "vae_tiny_kl"],
        "kl_weights": [1.5],
        "latent_dims": [2, 8],
        "image_count": 32,
        "epochs": 2,
    },
    "generation": {"distance_limits": [0.5, 4]},
    "evaluation": {"generated_count": 16, "sweep_count": 8, "samplers": ["normal", "gaussian"]},
    "hardware": {"precision": "float32"},
}
TRIALS = {
    "trial_vae": 5.0,
    "trial_vae_tiny_kl": 0.0001,
    "trial_kl_weight_1_5": 1.5,
    "trial_latent_dim_2": 5.0,
    "trial_latent_dim_8": 5.0,
}


@pytest.fixture
def experiment(project):
    """Run the experiments in the project; gives the version that was made."""
    bootstrap_project(project)
    save_train_images(project)
    save_test_images(project)
    np.save(project / "data/05_model_input/validation_images.npy", np.zeros((4, *SHAPE), np.uint8))

    def run():
        with KedroSession.create(project_path=project, runtime_params=PARAMETERS) as session:
            session.run(pipeline_names=["experiments"])
            return session.session_id

    return run


def test_all_are_trained_on_one_budget_once_and_decide_the_claims(project, experiment, caplog):
    version = experiment()

    reporting = project / "data/08_reporting"

    def result(name):
        return json.loads((reporting / name / version / name).read_text())

    for name, kl_weight in {**TRIALS, "trial_ae": None}.items():
        folder = project / "data/06_models" / name / "configuration.json"
        configuration = json.loads((folder / version / "configuration.json").read_text())
        assert configuration["epochs_trained"] == 2
        assert configuration["train_images"].startswith("32 images")
        assert kl_weight is None or configuration["kl_weight"] == kl_weight
    metrics = result("experiments_metrics.json")
    assert set(metrics) == {*TRIALS, "trial_ae"}
    assert metrics["trial_latent_dim_8"]["model"]["latent_dim"] == 8
    claims = {claim["name"]: claim for claim in result("experiments_claims.json")}
    # decided one way or the other, since all variants that they need are there
    for name in ("ae_reconstructs_better", "kl_weights", "latent_dims", "tiny_kl"):
        assert claims[name]["verdict"] in ("holds", "does not hold"), claims[name]
    for name in ("dense_layer", "crossing_lines"):
        assert claims[name]["verdict"] == "not enough data"
    assert "Claims" in (reporting / "experiments_report.html" / version / "experiments_report.html").read_text()

    caplog.clear()
    experiment()
    assert "epoch 1/2" not in caplog.text

"""Experiments in a real session: every variant on one budget, trained once, and the claims that they decide."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from small_models import save_test_images, save_train_images

from celeba_vae.claims.checking import check_claims
from celeba_vae.claims.comparisons import Evidence
from celeba_vae.config import VariantConfig
from celeba_vae.config.variants import expand_variants
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant
from celeba_vae.pipelines import evaluation, experiments, training
from celeba_vae.settings import CONFIG_LOADER_ARGS

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
        "variants": ["vae", "ae"],
        "kl_weights": [1.5],
        "latent_dims": [8],
        "image_count": 32,
        "epochs": 2,
    },
    "generation": {"distance_limits": [0.5, 4]},
    "evaluation": {"generated_count": 16, "sweep_count": 8, "samplers": ["normal", "gaussian"]},
    "hardware": {"precision": "float32"},
}
TRIALS = {
    "trial_vae": 5.0,
    "trial_kl_weight_1_5": 1.5,
    "trial_latent_dim_8": 5.0,
}


@pytest.fixture
def experiment(project):
    """Run the experiments in the project, all of them or up to some outputs; gives the version that was made."""
    bootstrap_project(project)
    save_train_images(project)
    save_test_images(project)
    np.save(project / "data/05_model_input/validation_images.npy", np.zeros((4, *SHAPE), np.uint8))

    def run(*to_outputs):
        with KedroSession.create(project_path=project, runtime_params=PARAMETERS) as session:
            session.run(pipeline_names=["experiments"], to_outputs=to_outputs or None)
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
    # all variants that they need are there, but two epochs on noise decide nothing
    assert "hardly trained" in claims["ae_reconstructs_better"]["hint"]
    for name in ("dense_layer", "crossing_lines", "kl_weights", "latent_dims", "tiny_kl"):
        assert "kedro run --pipelines experiments" in claims[name]["hint"]
    assert "Claims" in (reporting / "experiments_report.html" / version / "experiments_report.html").read_text()

    caplog.clear()
    experiment(*(f"{name}.decoder" for name in (*TRIALS, "trial_ae")))
    assert "epoch 1/2" not in caplog.text


# nodes outside a variant's namespace read its models on purpose
@pytest.mark.filterwarnings("ignore:One or more dataset names contain")
def test_a_trials_namespace_holds_its_training_alone_and_both_comparisons_fit_into_one_run():
    trials = experiments.create_pipeline(["trial_vae", "trial_ae"])

    assert trials.filter(node_namespaces=["trial_ae"]).nodes == training.create_pipeline(["trial_ae"]).nodes
    both = trials + evaluation.create_pipeline(["ae", "vae"], "vae")
    assert {"metrics", "report", "experiments_metrics", "experiments_report"} <= both.all_outputs()


@pytest.mark.parametrize("environment", ["base", "demo"])
def test_the_trials_that_are_configured_decide_every_claim_about_variants(environment):
    conf = Path(__file__).parents[2] / "conf"
    loader = OmegaConfigLoader(str(conf), env=environment, **{**CONFIG_LOADER_ARGS, "default_run_env": environment})
    blocks = expand_variants(loader["parameters"])["variants"]
    trials = {name: block for name, block in blocks.items() if name.startswith("trial_")}
    # a plain autoencoder and what is like it are far from the usual
    far = {"trial_ae": 12, "trial_vae_tiny_kl": 11}
    history = pd.DataFrame({"total_loss": [5015.0], "kl_loss": [176.0]})

    def evidence(name, place):
        measured = {
            "test": {"psnr": 20 + place, "mse": 0.01 - place / 2000, "explained_variance": 0.8},
            "reconstructed": {"swd": 80.0, "lines_2": 1 + place},
            "normal": {"swd": 200.0 if name in far else 90.0 + place, "variance": 0.8},
            "mixture": {"swd": 85.0, "variance": 0.8},
            "model": {"encoder_parameters": 1e6 * (1 + place)},
        }
        # with the defaults, as a training saves them
        settings = VariantConfig.model_validate(trials[name]).model_dump(mode="json")
        return EvaluatedVariant(
            name, settings, history, measured=measured, prior_group="normal", fitted_groups=("mixture",)
        )

    claims = check_claims(Evidence([evidence(name, far.get(name, place)) for place, name in enumerate(trials)]))

    open_claims = {claim.name for claim in claims if claim.verdict == "not enough data"}
    assert open_claims == {"quality_falls", "backgrounds_vary", "sharpening_sharpens"}
    # a block's own weight stays
    weights = {name: block.get("kl_weight") for name, block in blocks.items()}
    assert (weights["vae_sigma"], weights["vae_sharp"], weights["vae_tiny_kl"]) == (1.0, 1.0, 0.0001)

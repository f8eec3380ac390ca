"""What a run starts from is checked before TensorFlow is loaded and before any node runs."""

import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from small_models import save_small_model, save_test_images, save_train_images

from celeba_vae.errors import DataError
from celeba_vae.hooks.input_hooks import check_inputs, check_load_versions
from celeba_vae.pipelines.run_inputs import RunInputs

TENSORFLOW_MARK = """
import atexit, pathlib, sys
atexit.register(lambda: pathlib.Path("imported").write_text(str("tensorflow" in sys.modules)))
"""


def stopped(result):
    """The message of a run that stopped before its first node."""
    assert result.returncode == 1, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert "(1 of " not in result.stdout
    assert result.stderr.startswith("Error: ")
    return result.stderr


def save_arrays(project: Path, folder: str = "data", size: int = 96) -> None:
    (project / folder / "05_model_input").mkdir(parents=True, exist_ok=True)
    for split in ("train", "validation", "test"):
        np.save(project / folder / f"05_model_input/{split}_images.npy", np.zeros((4, size, size, 3), np.uint8))


def test_without_data_the_run_stops_at_once_and_says_what_to_do(project, run_kedro_process):
    (project / "sitecustomize.py").write_text(TENSORFLOW_MARK)

    start = time.monotonic()
    # a GPU is asked for, too: the missing data is what counts
    result = run_kedro_process(project, "--params", "hardware.device=gpu", environment={"PYTHONPATH": str(project)})
    seconds = time.monotonic() - start

    message = stopped(result)
    assert str(project / "data/01_raw/celeba") in message
    assert "non-commercial research only" in message
    assert "make demo" in message
    assert "GPU" not in message
    assert (project / "imported").read_text() == "False"
    # 3 s on a quiet machine
    assert seconds < 10


def test_each_missing_dataset_is_named_with_the_command_that_makes_it(project, run_kedro):
    local = {
        "variants": {"vae_small": {"latent_dim": 8}},
        "evaluation": {"variants": ["ae", "vae_small"]},
    }
    (project / "conf/demo/parameters_of_mine.yml").write_text(yaml.safe_dump(local))
    save_arrays(project, "data/demo")
    (project / "data/demo/05_model_input/test_images.npy").unlink()

    lines = stopped(run_kedro(project, "--env", "demo", "--pipelines", "evaluation")).splitlines()

    assert "  data_summary, test_attributes, test_images: kedro run --env demo --pipelines data_engineering" in lines
    assert (
        "  ae.configuration, ae.decoder, ae.encoder, ae.history, ae.loss_curves: kedro run --env demo"
        " --pipelines training --namespaces ae"
    ) in lines
    assert (
        "  vae_small.configuration, vae_small.decoder, vae_small.encoder, vae_small.history, vae_small.loss_curves:"
        " kedro run --env demo --pipelines variants --namespaces vae_small"
    ) in lines
    # photos of one's own are a folder, which may be empty or missing
    assert "own_photos" not in " ".join(lines)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("training.encoder.name=konv", ["variants.ae", "'konv'", "Did you mean 'conv'?"]),
        ("variants.vae.decoder.filtres=3", ["variants.vae", "conv_transpose", "did you mean 'filters'?"]),
        ("variants.vae.reconstruction_loss.name=nosuch.module:Loss", ["variants.vae", "nosuch.module:Loss"]),
    ],
)
def test_a_wrong_component_stops_the_run(project, run_kedro, parameters, expected):
    save_arrays(project)

    message = stopped(run_kedro(project, "--pipelines", "training", "--params", parameters))

    assert all(text in message for text in expected), message


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("generation.enhancer=sharpnes", ["generation.enhancer", "'sharpnes'", "Did you mean 'sharpness'?"]),
        ("generation.enhancer.name=detail,generation.enhancer.factor=3", ["'detail'", "factor: unknown name"]),
        ("generation.enhancer.name=sharpness,generation.enhancer.factor=-1", ["'sharpness'", "factor", "-1"]),
    ],
)
def test_a_wrong_enhancer_stops_the_run(project, run_kedro, parameters, expected):
    for variant in ("vae", "ae"):
        save_small_model(project, variant)
    save_train_images(project)
    save_test_images(project)

    message = stopped(run_kedro(project, "--pipelines", "generation", "--params", parameters))

    assert all(text in message for text in expected), message


def test_layers_are_held_against_the_size_of_the_images(project, run_kedro):
    save_arrays(project, size=20)

    prepared = stopped(run_kedro(project, "--pipelines", "training"))
    # images that this run is going to prepare itself
    to_prepare = stopped(run_kedro(project, "--env", "demo", "--params", "data_engineering.image_size=100"))

    assert "20 pixels" in prepared
    assert "strides [2, 2, 2, 2]" in prepared
    assert "100 pixels" in to_prepare


def test_an_override_without_effect_is_said_of_the_variants_to_be_trained(project, run_kedro):
    save_arrays(project, "data/demo")
    # what stops the run comes after
    given = "training.epochs=1,variants.vae.decoder.filtres=3"

    every, one = (
        run_kedro(project, "--env", "demo", "--pipelines", "training", *namespaces, "--params", given)
        for namespaces in ((), ("--namespaces", "vae"))
    )

    stopped(every)
    line = "--params training.epochs=1 has no effect on ae: variants.ae.epochs is 5. For it, too: --params variants.ae."
    assert every.stdout.count(line) == 1
    assert "has no effect" not in one.stdout


VERSIONED = {"type": "celeba_vae.datasets.KerasModelDataset", "versioned": True}


def catalog_with_versions(folder: Path, load_versions: dict[str, str]) -> DataCatalog:
    file = folder / "decoder.keras"
    for version in ("2026-01-01T00.00.00.000Z", "2026-02-01T00.00.00.000Z"):
        (file / version).mkdir(parents=True)
        (file / version / file.name).touch()
    config = {
        "vae.decoder": {**VERSIONED, "filepath": str(file)},
        "plain": {"type": "celeba_vae.datasets.NumpyDataset", "filepath": str(folder / "plain.npy")},
    }
    return DataCatalog.from_config(config, load_versions=load_versions)


def test_a_version_that_does_not_exist_is_answered_with_those_that_do(tmp_path):
    wrong = {"vae.decoder": "2025-01-01T00.00.00.000Z"}

    with pytest.raises(DataError) as caught:
        check_load_versions(wrong, catalog_with_versions(tmp_path, wrong))

    assert str(caught.value) == (
        "vae.decoder has no version 2025-01-01T00.00.00.000Z."
        " Existing versions: 2026-02-01T00.00.00.000Z, 2026-01-01T00.00.00.000Z."
    )


def test_an_existing_version_passes_and_one_of_a_plain_dataset_does_not(tmp_path):
    existing = {"vae.decoder": "2026-01-01T00.00.00.000Z"}
    catalog = catalog_with_versions(tmp_path, existing)

    check_load_versions(existing, catalog)
    with pytest.raises(DataError, match="plain, which keeps no versions"):
        check_load_versions({"plain": "2026-01-01T00.00.00.000Z"}, catalog)


def test_only_persistent_free_inputs_must_exist(tmp_path):
    catalog = DataCatalog.from_config(
        {
            "array": {"type": "celeba_vae.datasets.NumpyDataset", "filepath": str(tmp_path / "array.npy")},
            "folder": {"type": "celeba_vae.datasets.FolderDataset", "path": str(tmp_path / "nowhere")},
            "made_here": {"type": "celeba_vae.datasets.NumpyDataset", "filepath": str(tmp_path / "made_here.npy")},
        }
    )
    catalog["params:x"] = 3
    pipeline = Pipeline(
        [
            Node(lambda *_: 1, inputs=["array", "folder", "params:x"], outputs="made_here", name="make"),
            Node(lambda _: 1, inputs="made_here", outputs="result", name="use"),
        ]
    )

    with pytest.raises(DataError) as caught:
        check_inputs(RunInputs(pipeline, catalog))
    np.save(tmp_path / "array.npy", np.zeros(3))
    check_inputs(RunInputs(pipeline, catalog))

    assert "array" in str(caught.value)
    assert not any(name in str(caught.value) for name in ("folder", "made_here", "params:x"))


def test_a_part_that_lives_on_what_others_keep_in_memory_is_refused(project, run_kedro):
    for variant in ("vae", "ae"):
        save_small_model(project, variant)
    save_arrays(project, "data")

    message = stopped(run_kedro(project, "--pipelines", "evaluation", "--namespaces", "vae"))

    assert "needs prepared_photos, test_images_shown, test_images_summary, which other nodes" in message
    assert "without --namespaces" in message


@pytest.mark.parametrize("pipeline", ["__default__", "data_engineering", "training", "generation", "evaluation"])
def test_processes_are_refused_where_nodes_share_what_they_can_not(project, run_kedro, pipeline):
    (line,) = stopped(run_kedro(project, "--runner=ParallelRunner", f"--pipelines={pipeline}")).splitlines()

    assert "--runner ParallelRunner can't run these nodes" in line
    assert "ThreadRunner" in line


def test_processes_may_run_what_shares_nothing(project, run_kedro):
    result = run_kedro(project, "--runner=ParallelRunner", "--pipelines=versions")

    assert "There are not two versions" in result.stderr

"""Generation in real sessions, on decoders whose images can be computed by hand."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image, ImageEnhance, ImageFilter
from small_models import NEW, OLD, save_small_model, save_test_images, save_train_images

from celeba_vae.errors import DataError
from celeba_vae.pipelines.generation import remake_image

SHAPE = (16, 16, 3)


@pytest.fixture(autouse=True)
def arrays(project):
    """What is fitted to, and moved through latent space, beside the models."""
    save_train_images(project)
    save_test_images(project)


@pytest.fixture
def generate(project):
    """Run the pipeline in the project; gives the version that it made."""
    bootstrap_project(project)

    def run(load_versions=None, **parameters):
        # only one variant is there
        parameters = {"compared": [parameters.get("variant", "vae")], **parameters}
        with KedroSession.create(project_path=project, runtime_params={"generation": parameters}) as session:
            session.run(pipeline_names=["generation"], load_versions=load_versions)
            return session.session_id

    return run


def images_of(project, version, name="generated"):
    folder = project / "data/07_model_output" / name / version / name
    table = pd.read_csv(folder / "index.csv")
    return np.stack([np.asarray(Image.open(folder / file)) for file in table["file"]]), table


def normal_points(count, latent_dim, seed):
    return np.stack([np.random.default_rng((seed, i)).standard_normal(latent_dim) for i in range(count)])


def test_faces_are_the_decoders_of_the_seeds_latents(project, generate):
    model = save_small_model(project, "vae")

    version = generate(seed=7)

    latents = normal_points(28, 5, seed=7)
    saved = np.load(project / "data/07_model_output/generated_latents.npy" / version / "generated_latents.npy")
    np.testing.assert_array_equal(saved, latents.astype(np.float32))
    images, table = images_of(project, version)
    exact = model.decode(latents, SHAPE) * 255
    assert np.abs(images - exact).max() < 0.501
    np.testing.assert_allclose(table["distance"], np.sqrt((latents**2).sum(axis=1)), rtol=1e-5)
    assert set(table["seed"]) == {7}
    assert set(table["sampler"]) == {'{"name": "normal", "scale": 1.0}'}
    assert set(table["variant"]) == {"vae"}


def test_a_chain_of_enhancers_replaces_the_one_of_the_defaults_and_pictures_are_made_again(project, generate):
    save_small_model(project, "vae")

    version = generate(enhancer=[{"name": "sharpness", "factor": 2}, {"name": "detail"}], count=3)

    images, _ = images_of(project, version)
    sharpened, _ = images_of(project, version, "sharpened")
    for image, result in zip(images, sharpened, strict=True):
        expected = ImageEnhance.Sharpness(Image.fromarray(image)).enhance(2).filter(ImageFilter.DETAIL)
        assert expected.tobytes() == result.tobytes()
    with KedroSession.create(project_path=project) as session:
        catalog = session.load_context().catalog
        row = catalog.load("sharpened_images").index.loc[2]
        remade = remake_image(row, catalog.load("vae.decoder"), catalog.load("vae.fitted_sampler"))
    assert remade.tobytes() == sharpened[2].tobytes()
    assert (project / "data/08_reporting/latest/sharpening_series.png").is_file()


def test_a_picture_of_an_older_decoder_is_made_again_as_the_refusals_say(project, generate):
    save_small_model(project, "vae", version=OLD, seed=0)
    first = generate(count=2, sampler={"name": "gaussian"})
    save_small_model(project, "vae", version=NEW, seed=1)
    generate(count=2, sampler={"name": "gaussian"})
    with KedroSession.create(project_path=project) as session:
        catalog = session.load_context().catalog
        row = catalog.load("sharpened_images", version=first).index.loc[1]
        with pytest.raises(DataError) as refused:
            remake_image(row, catalog.load("vae.decoder"), catalog.load("vae.fitted_sampler"))
        load, list_versions = re.findall(r"catalog.+?\)", str(refused.value))
        assert eval(list_versions) == [NEW, OLD]
        decoder = eval(load.replace("...", OLD))
        with pytest.raises(DataError) as refused:
            remake_image(row, decoder, catalog.load("vae.fitted_sampler"))
        (load,) = re.findall(r"catalog.+?\)", str(refused.value))
        remade = remake_image(row, decoder, eval(load.replace("...", first)))

    assert remade.tobytes() == images_of(project, first, "sharpened")[0][1].tobytes()


def test_grids_are_pictures_of_four_rows_of_seven(project, generate):
    save_small_model(project, "vae")

    version = generate()

    reports = project / "data/08_reporting"
    pictures = [
        Image.open(reports / f"{name}.png" / version / f"{name}.png") for name in ("generated_grid", "sharpened_grid")
    ]
    assert pictures[0].tobytes() != pictures[1].tobytes()
    for picture in pictures:
        assert picture.width > 7 * 2 * 16
        assert picture.height > 4 * 2 * 16
    assert (reports / "latest/generated_grid.png").read_bytes() == (
        reports / "generated_grid.png" / version / "generated_grid.png"
    ).read_bytes()


def test_each_run_is_a_version_and_older_models_come_back(project, generate):
    save_small_model(project, "vae", version=OLD, seed=0)
    first = generate()
    save_small_model(project, "vae", version=NEW, seed=1)
    second = generate()
    third = generate(load_versions={"vae.encoder": OLD, "vae.decoder": OLD})

    assert len({first, second, third}) == 3
    of_first, of_second, of_third = (images_of(project, version)[0] for version in (first, second, third))
    assert (of_first != of_second).any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(of_first, of_third)


@pytest.mark.parametrize("pipeline", ["generation", "evaluation"])
def test_encoder_and_decoder_of_different_trainings_are_refused(project, run_kedro, pipeline):
    save_small_model(project, "vae", version=OLD, seed=0)
    save_small_model(project, "vae", version=NEW, seed=1)
    small = {"generation": {"compared": ["vae"]}, "evaluation": {"variants": ["vae"]}}
    (project / "conf/local/parameters.yml").write_text(yaml.safe_dump(small))
    pd.DataFrame({"image_id": []}).to_csv(project / "data/05_model_input/test_attributes.csv", index=False)

    result = run_kedro(project, "--pipelines", pipeline, "--load-versions", f"vae.decoder:{OLD}")

    assert result.returncode == 1
    assert "(1 of " not in result.stdout
    assert f"vae.encoder {NEW}, vae.decoder {OLD}: encoder and decoder of different trainings" in result.stderr
    assert f"--load-versions vae.encoder:{OLD},vae.decoder:{OLD}" in result.stderr
    assert not list((project / "data/07_model_output").iterdir())


def test_what_only_a_killed_training_saved_is_not_taken(project, run_kedro):
    save_small_model(project, "vae", version=OLD, seed=0)
    save_small_model(project, "vae", version=NEW, seed=1)
    (project / "data/06_models/vae/decoder.keras" / NEW / "decoder.keras").unlink()
    arguments = ("--pipelines", "generation", "--params", "generation.compared=vae,generation.count=2")

    refused = run_kedro(project, *arguments)
    asked_for = re.search("--load-versions (.+)$", refused.stderr.strip())
    generated = run_kedro(project, *arguments, "--load-versions", asked_for[1])

    assert f"vae.encoder {NEW}, vae.decoder {OLD}: " in refused.stderr
    assert generated.returncode == 0, generated.stderr


def test_variant_is_a_parameter(project, generate):
    model = save_small_model(project, "ae", seed=3)

    version = generate(variant="ae", count=2)

    images, table = images_of(project, version)
    assert np.abs(images - model.decode(normal_points(2, 5, seed=42), SHAPE) * 255).max() < 0.501
    assert set(table["variant"]) == {"ae"}


def test_console_says_what_was_made(project, run_kedro_process):
    for variant in ("vae", "ae"):
        save_small_model(project, variant)

    result = run_kedro_process(project, "--pipelines", "generation")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "08_reporting/latest" in result.stdout + result.stderr
    for warning in ("UserWarning", "retracing"):
        assert warning not in result.stdout + result.stderr


def test_without_a_trained_model_the_run_says_how_to_get_one(project, run_kedro):
    result = run_kedro(project, "--pipelines", "generation")

    assert result.returncode == 1
    assert "kedro run --pipelines training --namespaces vae" in result.stdout + result.stderr
    assert not list((project / "data/07_model_output").rglob("*.png"))


def test_without_a_compared_model_the_run_says_how_to_do_without(project, run_kedro):
    save_small_model(project, "vae")

    result = run_kedro(project, "--pipelines", "generation")

    assert result.returncode == 1
    assert "ae.decoder, ae.encoder: kedro run --pipelines training --namespaces ae" in result.stderr
    assert "--params generation.compared=vae does without" in result.stderr

"""Samplers in real sessions: fitted once, again for another encoder, refused before any node where they are wrong."""

import re
import shutil

import numpy as np
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image
from small_models import NEW, save_small_model, save_test_images, save_train_images

from celeba_vae.errors import DataError, SettingError


@pytest.fixture
def generate(project):
    """Run the pipeline in the project, where both models and their images are; gives the version that it made."""
    save_train_images(project)
    save_test_images(project)
    bootstrap_project(project)

    def run(**parameters):
        with KedroSession.create(project_path=project, runtime_params={"generation": parameters}) as session:
            session.run(pipeline_names=["generation"])
            return session.session_id

    return run


def output(project, name, version, folder="07_model_output"):
    return project / "data" / folder / name / version / name.rpartition("/")[2]


def test_gaussian_is_fitted_once_and_again_for_another_encoder(project, generate):
    model, _ = save_small_model(project, "vae"), save_small_model(project, "ae", seed=1)
    gaussian = {"name": "gaussian"}
    stages = project / "data/07_model_output/vae/stages/fitted_samplers"

    first = generate(sampler=gaussian, compared_sampler=gaussian, count=100)
    # both settings name the same sampler, so it is fitted once
    (stage,) = (path for path in stages.iterdir() if path.is_dir())
    made = (stage / "arrays.npz").stat().st_mtime_ns
    generate(sampler=gaussian, compared_sampler=gaussian, count=2, seed=1)

    assert (stage / "arrays.npz").stat().st_mtime_ns == made
    mu = model.encode(np.load(project / "data/05_model_input/train_images.npy"))[0]
    with np.load(output(project, "vae/fitted_sampler.npz", first)) as fitted:
        np.testing.assert_allclose(fitted["mean"], mu.mean(axis=0), atol=1e-4)
        np.testing.assert_allclose(fitted["factor"].T @ fitted["factor"], np.cov(mu.T), rtol=1e-3, atol=1e-4)
    points = np.load(output(project, "generated_latents.npy", first))
    assert points.shape == (100, 5)
    assert (np.abs(points.mean(axis=0) - mu.mean(axis=0)) < 5 * mu.std(axis=0) / 10).all()

    other = save_small_model(project, "vae", seed=2, version=NEW)
    last = generate(sampler=gaussian, count=2)

    mu = other.encode(np.load(project / "data/05_model_input/train_images.npy"))[0]
    with np.load(output(project, "vae/fitted_sampler.npz", last)) as fitted:
        np.testing.assert_allclose(fitted["mean"], mu.mean(axis=0), atol=1e-4)


def test_posterior_without_its_variance_gives_the_reconstructions(project, generate):
    model, _ = save_small_model(project, "vae"), save_small_model(project, "ae", seed=1)

    version = generate(sampler={"name": "posterior", "rows": [4, 2], "scale": 0}, count=4)

    images = np.load(project / "data/05_model_input/test_images.npy")
    points = np.load(output(project, "generated_latents.npy", version))
    np.testing.assert_allclose(points, model.encode(images[[4, 2, 4, 2]])[0], atol=1e-4)


def test_figures_have_a_row_for_each_limit_and_for_each_model_and_sampler(project, generate):
    save_small_model(project, "vae"), save_small_model(project, "ae", seed=1)

    def heights(**parameters):
        version = generate(count=2, columns=3, **parameters)
        names = ("distance_series", "sampler_comparison")
        return [Image.open(output(project, f"{name}.png", version, "08_reporting")).height for name in names]

    few = heights(distance_limits=[1], compared=["vae"])
    many = heights(distance_limits=[0, 1, 8], compared=["vae", "ae"])

    # images of 16 pixels, twice as large, two pixels apart: two rows more in each
    assert np.subtract(many, few).tolist() == [2 * 34, 2 * 34]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"sampler": {"name": "posterior", "rows": [20]}}, "generation.sampler: .*test image 20, but .* only 20"),
        ({"sampler": {"name": "posterior"}, "variant": "ae"}, "generation.sampler: .*model: vae"),
        ({"compared_sampler": {"name": "posterior"}}, "generation.compared_sampler: .*model: vae"),
    ],
)
def test_what_a_fit_lacks_is_said_before_any_node(project, generate, parameters, expected):
    save_small_model(project, "vae"), save_small_model(project, "ae")

    with pytest.raises(SettingError, match=expected):
        generate(**parameters)

    assert not list((project / "data/07_model_output").iterdir())


def test_images_that_the_disk_does_not_hold_are_refused_before_any_node(project, generate):
    save_small_model(project, "vae"), save_small_model(project, "ae")
    free = shutil.disk_usage(project).free
    # the variant's 256 dimensions of 4 bytes, and one uncompressed image of 16x16 pixels
    count = free // (256 * 4 + 16 * 16 * 3)

    with pytest.raises(
        DataError, match=rf"generation.count = {count:,} images .* need [\d,.]+ GB .* [\d,.]+ GB are free"
    ) as error:
        generate(count=count)

    needed, named = (float(number.replace(",", "")) for number in re.findall(r"([\d,.]+) GB", str(error.value)))
    assert named == pytest.approx(free / 1e9, rel=0.05)
    # decoded and sharpened, in PNG files that are smaller than the pixels, but by less than half
    assert 1 < needed / named < (256 * 4 + 2 * 16 * 16 * 3) / (256 * 4 + 16 * 16 * 3)
    assert not list((project / "data/07_model_output").iterdir())


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"sampler": {"name": "mixtur"}}, "generation.sampler: Unknown sampler 'mixtur'. Did you mean 'mixture'"),
        ({"sampler": {"name": "uniform", "limit": -1}}, r"generation.sampler: .*limit.*\(given -1\)"),
        ({"sampler": {"name": "uniform", "limt": 1}}, "generation.sampler: .*did you mean 'limit'"),
        ({"compared_sampler": {"name": "mixture", "components": 0}}, "generation.compared_sampler: .*components"),
        ({"count": 0}, r"generation.count.*\(given 0\)"),
        ({"distance_limits": [1, -2]}, "generation.distance_limits.*-2"),
        ({"compared": ["vea"]}, "generation.compared names 'vea'"),
    ],
)
def test_a_wrong_setting_stops_the_run_before_any_node(project, generate, parameters, expected):
    save_small_model(project, "vae"), save_small_model(project, "ae")

    with pytest.raises(SettingError, match=expected):
        generate(**parameters)

    assert not list((project / "data/07_model_output").iterdir())

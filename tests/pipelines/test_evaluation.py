"""Evaluation in real sessions, on models whose reconstructions can be computed by hand."""

import json
import logging

import numpy as np
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image
from skimage.metrics import structural_similarity
from small_models import NEW, OLD, save_small_model, save_test_images

from celeba_vae.config import EvaluationConfig
from celeba_vae.errors import DataError
from celeba_vae.pipelines.evaluation.nodes import choose_originals, compare_photos, compare_reconstructions, verdict

SHAPE = (16, 16, 3)


@pytest.fixture
def evaluate(project):
    """Run the pipeline in the project; gives the version that it made."""
    bootstrap_project(project)

    def run(load_versions=None, **parameters):
        with KedroSession.create(project_path=project, runtime_params={"evaluation": parameters}) as session:
            session.run(pipeline_names=["evaluation"], load_versions=load_versions)
            return session.session_id

    return run


def metrics_of(project, version):
    return json.loads((project / "data/08_reporting/metrics.json" / version / "metrics.json").read_text())


def picture_of(project, name, version):
    return Image.open(project / "data/08_reporting" / f"{name}.png" / version / f"{name}.png")


def expected_measures(model, images):
    """All measures of a model in one go, as the formulas say."""
    latents, *logvar = model.encode(images)
    x, y = images / 255, model.decode(latents, SHAPE)
    mse = ((x - y) ** 2).mean(axis=(1, 2, 3))
    measures = {
        "bce": -(x * np.log(y) + (1 - x) * np.log(1 - y)).mean(axis=3).sum(axis=(1, 2)).mean(),
        "mse": mse.mean(),
        "psnr": (10 * np.log10(1 / mse)).mean(),
        "ssim": np.mean(
            [
                structural_similarity(
                    *pair,
                    gaussian_weights=True,
                    sigma=1.5,
                    use_sample_covariance=False,
                    data_range=1,
                    channel_axis=-1,
                )
                for pair in zip(x, y, strict=True)
            ]
        ),
        "explained_variance": 1 - ((x - y) ** 2).sum() / ((x - x.mean(axis=0)) ** 2).sum(),
    }
    if logvar:
        kl = -0.5 * (1 + logvar[0] - latents**2 - np.exp(logvar[0])).sum(axis=1)
        measures["kl"] = kl.mean()
    return measures


def test_measures_are_those_of_the_whole_test_set(project, evaluate, caplog):
    models = {name: save_small_model(project, name, seed=seed) for name, seed in (("ae", 1), ("vae", 2))}
    images = save_test_images(project, count=20)

    with caplog.at_level(logging.INFO):
        metrics = metrics_of(project, evaluate(batch_size=7, count=3))

    assert list(metrics) == ["ae", "vae"]
    for name, model in models.items():
        measures = dict(metrics[name])
        assert all(0 < measures.pop(name) < 10 for name in ("generated_variance", "ms_ssim", "sharpness"))
        assert measures == pytest.approx(expected_measures(model, images), rel=1e-4, abs=1e-5)
    better = max(metrics, key=lambda name: metrics[name]["psnr"])
    lead = abs(metrics["ae"]["psnr"] - metrics["vae"]["psnr"])
    assert f"{better.upper()} reconstructs the test images best" in caplog.text
    assert f"{lead:.2f} dB above" in caplog.text


def test_generated_variance_is_that_of_faces_from_the_prior(project, evaluate):
    model = save_small_model(project, "vae")
    images = save_test_images(project, count=20)

    metrics = metrics_of(project, evaluate(variants=["vae"], seed=5))

    points = np.stack([np.random.default_rng((5, i)).standard_normal(5) for i in range(256)])
    faces = model.decode(points, SHAPE)
    expected = faces.var(axis=0, ddof=1).mean() / (images / 255).var(axis=0, ddof=1).mean()
    assert metrics["vae"]["generated_variance"] == pytest.approx(expected, rel=1e-4)


def test_pictures_are_made_for_any_variants_and_versions(project, evaluate):
    for name in ("vae", "ae"):
        save_small_model(project, name, seed=1, version=OLD)
    save_test_images(project)
    first = evaluate()
    save_small_model(project, "vae", seed=9, version=NEW)
    second = evaluate()
    third = evaluate(load_versions={"vae.encoder": OLD, "vae.decoder": OLD})

    assert metrics_of(project, first) == metrics_of(project, third) != metrics_of(project, second)
    grids = [picture_of(project, "comparison_grid", version).tobytes() for version in (first, second, third)]
    assert grids[0] == grids[2] != grids[1]
    only_vae = evaluate(variants=["vae"])
    both, one = (picture_of(project, "comparison_grid", version).height for version in (first, only_vae))
    assert one < both
    assert picture_of(project, "metrics", first).width > 1000


def test_own_photos_are_reconstructed_and_unreadable_ones_named(project, evaluate, caplog):
    for name in ("vae", "ae"):
        save_small_model(project, name)
    save_test_images(project)
    without = picture_of(project, "own_photos_grid", evaluate())
    folder = project / "data/01_raw/own_photos"
    folder.mkdir()
    Image.new("RGB", (300, 200), (200, 10, 10)).save(folder / "me.jpg", quality=95)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n")

    grid = np.asarray(picture_of(project, "own_photos_grid", evaluate()))

    assert "No photos of your own" in caplog.text
    assert "broken.png is left out" in caplog.text
    assert (np.abs(grid.astype(int) - (200, 10, 10)).max(axis=2) < 8).sum() >= 32 * 32 * 0.9
    assert without.width > 500


@pytest.mark.parametrize("size", [1, 2])
def test_very_few_test_images_are_measured_too(project, evaluate, size):
    save_small_model(project, "vae")
    save_test_images(project, count=size)

    measures = metrics_of(project, evaluate(variants=["vae"]))["vae"]

    assert measures["psnr"] > 0
    assert (measures["explained_variance"] is None) == (size == 1)


def test_without_test_images_the_run_says_what_to_do(project, run_kedro):
    save_small_model(project, "vae")
    np.save(project / "data/05_model_input/test_images.npy", np.zeros((0, *SHAPE), np.uint8))

    result = run_kedro(project, "--pipelines", "evaluation", "--params", "evaluation.variants=[vae]")

    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    assert "There are no test images" in result.stderr
    assert "data_engineering.split" in result.stderr


def test_model_of_another_size_is_one_clear_message(project, evaluate):
    save_small_model(project, "vae", shape=(32, 24, 3))
    save_test_images(project)

    with pytest.raises(
        DataError, match=r"'vae' takes images of 24x32 pixels, the test images have 16x16.*--namespaces vae"
    ):
        evaluate(variants=["vae"])


# ------------------------------------------------------------------------------------------------------------ nodes


def test_shown_test_images_depend_on_the_seed_alone():
    images = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 3), np.uint8)

    shown, captions = choose_originals(images, EvaluationConfig(count=14, seed=3))
    again, _ = choose_originals(images, EvaluationConfig(count=14, seed=3))
    others, _ = choose_originals(images, EvaluationConfig(count=14, seed=4))

    np.testing.assert_array_equal(shown, again)
    assert (shown != others).any()
    assert len(set(captions)) == 14
    for image, caption in zip(shown, captions, strict=True):
        np.testing.assert_array_equal(image, images[int(caption.removeprefix("test image "))])
    assert len(choose_originals(images[:5], EvaluationConfig(count=14))[0]) == 5


def test_each_reconstruction_stands_under_its_original():
    colours = np.random.default_rng(0).integers(10, 200, (27, 3), np.uint8)
    images = np.broadcast_to(colours[:, None, None], (27, 32, 32, 3))
    originals, of_ae, of_vae = images[:9], images[9:18], images[18:]

    picture = compare_reconstructions(
        originals, [f"test image {i}" for i in range(9)], EvaluationConfig(variants=("ae", "vae")), of_ae, of_vae
    )

    pixels = np.asarray(picture)
    places = {}
    for i, colour in enumerate(colours):
        rows, columns = np.nonzero((pixels == colour).all(axis=2))
        assert rows.size == 64 * 64
        places[i] = columns.min(), rows.min()
    for i in range(9):
        assert places[i][0] == places[i + 9][0] == places[i + 18][0]
        assert places[i][1] + 64 < places[i + 9][1] < places[i + 18][1] - 64
    assert len({places[i][1] for i in range(7)}) == 1
    assert places[7][1] > places[24][1] + 64
    assert places[7][0] == places[0][0]


def test_picture_without_photos_names_the_folder(tmp_path):
    none = np.zeros((0, *SHAPE), np.uint8)

    picture = compare_photos(none, [], tmp_path, EvaluationConfig(), none, none)
    elsewhere = compare_photos(none, [], tmp_path / "elsewhere", EvaluationConfig(), none, none)

    assert picture.tobytes() != elsewhere.tobytes()


def test_verdict_says_who_and_by_how_much():
    ae = {"psnr": 23.0, "mse": 0.005, "explained_variance": 0.9}
    vae = {"psnr": 19.0, "mse": 0.0125, "explained_variance": 0.75}

    assert verdict({"vae": vae, "ae": ae}) == (
        "AE reconstructs the test images best: PSNR 23.00 dB, explained variance 90%;"
        " 4.00 dB above VAE with 60% less squared error."
    )
    assert "with 150% more squared error" in verdict({"vae": {**vae, "psnr": 24.0}, "ae": ae})
    assert verdict({"vae": vae}) == ("VAE reconstructs the test images with PSNR 19.00 dB, explained variance 75%.")

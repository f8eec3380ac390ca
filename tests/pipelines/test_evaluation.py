"""Evaluation in real sessions, on models whose reconstructions can be computed by hand."""

import html
import json
import logging

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from base_config import base_config
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image
from skimage.metrics import structural_similarity
from small_models import NEW, OLD, save_small_model, save_test_images, save_train_images

from celeba_vae.config import EvaluationConfig
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant
from celeba_vae.pipelines.evaluation.nodes import compare_reconstructions
from celeba_vae.reporting.evaluation_report import verdict
from celeba_vae.reporting.variant_rows import ShownImages, choose_test_images
from celeba_vae.storage.stages import images_content

SHAPE = (16, 16, 3)


# as few as measure anything, for speed
FEW = {"generated_count": 16, "sweep_count": 8, "samplers": ["normal"], "distribution_metrics": ["variety"]}


@pytest.fixture
def evaluate(project):
    """Run the pipeline in the project, all of it or up to some outputs; gives the version that it made."""
    bootstrap_project(project)
    save_train_images(project)

    def run(*to_outputs, load_versions=None, **parameters):
        parameters = {**FEW, **parameters}
        with KedroSession.create(project_path=project, runtime_params={"evaluation": parameters}) as session:
            session.run(pipeline_names=["evaluation"], to_outputs=to_outputs or None, load_versions=load_versions)
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
    train_images = np.load(project / "data/05_model_input/train_images.npy")

    with caplog.at_level(logging.INFO):
        metrics = metrics_of(project, evaluate("metrics", batch_size=7, count=3))

    assert list(metrics) == ["ae", "vae"]
    for name, model in models.items():
        measures = dict(metrics[name]["test"])
        assert all(0 < measures.pop(name) < 10 for name in ("ms_ssim", "sharpness"))
        expected = expected_measures(model, images)
        kl = expected.pop("kl", None)
        assert measures == pytest.approx(expected, rel=1e-4, abs=1e-5)
        assert metrics[name]["latents"]["kl"] == (kl and pytest.approx(kl, rel=1e-4))
        # as many training images, and what they are ahead by
        training = expected_measures(model, train_images[:20])
        assert metrics[name]["training"]["psnr"] == pytest.approx(training["psnr"], rel=1e-4)
        assert metrics[name]["gap"]["psnr"] == pytest.approx(training["psnr"] - expected["psnr"], rel=1e-3, abs=1e-4)
    better = max(metrics, key=lambda name: metrics[name]["test"]["psnr"])
    lead = abs(metrics["ae"]["test"]["psnr"] - metrics["vae"]["test"]["psnr"])
    assert f"{better.upper()} reconstructs the test images best" in caplog.text
    assert f"{lead:.2f} dB above" in caplog.text


def test_created_faces_are_compared_with_the_test_images(project, evaluate):
    model = save_small_model(project, "vae")
    images = save_test_images(project, count=20) / 255
    gaussian = {"name": "gaussian"}

    version = evaluate(
        "metrics",
        variants=["vae"],
        seed=5,
        samplers=["normal", gaussian],
        distribution_metrics=["variety", "sliced_wasserstein"],
    )

    metrics = metrics_of(project, version)["vae"]

    # as many of each set
    images = images[:16]
    assert all(metrics[group]["images"] == 16 for group in ("normal", "gaussian", "reconstructed"))
    points = np.stack([np.random.default_rng((5, i)).standard_normal(5) for i in range(16)])
    for group, faces in (
        ("normal", model.decode(points, SHAPE)),
        ("reconstructed", model.decode(model.encode(images * 255)[0], SHAPE)),
    ):
        of_faces, of_images = (values.var(axis=0, ddof=1)[4:12, 4:12].mean() for values in (faces, images))
        assert metrics[group]["variance_centre"] == pytest.approx(of_faces / of_images, rel=1e-3)
    assert metrics["gaussian"]["swd"] > 0
    assert metrics["latents"]["prior_distance"] == pytest.approx(scipy.stats.chi(5).mean())
    assert metrics["model"]["encoder_parameters"] == 2 * (768 * 5 + 5)


def test_pictures_are_made_for_any_variants_and_versions(project, evaluate):
    for name in ("vae", "ae"):
        save_small_model(project, name, seed=1, version=OLD)
    save_test_images(project)
    results = ("metrics", "metrics_plot", "comparison_grid")
    every = {"distribution_metrics": ["sliced_wasserstein", "inception", "crossing_lines", "variety", "sharpness"]}
    first = evaluate(*results, **every)
    save_small_model(project, "vae", seed=9, version=NEW)
    second = evaluate(*results, **every)
    third = evaluate(load_versions={"vae.encoder": OLD, "vae.decoder": OLD}, **every)

    assert metrics_of(project, first) == metrics_of(project, third) != metrics_of(project, second)
    grids = [picture_of(project, "comparison_grid", version).tobytes() for version in (first, second, third)]
    assert grids[0] == grids[2] != grids[1]
    only_vae = evaluate(*results, variants=["vae"])
    both, one = (picture_of(project, "comparison_grid", version).height for version in (first, only_vae))
    assert one < both
    assert picture_of(project, "metrics", first).width > 1000


@pytest.mark.parametrize("size", [1, 2])
def test_very_few_test_images_are_measured_too(project, evaluate, size):
    save_small_model(project, "vae")
    save_test_images(project, count=size)

    measures = metrics_of(project, evaluate(variants=["vae"]))["vae"]["test"]

    assert measures["psnr"] > 0
    assert (measures["explained_variance"] is None) == (size == 1)


def report_of(project, version):
    return (project / "data/08_reporting/report.html" / version / "report.html").read_text(encoding="utf-8")


def test_without_test_images_all_else_is_reported(project, evaluate, caplog):
    for name in ("ae", "vae"):
        save_small_model(project, name)
    np.save(project / "data/05_model_input/test_images.npy", np.zeros((0, *SHAPE), np.uint8))

    version = evaluate()

    message = "There are no test images to evaluate the models on. Give the test split some (data_engineering.split"
    assert message in caplog.text
    assert message in report_of(project, version)
    metrics = metrics_of(project, version)["vae"]
    assert "test" not in metrics
    assert metrics["training"]["psnr"] > 0
    train_images = np.load(project / "data/05_model_input/train_images.npy")
    assert metrics["training"]["images"] == len(train_images)
    assert metrics["latents"]["active_units"] == 5
    report = report_of(project, version)
    assert "Where the encoders put the training images" in report
    assert "against the test images" not in report
    (claims,) = (project / "data/08_reporting/claims.json").glob("*/claims.json")
    claims = {claim["name"]: claim for claim in json.loads(claims.read_text())}
    for name in ("quality_falls", "sharpening_sharpens", "ae_reconstructs_better", "normal_points", "fitted_sampler"):
        assert claims[name]["verdict"] == "not enough data"
        assert "There are no test images" in claims[name]["hint"]


def test_where_no_model_fits_the_test_images_the_report_says_so(project, evaluate, open_file):
    for name in ("ae", "vae"):
        save_small_model(project, name, shape=(32, 24, 3))
    save_test_images(project, count=20)

    version = evaluate()

    assert metrics_of(project, version) == {"ae": {}, "vae": {}}
    report = html.unescape(report_of(project, version))
    for name in ("ae", "vae"):
        assert f"The model '{name}' takes images of 24x32 pixels, the test images have 16x16" in report
        assert f"kedro run --pipelines variants --namespaces {name}" in report
    page = open_file(project / "data/08_reporting/latest/report.html")
    assert page.locator("nav a").all_inner_texts() == [
        "What was run",
        "Reconstructions",
        "Created faces",
        "The articles' claims",
        "Your own photos",
        "Catalog versions",
    ]
    run_table = page.get_by_role("region", name="This run").inner_text()
    assert "Test images\t20" in run_table
    assert "Image size\t16x16 pixels" in run_table


def test_each_latent_dimension_is_listed(project, evaluate):
    models = {name: save_small_model(project, name, seed=seed) for name, seed in (("ae", 1), ("vae", 2))}
    images = save_test_images(project, count=20)

    version = evaluate("ae.latent_dimensions", "vae.latent_dimensions")

    for name, model in models.items():
        file = project / f"data/08_reporting/{name}_latent_dimensions.json/{version}/{name}_latent_dimensions.json"
        dimensions = json.loads(file.read_text())
        mu, *logvar = model.encode(images)
        expected = {"mean": mu.mean(axis=0), "deviation": mu.std(axis=0, ddof=1)}
        if logvar:
            expected["kl"] = (-0.5 * (1 + logvar[0] - mu**2 - np.exp(logvar[0]))).mean(axis=0)
        assert dimensions.keys() == expected.keys()
        for measure, values in expected.items():
            np.testing.assert_allclose(dimensions[measure], values, rtol=1e-3, atol=1e-5)


def test_an_attribute_that_is_not_there_is_missed_in_a_warning(project, evaluate, caplog):
    save_small_model(project, "vae")
    save_test_images(project, count=4)
    rows = ["image_id,Male,Smiling", *(f"{i}.jpg,1,-1" for i in range(4))]
    (project / "data/05_model_input/test_attributes.csv").write_text("\n".join(rows))

    evaluate("vae.latent_projection", variants=["vae"])
    assert "evaluation.attribute" not in caplog.text
    evaluate("vae.latent_projection", variants=["vae"], attribute="Smilling")

    assert "evaluation.attribute: unknown attribute 'Smilling'. Did you mean 'Smiling'?" in caplog.text


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (None, "ae.encoder is not there"),
        ((32, 24, 3), "'ae' takes images of 24x32 pixels, the test images have 16x16"),
    ],
    ids=["not trained", "of another size"],
)
def test_a_model_that_can_not_be_evaluated_is_named_and_all_else_is_reported(project, run_kedro, shape, expected):
    save_small_model(project, "vae")
    save_test_images(project)
    save_train_images(project)
    if shape:
        save_small_model(project, "ae", shape=shape)
    few = {**FEW, "samplers": "normal", "distribution_metrics": "variety"}
    parameters = ",".join(f"evaluation.{name}={value}" for name, value in few.items())

    result = run_kedro(project, "--pipelines", "evaluation", "--params", parameters)

    assert result.returncode == 0, result.stdout + result.stderr
    (report,) = (project / "data/08_reporting/report.html").glob("*/report.html")
    command = "kedro run --pipelines variants --namespaces ae"
    if shape:
        command = "kedro run --pipelines variants --namespaces ae --params variants.ae.fresh=true"
    for text in (result.stdout + result.stderr, html.unescape(report.read_text(encoding="utf-8"))):
        assert expected in text
        assert command in text
    metrics = metrics_of(project, report.parent.name)
    assert metrics["ae"] == {}
    assert metrics["vae"]["test"]["psnr"] > 0


def test_a_model_of_other_images_is_doubted(project, evaluate, caplog):
    save_small_model(project, "vae")
    save_test_images(project)
    images = np.load(project / "data/05_model_input/train_images.npy")
    folder = project / "data/06_models/vae/configuration.json" / OLD
    folder.mkdir(parents=True)

    def trained_on(images):
        configuration = {"name": "vae", "model": "vae", "image_count": None, "train_images": images_content(images)}
        (folder / "configuration.json").write_text(json.dumps(configuration))
        return report_of(project, evaluate(variants=["vae"]))

    doubt = "was trained on other images than train_images are now"
    assert doubt not in trained_on(images)
    assert doubt not in caplog.text
    assert doubt in trained_on(images[::-1])
    assert doubt in caplog.text


def test_without_any_model_the_run_says_how_to_get_one(project, run_kedro):
    save_test_images(project)
    save_train_images(project)

    result = run_kedro(project, "--pipelines", "evaluation")

    assert result.returncode == 1
    assert "This run starts from data that is not there" in result.stderr
    assert "tensorflow" not in result.stderr.lower()
    for variant in ("vae", "ae"):
        assert f"kedro run --pipelines training --namespaces {variant}" in result.stderr


# ------------------------------------------------------------------------------------------------------------ nodes


def test_shown_test_images_depend_on_the_seed_alone():
    images = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 3), np.uint8)

    shown, again, others = (
        choose_test_images(images, base_config(EvaluationConfig, count=14, seed=seed)) for seed in (3, 3, 4)
    )

    np.testing.assert_array_equal(shown.images, again.images)
    assert (shown.images != others.images).any()
    assert len(set(shown.captions)) == 14
    for image, caption in zip(shown.images, shown.captions, strict=True):
        np.testing.assert_array_equal(image, images[int(caption.removeprefix("test image "))])
    assert len(choose_test_images(images[:5], base_config(EvaluationConfig, count=14)).images) == 5


def test_each_reconstruction_stands_under_its_original():
    colours = np.random.default_rng(0).integers(10, 200, (27, 3), np.uint8)
    images = np.broadcast_to(colours[:, None, None], (27, 32, 32, 3))
    shown = ShownImages(images[:9], [f"test image {i}" for i in range(9)])
    variants = [
        EvaluatedVariant(name, {}, pd.DataFrame(), test_rows={name.upper(): row})
        for name, row in (("ae", images[9:18]), ("vae", images[18:]))
    ]

    picture = compare_reconstructions(shown, base_config(EvaluationConfig), *variants)

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


def test_verdict_says_who_and_by_how_much():
    ae = {"psnr": 23.0, "mse": 0.005, "explained_variance": 0.9}
    vae = {"psnr": 19.0, "mse": 0.0125, "explained_variance": 0.75}

    assert verdict({"vae": {"test": vae}, "ae": {"test": ae}}) == (
        "AE reconstructs the test images best: PSNR 23.00 dB, explained variance 90%;"
        " 4.00 dB above VAE with 60% less squared error."
    )
    assert "with 150% more squared error" in verdict({"vae": {"test": {**vae, "psnr": 24.0}}, "ae": {"test": ae}})
    alone = "VAE reconstructs the test images with PSNR 19.00 dB, explained variance 75%."
    assert verdict({"vae": {"test": vae}}) == verdict({"vae": {"test": vae}, "ae": {}}) == alone
    assert "not known" in verdict({"vae": {"test": {"mse": 0.1}}})

"""The report of a real evaluation in a real browser, and two evaluations compared."""

import json

import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from small_models import NEW, OLD, save_small_model, save_test_images, save_train_images

from celeba_vae.errors import DataError

FEW = {"generated_count": 16, "sweep_count": 8, "samplers": ["normal", "gaussian"]}


@pytest.fixture
def run(project):
    """Run a pipeline, all or up to some outputs, with these parameters of evaluation; gives the version it made."""
    bootstrap_project(project)
    save_train_images(project)

    def run(pipeline, *to_outputs, **parameters):
        parameters = {"evaluation": {**FEW, **parameters}}
        with KedroSession.create(project_path=project, runtime_params=parameters) as session:
            session.run(pipeline_names=[pipeline], to_outputs=to_outputs or None)
            return session.session_id

    return run


def test_report_shows_everything_offline(project, run, open_file):
    for seed, name in enumerate(("ae", "vae")):
        save_small_model(project, name, seed=seed)
    save_test_images(project)
    version = run("evaluation")
    latest = project / "data/08_reporting/latest"

    page = open_file(latest / "report.html")

    pictures = page.evaluate("[...document.images].map(image => image.complete && image.naturalWidth)")
    assert len(pictures) >= 8
    assert all(width > 0 for width in pictures)
    assert page.complaints == []
    text = page.evaluate("document.body.innerText")
    metrics = json.loads((latest / "metrics.json").read_text())
    assert f"{metrics['vae']['test']['psnr']:.2f}" in text
    assert f"{metrics['ae']['gaussian']['swd']:.1f}" in text
    run_table = page.get_by_role("region", name="This run").inner_text()
    for expected in (
        "Pipelines\tevaluation",
        "Test images\t",
        "Crop\t",
        "Image size\t16x16 pixels",
        "Hardware\tCPU",
        "Duration\t",
    ):
        assert expected in run_table
    assert "Generated images\t16 of each" in run_table
    for expected in (
        version,  # of the report itself
        OLD,  # of the models
        "Inception's weights are not there",
        "not enough data",
        "gaussian",
        "No photos of your own",
    ):
        assert expected in text or expected in page.content()
    phone = open_file(latest / "report.html", viewport={"width": 390, "height": 844}, color_scheme="dark")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_of_many_models_the_page_folds_what_is_drawn_of_each_and_names_the_best_two(project, run, open_file):
    names = ["ae", "vae", "vae_dense", "vae_upsampling", "vae_tiny_kl"]
    for seed, name in enumerate(names):
        save_small_model(project, name, seed=seed)
    save_test_images(project)
    run("evaluation", variants=names)

    page = open_file(project / "data/08_reporting/latest/report.html")

    assert page.locator("nav a").all_inner_texts() == [
        "What was run",
        "Reconstructions",
        "Created faces",
        "Measures",
        "The articles' claims",
        "Latent space",
        # the small models have no history to be drawn
        "Your own photos",
        "Catalog versions",
    ]
    assert page.locator("section:has(details) h2").all_inner_texts() == ["Latent space"]
    assert page.locator("details img").count() == 4 * len(names) + 4  # the VAEs' KL
    assert not page.locator("details img").first.is_visible()
    subtitle = page.locator(".subtitle").inner_text()
    assert subtitle.endswith("5 models are compared.")
    assert sum(name.upper() in subtitle.replace(",", " ").split() for name in names) == 2


def test_report_of_trials_begins_with_the_claims_and_leaves_out_what_all_names_begin_with(project, run, open_file):
    for seed, name in enumerate(("trial_ae", "trial_vae")):
        save_small_model(project, name, seed=seed)
    save_test_images(project)
    run("evaluation", variants=["trial_ae", "trial_vae"])

    page = open_file(project / "data/08_reporting/latest/report.html")

    assert page.title() == "Experiments: the articles' claims"
    assert page.locator("nav a").all_inner_texts()[:3] == ["What was run", "The articles' claims", "Reconstructions"]
    headings = page.get_by_role("region", name="Models and their settings").locator("thead th").all_inner_texts()
    assert headings == ["Setting", "ae", "vae"]
    assert "trial_" not in page.locator(".subtitle").inner_text().lower()
    labels = page.evaluate("[...document.images].map(image => image.alt).join()")
    assert "trial_" not in labels.lower()


def test_fewer_created_faces_than_columns_are_a_row_of_as_many(project, run):
    save_small_model(project, "vae", seed=1)
    save_test_images(project)

    run("evaluation", variants=["vae"], generated_count=2, columns=7)

    assert "Faces created by each model" in (project / "data/08_reporting/latest/report.html").read_text()


def test_two_evaluations_are_compared_value_by_value(project, run):
    compared = ("metrics", "evaluated_settings")
    save_small_model(project, "vae", seed=1, version=OLD)
    save_test_images(project)
    with pytest.raises(DataError, match=r"not two versions .* but 0"):
        run("versions")
    first = run("evaluation", *compared, variants=["vae"])
    save_small_model(project, "vae", seed=9, version=NEW)
    second = run("evaluation", *compared, variants=["vae"])

    run("versions")

    page = (project / "data/08_reporting/version_differences.html").read_text()
    assert "Nothing: data, models, settings and packages are the same." in page
    reporting = project / "data/08_reporting"
    older, newer = (
        json.loads((reporting / "metrics.json" / version / "metrics.json").read_text())["vae"]
        for version in (first, second)
    )
    rows = pd.read_csv(reporting / "version_differences.csv").set_index(["group", "measure"])
    row = rows.loc[("test", "mse")]
    assert row["change"] == pytest.approx(newer["test"]["mse"] - older["test"]["mse"])
    assert row["verdict"] == ("better" if row["change"] < 0 else "worse")
    assert first in (reporting / "version_differences.html").read_text()

    third = run("evaluation", *compared, variants=["vae"], seed=7)
    run("versions", compared_versions=[second, third])
    page = (reporting / "version_differences.html").read_text()
    assert "evaluation.seed" in page
    assert "-&gt; 7" in page
    assert "data." not in page
    save_small_model(project, "ae", seed=2)
    summary = project / "data/08_reporting/data_summary.json" / NEW
    summary.mkdir(parents=True)
    (summary / "data_summary.json").write_text(
        json.dumps({"source": {"name": "folder"}, "split_by": "counts", "crop": 148})
    )
    save_test_images(project, count=9)
    fourth = run("evaluation", variants=["ae", "vae"], seed=7)
    run("versions", compared_versions=[third, fourth])
    page = (reporting / "version_differences.html").read_text()
    for expected in ("data.test_images", "-&gt; 9 images, content", "data.crop", "variants.ae", "only in the newer"):
        assert expected in page
    assert "variants.vae" not in page
    report = (reporting / "report.html" / fourth / "report.html").read_text()
    assert "centre square of 148 pixels" in report
    assert "dealt out by the counts of data_engineering.split" in report
    # as many as there are test images
    assert "9 of each model and sampler" in report
    run("versions", compared_versions=[second, first])
    turned = pd.read_csv(reporting / "version_differences.csv").set_index(["group", "measure"])
    assert turned.loc[("test", "mse"), "change"] == pytest.approx(-row["change"])
    with pytest.raises(DataError, match=r"names 2020.* Existing"):
        run("versions", compared_versions=["2020", first])

"""A report as a page in a real browser that reaches no network, and what is in its file."""

import base64
import io
import re
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from base_config import base_config
from matplotlib.figure import Figure
from PIL import Image

from celeba_vae.config import EvaluationConfig
from celeba_vae.metrics.differences import differences
from celeba_vae.metrics.distribution_metrics import CrossingLines, Inception, SlicedWasserstein
from celeba_vae.metrics.latent_space import LATENT_MEASURES, LatentSpace
from celeba_vae.metrics.measure_groups import reconstruction_measures
from celeba_vae.reporting.charts import measures_chart
from celeba_vae.reporting.document import Cell, Picture, Problem, Report, Section, Table, render_report
from celeba_vae.reporting.grids import comparison_grid, image_grid
from celeba_vae.reporting.latent_charts import (
    latent_correlation_chart,
    latent_distances_chart,
    latent_moments_chart,
    latent_projection_chart,
)
from celeba_vae.reporting.tables import differences_table, measures_table

FOREIGN = (
    "Größenänderung für Gesichter: 人脸重建 <b onclick='x()'>&amp; \"quoted\" & 'single'</b> <script>alert(1)</script>"
)
LONG_COMMAND = "kedro run --pipelines evaluation --params evaluation.inception.weights=" + "a_long_folder/" * 8
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


def latent_space(variational):
    mu = np.random.default_rng(0).normal(0, np.linspace(1, 0.1, 16), (300, 16))
    space = LatentSpace()
    space.update(mu, np.full_like(mu, -1) if variational else None)
    return space


def picture_of(figure, dpi=192):
    """What is read of the file of a figure."""
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=dpi)
    return Image.open(png)


@pytest.fixture(scope="module")
def report(photograph):
    faces = np.stack([photograph(seed, 96, 96) for seed in range(8)])
    reconstruction = reconstruction_measures(base_config(EvaluationConfig))
    distribution = [
        measure for metric in (Inception, SlicedWasserstein, CrossingLines) for measure in metric().measures
    ]
    random = np.random.default_rng(0)
    tested = {name: {measure.name: random.uniform() for measure in reconstruction} for name in ("vae", "ae")}
    generated = {
        f"{variant}, {sampler}": {measure.name: random.uniform() for measure in distribution} | {"fid": None}
        for variant in ("vae", "ae", "vae_dense")
        for sampler in ("normal", "mixture")
    }
    versions = [{"vae": {"test": {"psnr": psnr, "ssim": 0.5}}} for psnr in (19.0, 20.0)]
    vae, ae = latent_space(True), latent_space(False)
    charts = latent_distances_chart, latent_moments_chart, latent_projection_chart, latent_correlation_chart
    latents = [
        Picture(picture_of(chart(space, name)), chart.__name__)
        for chart in charts
        for space, name in ((vae, "VAE"), (ae, "AE"))
    ]
    claims = [
        ["KL is near 3% of the total loss", "3.1%", Cell("holds", status="good")],
        [FOREIGN, "0.3 dB", Cell("does not hold", status="bad")],
        ["An upsampling decoder has fewer crossing lines", "none trained", Cell("not enough data", status="open")],
    ]
    return Report(
        "Faces from latent space & back",
        FOREIGN,
        [Problem(f"Inception is missing: {FOREIGN}", LONG_COMMAND), Problem("No AE is trained.")],
        [
            Section("What was run", [FOREIGN, "A second paragraph."]),
            Section(
                "Reconstructions",
                blocks=[
                    Picture(
                        comparison_grid({"original": faces, "VAE": faces // 2}, 8, scale=2),
                        alt=f'Faces "above" <reconstructions> {FOREIGN}',
                    ),
                    measures_table(tested, reconstruction, FOREIGN),
                    Picture(picture_of(measures_chart(tested, reconstruction), dpi=120), "The same as bars"),
                ],
            ),
            Section(
                "New faces",
                blocks=[
                    Picture(image_grid(faces, 4), "New faces"),
                    measures_table(generated, distribution, "Generated images against test images"),
                ],
            ),
            Section(
                "Latent space", blocks=[*latents, measures_table({"vae": vae.measured}, LATENT_MEASURES, "Confinement")]
            ),
            Section("结果 & claims?", blocks=[Table("Claims", ["claim", "figure", "verdict"], claims, note=FOREIGN)]),
            Section(
                "New faces",
                ["Two sections may have one title."],
                [differences_table(differences(*versions, reconstruction), reconstruction, "Differences")],
            ),
        ],
    )


@pytest.fixture(scope="module")
def page_file(report, tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render_report(report), encoding="utf-8")
    return file


@pytest.fixture
def open_page(open_file, page_file):
    """``open_page(viewport, color_scheme)`` opens the report as ``open_file`` does."""
    return partial(open_file, page_file)


def test_all_pictures_show_without_network_or_complaint(open_page, report):
    page = open_page()

    pictures = page.evaluate("[...document.images].map(i => [i.complete && i.naturalWidth, i.alt, i.width])")

    expected = [block.alt for section in report.sections for block in section.blocks if isinstance(block, Picture)]
    assert len(pictures) == len(expected) >= 9
    assert [alt for _, alt, _ in pictures] == expected
    assert all(natural > 0 and shown > 300 for natural, _, shown in pictures)
    assert page.complaints == []


def test_texts_are_shown_as_they_are_and_nothing_in_them_is_html(open_page):
    page = open_page()

    shown = page.evaluate("document.body.innerText.replace(/\\s+/g, ' ')")

    # subtitle, problem, paragraph, table's title, cell, table's note
    assert shown.count(FOREIGN) == 6
    assert page.title() == "Faces from latent space & back"
    assert page.evaluate("document.querySelectorAll('script, [onclick], main b').length") == 0
    assert LONG_COMMAND in shown
    assert page.complaints == []


def test_contents_lead_to_each_section_and_headings_are_in_order(open_page, report):
    page = open_page()

    links = page.locator("nav a")
    assert links.all_inner_texts() == [section.title for section in report.sections]
    for i, section in enumerate(report.sections):
        links.nth(i).click()
        heading = page.locator("main h2").nth(i)
        assert heading.inner_text() == section.title
        assert heading.evaluate("heading => heading.id === decodeURIComponent(location.hash.slice(1))")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_the_page_is_never_wider_than_the_screen(open_page, width):
    page = open_page({"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate("scrollTo(10000, 0)")
    assert page.evaluate("scrollX") == 0


def test_a_wide_table_scrolls_in_its_box_on_a_phone_and_keeps_its_headings_in_view(open_page):
    page = open_page(PHONE)
    box = page.get_by_role("region", name="Generated images against test images")

    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    first, last = box.locator("tbody tr").first.locator("th, td").all()[:: box.locator("thead th").count() - 1]
    assert last.bounding_box()["x"] > PHONE["width"]
    box.evaluate("box => box.scrollTo(10000, 0)")
    edge = box.bounding_box()
    assert first.bounding_box()["x"] == pytest.approx(edge["x"], abs=2)
    assert last.bounding_box()["x"] + last.bounding_box()["width"] <= edge["x"] + edge["width"] + 1
    assert first.bounding_box()["width"] < PHONE["width"] / 2


def test_folded_pictures_show_once_they_are_opened(open_file, tmp_path):
    picture = Picture(Image.new("RGB", (300, 200)), "black")
    file = tmp_path / "folded.html"
    file.write_text(
        render_report(Report("a", "b", sections=[Section("c", blocks=[picture], folded=True)])), encoding="utf-8"
    )

    page = open_file(file)

    assert not page.locator("img").is_visible()
    page.locator("summary").click()
    assert page.locator("img").is_visible()
    assert page.complaints == []


def test_on_a_phone_claims_take_the_room_that_verdicts_leave(open_file, tmp_path):
    claims = [[Cell(FOREIGN, note="3.1%"), Cell("does not hold", status="bad")]]
    table = Table("Claims", ["Claim, and the figures of this run", "Verdict"], claims)
    file = tmp_path / "claims.html"
    file.write_text(render_report(Report("a", "b", sections=[Section("c", blocks=[table])])), encoding="utf-8")

    page = open_file(file, PHONE)

    claim, verdict = (page.locator(f"tbody {tag}").bounding_box()["width"] for tag in ("th", "td"))
    assert claim > 1.4 * verdict
    assert page.locator(".scroll").evaluate("box => box.scrollWidth <= box.clientWidth")


CONTRASTS = """
() => {
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const background = element => {
    for (; element; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    throw new Error("no background");
  };
  const texts = [...document.body.querySelectorAll("*")].filter(
    element => [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()));
  return texts.map(element => {
    const [a, b] = [parse(getComputedStyle(element).color), background(element)].map(luminance);
    const name = element.tagName + "." + element.className;
    return [name, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), b];
  });
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_text_is_readable_in_light_and_dark(open_page, scheme, viewport):
    page = open_page(viewport, scheme)

    contrasts = page.evaluate(CONTRASTS)

    names = {name for name, _, _ in contrasts}
    assert {"P.", "SPAN.badge good", "SPAN.badge bad", "SPAN.badge open", "SPAN.note", "FIGCAPTION.", "A."} <= names
    # WCAG 2.2, 1.4.3
    assert min(contrasts, key=lambda each: each[1])[1] >= 4.5, sorted(contrasts, key=lambda each: each[1])[:3]
    assert all((luminance > 0.5) == (scheme == "light") for _, _, luminance in contrasts)
    frames = page.evaluate("[...document.querySelectorAll('.frame')].map(f => getComputedStyle(f).backgroundColor)")
    assert set(frames) == {"rgb(255, 255, 255)"}


def test_the_best_value_is_told_by_more_than_its_colour(open_page):
    page = open_page()
    best = page.locator("td strong").first

    assert best.inner_text().startswith("★")
    assert best.get_by_role("img", name="best").count() == 1
    weights = [
        page.locator(tag).first.evaluate("e => Number(getComputedStyle(e).fontWeight)") for tag in ("td strong", "td")
    ]
    assert weights[0] > weights[1]


# ------------------------------------------------------------------------------------------------------------ the file


def embedded(picture):
    """Decode the picture that the page of only this one holds; its width and height there."""
    page = render_report(Report("a", "b", sections=[Section("c", blocks=[picture])]))
    (image,) = re.findall(r"<img[^>]*>", page)
    content = re.search(r'src="data:image/(?:webp|png);base64,([^"]+)"', image)[1]
    width, height = (int(re.search(rf' {side}="(\d+)"', image)[1]) for side in ("width", "height"))
    return Image.open(io.BytesIO(base64.b64decode(content))), width, height


@pytest.mark.parametrize("size", [(178, 218), (20, 17_000)])
def test_pictures_keep_each_pixel(photograph, size):
    pixels = photograph(0, *size)

    image, width, height = embedded(Picture(Image.fromarray(pixels), "photo"))

    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), pixels)
    assert (width, height) == size


def test_pictures_of_a_resolution_of_their_own_are_shown_as_large_as_they_were_drawn():
    figure = Figure(figsize=(4, 3))
    figure.add_subplot().plot([0, 1])

    fine, *fine_size = embedded(Picture(picture_of(figure, dpi=192), "line"))
    coarse, *coarse_size = embedded(Picture(picture_of(figure, dpi=144), "line"))

    assert fine.size == (768, 576)
    assert coarse.size == (576, 432)
    assert fine_size == coarse_size == [384, 288]


def test_the_file_names_no_address_but_its_own_parts(page_file):
    text = re.sub(r"base64,[^\"]+", "", page_file.read_text(encoding="utf-8"))

    assert re.findall(r"https?:|//[a-z]|@import|url\(", text) == []
    assert set(re.findall(r'(?:href|src)="([^"#]*)', text)) == {"data:,", "data:image/webp;", ""}


def test_a_report_of_nothing_but_problems_is_a_page():
    page = render_report(Report("Faces", "No model yet", [Problem("No VAE is trained.", "kedro run")]))

    assert "No VAE is trained." in page
    assert "<nav" not in page

"""Whole runs on next to no images, or on images that are all alike, come to their end; and by each runner."""

import html
import json
import re

import numpy as np
import pytest
import yaml
from PIL import Image

NETWORK = {
    "encoder": {"filters": [4, 8], "kernel_sizes": [3, 3], "strides": [2, 2]},
    "decoder": {"filters": [4, 3], "kernel_sizes": [3, 3], "strides": [2, 2], "start_filters": 8},
    "latent_dim": 4,
    "epochs": 2,
}
PARAMETERS = {
    "data_engineering": {"source": {"name": "folder", "folder": "faces"}, "image_size": 32},
    "training": NETWORK,
    # of all samplers and measures
    "generation": {"count": 8, "interpolation": {"frames": 3}},
    "evaluation": {
        "sweep_count": 4,
        "generated_count": 8,
        "samplers": ["normal", "gaussian", "mixture", "posterior"],
        "distribution_metrics": ["sliced_wasserstein", "crossing_lines", "variety", "sharpness"],
    },
    "hardware": {"precision": "float32"},
}
ONE_POINT = "has one point only, so all faces from it are the same"
NO_TEST = "There are no test images"
NO_VALIDATION = "without validation images"


@pytest.fixture
def run_on(project, run_kedro):
    """Run everything on some images; gives what it said, and of the report what is missing, as text."""

    def run(images, *arguments):
        folder = project / "data/01_raw/faces"
        folder.mkdir(exist_ok=True)
        for number, image in enumerate(images):
            Image.fromarray(image).save(folder / f"{number}.png")
        (project / "conf/local/parameters.yml").write_text(yaml.safe_dump(PARAMETERS))
        result = run_kedro(project, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        page = (project / "data/08_reporting/latest/report.html").read_text()
        problems = re.search(r"What is missing(.*?)What was run", page, re.DOTALL)[1]
        return result.stdout + result.stderr, html.unescape(re.sub(r"<[^>]+>", " ", problems))

    return run


def different(count):
    random = np.random.default_rng(4)
    blocks = random.integers(0, 256, (count, 8, 6, 3), np.uint8)
    return list(blocks.repeat(25, axis=1).repeat(30, axis=2))


BLACK = np.zeros((200, 180, 3), np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("images", "said"),
    [
        (different(1), ["only 1 training image", ONE_POINT, NO_TEST, NO_VALIDATION]),
        (different(2), [NO_TEST, NO_VALIDATION]),
        (different(3), ["only 1 training image", ONE_POINT, "only 1 test image"]),
        ([BLACK], ["only 1 training image", ONE_POINT, NO_TEST, NO_VALIDATION]),
        ([BLACK] * 12, ["only 1 test image", "The 10 training images are all alike", ONE_POINT]),
        ([BLACK + 255] * 40, ["The 2 test images are all alike", "The 34 training images are all alike", ONE_POINT]),
        (different(1) * 40, ["The 2 test images are all alike", "The 34 training images are all alike", ONE_POINT]),
        (different(2) * 60, []),
    ],
    ids=["1", "2", "3", "1 black", "12 black", "40 white", "1 forty times", "2 sixty times"],
)
def test_a_whole_run_comes_to_its_end_and_says_what_is_missing(images, said, project, run_on):
    console, problems = run_on(images)

    for text in said:
        assert text in problems
        assert text in console.replace("there are no validation images", NO_VALIDATION)
    # nothing is computed from nothing, and no library complains of it
    assert not re.search(r"(Runtime|User|Convergence|Future)Warning", console)
    for file in (project / "data/08_reporting/latest").glob("*.json"):
        assert "NaN" not in file.read_text()
    claims = json.loads((project / "data/08_reporting/latest/claims.json").read_text())
    if any("test image" in text for text in said):
        decided = {claim["name"] for claim in claims if claim["verdict"] != "not enough data"}
        assert decided <= {"kl_share"}


@pytest.mark.slow
def test_each_runner_gives_the_same(project, run_on):
    results = []
    for arguments in ([], ["--runner=ThreadRunner"], ["--runner-params=is_async=True"]):
        run_on(different(40), *arguments, "--params=training.fresh=true,generation.fresh=true")
        latest = project / "data/08_reporting/latest"
        pictures = {path.name: path.read_bytes() for path in latest.iterdir() if path.suffix in (".png", ".gif")}
        metrics = json.loads((latest / "metrics.json").read_text())
        for measured in metrics.values():
            del measured["model"]["training_seconds"]
        results.append((metrics, pictures))

    assert results[0] == results[1] == results[2]

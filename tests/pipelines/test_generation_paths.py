"""Interpolation, attribute arithmetic and traversals in real sessions, on models that can be computed by hand."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image
from sklearn.decomposition import PCA
from small_models import save_small_model, save_test_images, save_train_attributes, save_train_images

from celeba_vae.errors import DataError, SettingError

SHAPE = (16, 16, 3)
PICTURES = ("interpolation_strip.png", "interpolation_animation.gif", "attribute_grid.png", "traversal_grid.png")
NAMES = ["Smiling", "Male", "Bald"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def arrays(project):
    """Training images, of which none is bald, with their attributes, and test images."""
    train_images, values = save_train_images(project, NAMES)
    values[:, 2] = -1
    save_train_attributes(project, NAMES, values)
    return train_images, values, save_test_images(project)


@pytest.fixture
def generate(project):
    """Run the pipeline in the project; gives the version that it made."""
    bootstrap_project(project)

    def run(**parameters):
        # one model is all that these tests save
        parameters = {"compared": [parameters.get("variant", "vae")], **parameters}
        with KedroSession.create(project_path=project, runtime_params={"generation": parameters}) as session:
            session.run(pipeline_names=["generation"])
            return session.session_id

    return run


def picture_of(project, name, version):
    return Image.open(project / "data/08_reporting" / name / version / name)


def differences_of(image, picture):
    """Mean squared difference between an image, drawn at twice its size, and each place (row, column) of a picture."""
    image = np.rint(np.clip(image, 0, 255)).astype(np.uint8)
    drawn = np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.BICUBIC))
    return cv2.matchTemplate(np.asarray(picture), drawn, cv2.TM_SQDIFF) / drawn.size


def place_of(image, picture):
    """Where an image, drawn at twice its size, lies in a picture: (row, column) of its upper left corner in pixels."""
    differences = differences_of(image, picture)
    best = np.unravel_index(differences.argmin(), differences.shape)
    # values may be rounded to another integer than here
    assert differences[best] < 2
    return best


def rows_of(images, picture, columns):
    """Check that images stand in rows, one below the other, of so many from left to right."""
    places = np.array([place_of(image, picture) for image in images]).reshape(-1, columns, 2)
    assert (np.ptp(places[..., 0], axis=1) == 0).all()
    assert (np.ptp(places[..., 1], axis=0) == 0).all()
    assert (np.diff(places[0, :, 1]) > 32).all()
    assert (np.diff(places[:, 0, 0]) > 32).all()


def slerp(start, end, at):
    angle = np.arccos(start @ end / np.linalg.norm(start) / np.linalg.norm(end))
    return (np.sin((1 - at) * angle) * start + np.sin(at * angle) * end) / np.sin(angle)


@pytest.mark.parametrize("variant", ["vae", "ae"])
def test_strip_goes_from_one_generated_face_to_the_other_both_ways(project, arrays, generate, variant):
    model = save_small_model(project, variant)

    version = generate(variant=variant, interpolation={"start": 2, "end": 5, "steps": 4})

    latents = np.load(project / "data/07_model_output/generated_latents.npy" / version / "generated_latents.npy")
    start, end = latents[[2, 5]].astype(float)
    positions = (0, 1 / 3, 2 / 3, 1)
    ways = [*(start + at * (end - start) for at in positions), *(slerp(start, end, at) for at in positions)]
    images = model.decode(np.array(ways), SHAPE) * 255
    picture = picture_of(project, "interpolation_strip.png", version)
    # the ends are the same in both rows
    rows_of(images[1:3], picture, 2)
    rows_of(images[5:7], picture, 2)
    assert place_of(images[1], picture)[0] < place_of(images[5], picture)[0]
    assert place_of(images[0], picture)[1] < place_of(images[1], picture)[1]
    assert place_of(images[2], picture)[1] < place_of(images[3], picture)[1]


def test_test_images_are_joined_through_mu_and_shown_themselves(project, arrays, generate):
    model = save_small_model(project, "vae")
    images = arrays[2]

    version = generate(interpolation={"between": "test_images", "start": 4, "end": -1, "steps": 3})

    latents = model.encode(images[[4, -1]])[0]
    middle = model.decode(latents.mean(axis=0, keepdims=True), SHAPE)[0] * 255
    reconstructions = model.decode(latents, SHAPE) * 255
    picture = picture_of(project, "interpolation_strip.png", version)
    rows_of([images[4], reconstructions[0], middle, reconstructions[1], images[-1]], picture, 5)


def test_own_photos_are_joined_by_their_names(project, arrays, generate):
    model = save_small_model(project, "vae")
    folder = project / "data/01_raw/own_photos"
    folder.mkdir()
    colours = {"me.png": (200, 10, 10), "others/you.png": (10, 160, 60)}
    for name, colour in colours.items():
        (folder / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (300, 200), colour).save(folder / name)

    version = generate(interpolation={"between": "own_photos", "start": "you.png", "end": "me.png", "steps": 3})

    photos = np.broadcast_to(np.array([[10, 160, 60], [200, 10, 10]], np.uint8)[:, None, None], (2, *SHAPE))
    latents = model.encode(photos)[0]
    middle = model.decode(latents.mean(axis=0, keepdims=True), SHAPE)[0] * 255
    rows_of([photos[0], middle, photos[1]], picture_of(project, "interpolation_strip.png", version), 3)


def test_animation_goes_there_and_back(project, arrays, generate):
    model = save_small_model(project, "vae")

    version = generate(interpolation={"start": 0, "end": 1, "frames": 5})

    latents = np.load(project / "data/07_model_output/generated_latents.npy" / version / "generated_latents.npy")
    ends = model.decode(latents[:2], SHAPE) * 255
    with picture_of(project, "interpolation_animation.gif", version) as animation:
        frames, durations = [], []
        for position in range(animation.n_frames):
            animation.seek(position)
            frames.append(np.asarray(animation.convert("RGB")))
            durations.append(animation.info["duration"])
    # there in five, back over the three between
    assert len(frames) == 8
    for there, back in ((1, 7), (2, 6), (3, 5)):
        np.testing.assert_array_equal(frames[there], frames[back])
    assert min(durations[0], durations[4]) > 3 * max(durations[1:4])
    for frame, face, other in ((frames[0], *ends), (frames[4], *ends[::-1])):
        differences = [np.sort(differences_of(image, frame), axis=None) for image in (face, other)]
        # twice, side by side, but for what the palette changes
        assert differences[0][1] < differences[1][0] / 3
    latest = project / "data/08_reporting/latest/interpolation_animation.gif"
    assert latest.stat().st_size < 100_000


@pytest.mark.parametrize("variant", ["vae", "ae"])
def test_faces_are_moved_along_the_difference_of_the_groups_means(project, arrays, generate, variant):
    model = save_small_model(project, variant)
    train_images, values, images = arrays

    version = generate(variant=variant, attributes={"names": ["Male", "Smiling"], "shown": [7, 1], "steps": [-1, 0, 3]})

    latents = model.encode(train_images)[0]
    directions = {
        name: latents[values[:, column] == 1].mean(axis=0) - latents[values[:, column] == -1].mean(axis=0)
        for column, name in enumerate(NAMES[:2])
    }
    picture = picture_of(project, "attribute_grid.png", version)
    tops = []
    for row in (7, 1):
        for name in ("Male", "Smiling"):
            start = model.encode(images[[row]])[0]
            moved = model.decode(start + np.outer([-1, 3], directions[name]), SHAPE) * 255
            rows_of(moved, picture, 2)
            tops.append(place_of(moved[0], picture)[0])
    assert tops == sorted(set(tops))
    assert place_of(images[7], picture)[0] in tops[:2]
    table = pd.read_csv(project / f"data/07_model_output/{variant}/attribute_directions.csv", index_col="attribute")
    np.testing.assert_allclose(table.loc["Smiling"].filter(like="z_"), directions["Smiling"], atol=1e-4)
    assert table.loc["Bald", ["images_with", "images_without"]].tolist() == [0, 40]


def test_attributes_that_can_be_shown_are_chosen_where_none_are_named(project, arrays, generate):
    save_small_model(project, "vae")
    save_train_attributes(project, NAMES[:1], arrays[1][:, :1])
    one = picture_of(project, "attribute_grid.png", generate())
    save_train_attributes(project, NAMES, arrays[1])

    two = picture_of(project, "attribute_grid.png", generate())

    # a row of two faces more: bald is none of the training images
    assert 2 * 32 < two.height - one.height < 4 * 32
    assert two.width == one.width


def test_attributes_that_are_not_named_are_ordered_by_how_much_they_change_the_faces(project, arrays, generate):
    model = save_small_model(project, "vae")
    train_images, values, images = arrays

    shown = picture_of(project, "attribute_grid.png", generate(attributes={"shown": 1, "steps": [-1, 3]}))
    named = {"names": ["Male", "Smiling"], "shown": 1, "steps": [-1, 3]}
    as_named = picture_of(project, "attribute_grid.png", generate(attributes=named))

    latents, start = model.encode(train_images)[0], model.encode(images[:1])[0]
    faces, changes = {}, {}
    for column, name in enumerate(NAMES[:2]):
        of = values[:, column]
        direction = latents[of == 1].mean(axis=0) - latents[of == -1].mean(axis=0)
        faces[name] = model.decode(start + 3 * direction, SHAPE)[0] * 255
        changes[name] = np.abs(model.decode(start + direction, SHAPE) - model.decode(start, SHAPE)).mean()
    # what the other order would be
    clearest, other = sorted(changes, key=changes.get, reverse=True)
    assert (clearest, other) == ("Smiling", "Male")
    assert place_of(faces[clearest], shown)[0] < place_of(faces[other], shown)[0]
    assert place_of(faces["Male"], as_named)[0] < place_of(faces["Smiling"], as_named)[0]


def test_where_no_face_can_be_moved_the_picture_and_the_log_say_why(project, arrays, generate, caplog):
    save_small_model(project, "vae")
    save_train_attributes(project, [], arrays[1][:, :0])
    with_nothing = picture_of(project, "attribute_grid.png", generate())
    with pytest.raises(SettingError, match="list_attr_celeba"):
        generate(attributes={"names": ["Smiling"]})
    save_train_attributes(project, NAMES[2:], arrays[1][:, 2:])
    generate()
    save_train_attributes(project, NAMES, arrays[1])
    generate(attributes={"faces": "own_photos"})

    assert np.asarray(with_nothing).min() < 128
    reasons = [
        "without a list of attributes",
        "none of Smiling, .* tells the training images apart",
        "none in own_photos",
    ]
    warnings = [record.getMessage() for record in caplog.records if record.name == "celeba_vae.reporting.face_grids"]
    assert len(warnings) == len(reasons)
    for warning, reason in zip(warnings, reasons, strict=True):
        assert re.search(f"No face is moved along an attribute: .*{reason}", warning)


def test_images_that_do_not_fit_the_model_are_refused(project, arrays, generate):
    save_small_model(project, "vae")
    save_test_images(project, shape=(24, 32, 3))

    with pytest.raises(DataError, match="images of 16x16 pixels, these have 32x24"):
        generate()


def test_wrong_faces_and_attributes_are_refused(project, arrays, generate):
    save_small_model(project, "vae")
    wrong = [
        ({"interpolation": {"start": 28}}, SettingError, "interpolation.start.* 28 .*rows 0 to 27"),
        ({"interpolation": {"end": -29}}, SettingError, "interpolation.end.* -29 .*rows 0 to 27"),
        ({"interpolation": {"between": "test_images", "end": 20}}, SettingError, "test_images, .*rows 0 to 19"),
        ({"interpolation": {"between": "own_photos"}}, SettingError, "no faces in .*own_photos. Put some there"),
        ({"attributes": {"shown": ["test image 91"]}}, SettingError, "Did you mean 'test image 9'"),
        ({"attributes": {"names": ["Smilling"]}}, SettingError, "Did you mean 'Smiling'.* Known: Smiling, Male, Bald"),
    ]
    for parameters, kind, message in wrong:
        with pytest.raises(kind, match=message):
            generate(**parameters)
        # nothing of the results before is replaced by half a run's
        assert not list((project / "data/07_model_output").iterdir())


def test_an_attribute_without_a_direction_is_left_out(project, arrays, generate, caplog):
    save_small_model(project, "vae")

    both = picture_of(project, "attribute_grid.png", generate(attributes={"names": ["Bald", "Male"]}))

    assert "'Bald': of the training images, 0 have it and 40 do not" in caplog.text
    male = picture_of(project, "attribute_grid.png", generate(attributes={"names": ["Male"]}))
    assert both.size == male.size


def test_without_test_images_pictures_of_them_say_so(project, arrays, generate, caplog):
    save_small_model(project, "vae")
    two_rows = picture_of(project, "sampler_comparison.png", generate())
    caplog.clear()
    np.save(project / "data/05_model_input/test_images.npy", np.zeros((0, *SHAPE), np.uint8))

    version = generate(
        interpolation={"between": "test_images", "start": 3},
        attributes={"shown": [0]},
        compared_sampler={"name": "posterior"},
    )

    assert "There is no way from face to face" in caplog.text
    assert "No face is moved along an attribute: there are none in test_images" in caplog.text
    assert "The sampler posterior is left out of the comparison" in caplog.text
    # N(0, I) alone is left
    assert picture_of(project, "sampler_comparison.png", version).height < two_rows.height
    for name in PICTURES:
        assert np.asarray(picture_of(project, name, version).convert("L")).min() < 128


def test_a_photo_that_is_not_there_is_named_before_the_first_step(project, arrays, generate):
    save_small_model(project, "vae")
    folder = project / "data/01_raw/own_photos"
    folder.mkdir()
    Image.new("RGB", (30, 30)).save(folder / "anna.png")
    missing = {"between": "own_photos", "start": "anna.png", "end": "hannah.png"}

    with pytest.raises(SettingError, match=r"interpolation.end: there is no 'hannah.png' .* Did you mean 'anna.png'"):
        generate(interpolation=missing)
    with pytest.raises(SettingError, match=r"attributes.shown: there is no 1 .*rows 0 to 0"):
        generate(attributes={"faces": "own_photos", "shown": [0, 1]})

    assert not list((project / "data/07_model_output").iterdir())


def test_unknown_attribute_stops_the_run_before_its_first_node(project, arrays, run_kedro):
    save_small_model(project, "vae")

    result = run_kedro(
        project, "--pipelines", "generation", "--params", "generation.attributes.names=Smilling,generation.compared=vae"
    )

    assert result.returncode == 1
    assert "Did you mean 'Smiling'?" in result.stderr
    assert "(1 of " not in result.stdout


def test_traversals_lie_along_the_components_in_standard_deviations(project, arrays, generate):
    model = save_small_model(project, "vae")

    version = generate(traversal={"components": 3, "steps": [-2, 1, 4]})

    expected = PCA(3).fit(model.encode(arrays[0])[0])
    signs = np.sign(np.take_along_axis(expected.components_, np.abs(expected.components_).argmax(axis=1)[:, None], 1))
    offsets = signs * expected.components_ * np.sqrt(expected.explained_variance_)[:, None]
    points = [expected.mean_ + step * offset for offset in offsets for step in (-2, 1, 4)]
    rows_of(model.decode(np.array(points), SHAPE) * 255, picture_of(project, "traversal_grid.png", version), 3)


def test_of_what_there_is_less_of_all_is_shown(project, arrays, generate):
    model = save_small_model(project, "vae", latent_dim=1)

    save_test_images(project, count=9)
    version = generate(count=1, attributes={"shown": 20, "steps": [1]}, traversal={"components": 8})

    # one dimension, one generated face, 9 test images with two attributes each
    heights = {name: picture_of(project, name, version).height for name in PICTURES}
    assert heights["traversal_grid.png"] < 200
    assert heights["attribute_grid.png"] > 18 * 32
    face = np.load(project / "data/07_model_output/generated_latents.npy" / version / "generated_latents.npy")
    assert place_of(model.decode(face, SHAPE)[0] * 255, picture_of(project, "interpolation_strip.png", version))


def test_pictures_are_the_same_again(project, arrays, generate):
    save_small_model(project, "vae")

    first, second = generate(), generate()

    for name in PICTURES:
        files = [project / "data/08_reporting" / name / version / name for version in (first, second)]
        assert files[0].read_bytes() == files[1].read_bytes()
        assert (project / "data/08_reporting/latest" / name).read_bytes() == files[0].read_bytes()


@pytest.mark.slow
def test_drawn_faces_smile_more_after_the_move_and_not_after_random_ones(project, run_kedro):
    quick = {
        "data_engineering": {
            "source": {"name": "synthetic", "count": 1000, "seed": 1},
            "image_size": 48,
            "split": {"by": "counts", "train": 800, "validation": 0, "test": 200},
        },
        "training": {
            "variants": ["vae"],
            "latent_dim": 64,
            "encoder": {"filters": [16, 32, 64], "kernel_sizes": [3, 3, 3], "strides": [2, 2, 2]},
            "decoder": {"filters": [32, 16, 3], "kernel_sizes": [3, 3, 3], "strides": [2, 2, 2]},
            "layers": {"batch_normalization_momentum": 0.9},
            "epochs": 8,
            "batch_size": 16,
        },
        "variants": {"vae": {"kl_weight": 1.0}},
        "generation": {"compared": ["vae"]},
        "hardware": {"precision": "float32"},
    }
    (project / "conf/quick").mkdir()
    (project / "conf/quick/parameters_quick.yml").write_text(yaml.safe_dump(quick))
    made = run_kedro(project, "--env", "quick", "--pipelines", "data_engineering,training,generation")
    assert made.returncode == 0, made.stdout + made.stderr

    process = subprocess.run(
        [sys.executable, ROOT / "benchmarks/attributes.py", "--project", project, "--env", "quick"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout.splitlines()[-1])
    assert result["cases"] == 200
    assert result["accuracy"] > 0.9
    assert result["moved"] >= 0.9
    assert result["random"] < 0.65

"""Own photos in real sessions: read, passed through each model, and shown beside what became of them."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
import skimage.data
from base_config import base_config
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image, ImageEnhance
from small_models import save_small_model, save_test_images, save_train_images

from celeba_vae.config import EvaluationConfig, GenerationConfig
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant, TrainedVariant
from celeba_vae.photos.own_photos import Photos
from celeba_vae.pipelines.evaluation.nodes import compare_photos
from celeba_vae.reporting.variant_rows import photo_rows

SHAPE = (16, 16, 3)
SMALL = {"kernel_sizes": [3], "strides": [2]}


@pytest.fixture
def run(project):
    """Run pipelines in the project with these parameters; gives the version that was made."""
    bootstrap_project(project)
    save_train_images(project)

    def run(pipelines="evaluation", **parameters):
        with KedroSession.create(project_path=project, runtime_params=parameters) as session:
            session.run(pipeline_names=pipelines.split(","), to_outputs=["own_photos_grid"])
            return session.session_id

    return run


def grid_of(project, version):
    return Image.open(project / "data/08_reporting/own_photos_grid.png" / version / "own_photos_grid.png")


def reconstruction(project, variant, version, photo):
    """What Keras itself makes of a photo with a variant's saved models."""
    import keras

    encoder, decoder = (
        keras.saving.load_model(project / "data/06_models" / variant / f"{part}.keras" / version / f"{part}.keras")
        for part in ("encoder", "decoder")
    )
    return np.rint(decoder.predict(encoder.predict(photo[None] / 255)[0])[0] * 255).astype(np.uint8)


def shows(grid, image):
    """Whether a picture shows this image, enlarged as grids do, somewhere."""
    large = np.asarray(Image.fromarray(image).resize((image.shape[1] * 2,) * 2, Image.Resampling.BICUBIC))
    pixels = np.asarray(grid)
    places = np.argwhere((pixels == large[0, 0]).all(axis=2))
    height, width = large.shape[:2]
    return any(np.array_equal(pixels[y : y + height, x : x + width], large) for y, x in places)


def test_photos_are_reconstructed_and_sharpened_and_unreadable_ones_named(project, run, caplog):
    models = {name: save_small_model(project, name) for name in ("vae", "ae")}
    save_test_images(project)
    without = grid_of(project, run())
    folder = project / "data/01_raw/own_photos"
    folder.mkdir()
    photo = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    Image.fromarray(photo).save(folder / "me.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n")

    grid = grid_of(project, run(generation={"enhancer": {"name": "sharpness", "factor": 5.0}}))

    assert "No photos of your own" in caplog.text
    assert "broken.png is left out" in caplog.text
    assert without.width > 500
    assert shows(grid, photo)
    made = {}
    for name, model in models.items():
        latents = model.encode(photo[None])[0]
        made[name] = np.rint(model.decode(latents, SHAPE)[0] * 255).astype(np.uint8)
        assert shows(grid, made[name])
    assert shows(grid, np.asarray(ImageEnhance.Sharpness(Image.fromarray(made["vae"])).enhance(5)))
    assert not shows(grid, np.asarray(ImageEnhance.Sharpness(Image.fromarray(made["ae"])).enhance(5)))


def test_a_trained_variant_shows_its_earliest_kept_epoch(project, run):
    random = np.random.default_rng(1)
    for split in ("train", "validation", "test"):
        images = random.integers(0, 256, (32, *SHAPE), np.uint8)
        np.save(project / f"data/05_model_input/{split}_images.npy", images)
    folder = project / "data/01_raw/own_photos"
    folder.mkdir()
    Image.fromarray(images[0]).save(folder / "me.png")
    training = {
        "latent_dim": 4,
        "batch_size": 16,
        "learning_rate": 0.01,
        "encoder": {"name": "conv", "filters": [8], **SMALL},
        "decoder": {"name": "conv_transpose", "filters": [3], "start_filters": 8, **SMALL},
        "variants": ["vae"],
        "keep_checkpoints": 1,
    }
    parameters = {"evaluation": {"variants": ["vae"]}, "hardware": {"precision": "float32"}}

    grids, made = [], []
    for epochs in (1, 3):
        version = run("training,evaluation", **parameters, training={**training, "epochs": epochs})
        grids.append(grid_of(project, version))
        made.append(reconstruction(project, "vae", version, images[0]))

    assert shows(grids[0], made[0])
    assert not shows(grids[0], made[1])
    assert shows(grids[1], made[0])
    assert shows(grids[1], made[1])


def test_only_the_generating_variant_has_more_rows_than_its_reconstructions(project, tmp_path):
    import keras

    save_small_model(project, "vae")
    folder = project / "data/06_models/vae"
    encoder, decoder = (
        keras.saving.load_model(next(folder.glob(f"{part}.keras/*/*"))) for part in ("encoder", "decoder")
    )
    photos = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), np.uint8)

    def labels(name, **generation):
        model = TrainedVariant(EvaluatedVariant(name, {}, pd.DataFrame()), encoder, decoder)
        rows = photo_rows(
            model,
            tmp_path / "nothing here",
            photos,
            base_config(EvaluationConfig),
            base_config(GenerationConfig, **generation),
        )
        assert all(row.shape == photos.shape and row.dtype == np.uint8 for row in rows.values())
        return list(rows)

    assert labels("vae") == ["VAE", "VAE sharpened"]
    assert labels("vae", enhancer="none") == ["VAE"]
    assert labels("ae") == ["AE"]


def test_picture_without_photos_names_the_folder(tmp_path):
    none = Photos(np.zeros((0, *SHAPE), np.uint8), [], [], [])

    picture = compare_photos(none, tmp_path, base_config(EvaluationConfig))
    elsewhere = compare_photos(none, tmp_path / "elsewhere", base_config(EvaluationConfig))

    assert picture.tobytes() != elsewhere.tobytes()


@pytest.mark.skipif(importlib.util.find_spec("mtcnn") is None, reason="the extra faces is not installed")
def test_face_is_found_in_a_session(project, run, caplog):
    save_small_model(project, "vae", shape=(32, 32, 3))
    save_test_images(project, shape=(32, 32, 3))
    folder = project / "data/01_raw/own_photos"
    folder.mkdir()
    ground = Image.new("RGB", (1200, 600), (0, 255, 0))
    ground.paste(Image.fromarray(skimage.data.astronaut()), (680, 40))
    ground.save(folder / "me.png")

    pixels = np.asarray(grid_of(project, run(evaluation={"variants": ["vae"]}))).astype(int)

    assert "No face was found" not in caplog.text
    # of the centre 2,500 of 64x64 pixels would be ground; a random model may make some green of its own
    assert ((pixels[..., 1] > 200) & (pixels[..., [0, 2]].max(axis=2) < 60)).sum() < 500

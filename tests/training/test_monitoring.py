"""What a monitored training leaves: event files as TensorBoard reads them, and pictures as Pillow does."""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import cv2
import keras
import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from celeba_vae.reporting.training_grids import reconstructions_grid, samples_grid
from celeba_vae.training.monitoring import Monitor

SIDE = 16
LATENTS = np.random.default_rng(1).normal(size=(3, 2)).astype(np.float32)
IMAGES = np.random.default_rng(2).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)


def row(epoch: int, total_loss: float) -> dict[str, float]:
    return {
        "epoch": epoch,
        "total_loss": total_loss,
        "kl": 3.5,
        "validation_total_loss": total_loss + 1,
        "validation_kl": 4.5,
        "learning_rate": 5e-4,
        "images_per_second": 250.0,
    }


class Model(NamedTuple):
    """What is shown of a model in training."""

    encoder: keras.Model
    decoder: keras.Model


@pytest.fixture(scope="module")
def model() -> Model:
    """An encoder that gives [mu, logvar], and a decoder of one layer."""
    keras.utils.set_random_seed(1)
    images = keras.Input((SIDE, SIDE, 3))
    flat = keras.layers.Flatten()(images)
    encoder = keras.Model(images, [keras.layers.Dense(2)(flat), keras.layers.Dense(2)(flat)])
    z = keras.Input((2,))
    values = keras.layers.Dense(SIDE * SIDE * 3, activation="sigmoid")(z)
    return Model(encoder, keras.Model(z, keras.layers.Reshape((SIDE, SIDE, 3))(values)))


@pytest.fixture
def begin(tmp_path: Path) -> Callable[..., Monitor]:
    """``begin(every=1)`` is a process of a training that is monitored in ``tmp_path``."""

    def make(every: int | None = 1) -> Monitor:
        draw = {
            "samples": partial(samples_grid, "vae"),
            "reconstructions": partial(reconstructions_grid, "vae", IMAGES),
        }
        return Monitor(tmp_path, LATENTS, IMAGES, every, draw)

    return make


def read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    return events.Reload()


def curve(folder: Path, tag: str) -> dict[int, float]:
    points = [(event.step, event.value) for event in read(folder).Scalars(tag)]
    assert len(dict(points)) == len(points), "an epoch is there twice"
    return dict(points)


def decoded(decoder: keras.Model, latents: np.ndarray) -> np.ndarray:
    kernel, bias = decoder.get_weights()
    values = 1 / (1 + np.exp(-(latents.astype(np.float64) @ kernel + bias)))
    return np.rint(values * 255).reshape(-1, SIDE, SIDE, 3)


def distance(picture: Image.Image, image: np.ndarray) -> float:
    """Root of the mean squared difference to the most similar place in the picture, in 0..255."""
    differences = cv2.matchTemplate(np.asarray(picture), image.astype(np.uint8), cv2.TM_SQDIFF)
    return float(np.sqrt(max(differences.min(), 0) / image.size))


def test_curves_of_training_and_validation_come_in_one_chart(
    tmp_path: Path, begin: Callable[..., Monitor], model: Model
) -> None:
    monitor = begin()
    for epoch, loss in ((1, 60.25), (2, 55.5)):
        monitor.epoch_ended(model, row(epoch, loss), last=False)
    # read before the files are closed: a training can be killed at any time
    assert curve(tmp_path / "train", "total_loss") == {1: 60.25, 2: 55.5}
    assert curve(tmp_path / "validation", "total_loss") == {1: 61.25, 2: 56.5}
    monitor.close()
    assert set(read(tmp_path / "train").Tags()["scalars"]) == {
        "total_loss",
        "kl",
        "learning_rate",
        "images_per_second",
    }
    assert set(read(tmp_path / "validation").Tags()["scalars"]) == {"total_loss", "kl"}
    assert curve(tmp_path / "train", "learning_rate") == {1: np.float32(5e-4), 2: np.float32(5e-4)}


def test_a_measure_that_an_epoch_lacks_is_left_out(tmp_path: Path, begin: Callable[..., Monitor], model: Model) -> None:
    monitor = begin()
    monitor.epoch_ended(model, {"epoch": 1, "total_loss": 4.0, "validation_total_loss": float("nan")}, last=False)
    monitor.epoch_ended(model, {"epoch": 2, "total_loss": 3.0, "validation_total_loss": 5.0}, last=True)
    monitor.close()
    assert curve(tmp_path / "validation", "total_loss") == {2: 5.0}


@pytest.mark.parametrize(("every", "pictured"), [(1, [1, 2, 3, 4, 5]), (2, [1, 2, 4, 5]), (None, [1, 5])])
def test_pictures_come_after_the_first_epoch_the_last_and_every_nth(
    tmp_path: Path, begin: Callable[..., Monitor], model: Model, every: int | None, pictured: list[int]
) -> None:
    monitor = begin(every)
    for epoch in range(1, 6):
        monitor.epoch_ended(model, row(epoch, 1.0), last=epoch == 5)
    monitor.close()
    for kind in ("samples", "reconstructions"):
        assert sorted(path.stem for path in tmp_path.glob(f"{kind}*.png")) == [
            f"{kind}_epoch_{epoch:04d}" for epoch in pictured
        ]
        for event in read(tmp_path / "train").Images(kind):
            with Image.open(tmp_path / f"{kind}_epoch_{event.step:04d}.png") as picture:
                shown = Image.open(BytesIO(event.encoded_image_string))
                assert (event.width, event.height) == shown.size == picture.size
                np.testing.assert_array_equal(np.asarray(shown), np.asarray(picture))
        assert [event.step for event in read(tmp_path / "train").Images(kind)] == pictured
        assert sorted(path.stem for path in tmp_path.glob(f"{kind}*.npy")) == [
            f"{kind}_epoch_{epoch:04d}" for epoch in pictured
        ]


def test_pictures_show_the_same_latents_and_images_as_the_model_changes(
    tmp_path: Path, begin: Callable[..., Monitor], model: Model
) -> None:
    encoder, decoder = model
    monitor = begin()
    for epoch in (1, 2):
        weights = np.random.default_rng(epoch).normal(size=(2, SIDE * SIDE * 3))
        decoder.set_weights([weights, np.zeros(SIDE * SIDE * 3)])
        monitor.epoch_ended(model, row(epoch, 1.0), last=False)
        samples = decoded(decoder, LATENTS)
        mu = encoder.get_weights()[0].T @ (IMAGES.reshape(len(IMAGES), -1).T / 255)
        kept = np.load(tmp_path / f"samples_epoch_{epoch:04d}.npy", allow_pickle=False)
        assert kept.dtype == np.uint8
        np.testing.assert_allclose(kept, samples, atol=1)
        kept = np.load(tmp_path / f"reconstructions_epoch_{epoch:04d}.npy", allow_pickle=False)
        np.testing.assert_allclose(kept, decoded(decoder, mu.T), atol=1)
        with Image.open(tmp_path / f"samples_epoch_{epoch:04d}.png") as picture:
            assert max(distance(picture, image) for image in samples) < 1
        with Image.open(tmp_path / f"reconstructions_epoch_{epoch:04d}.png") as picture:
            assert max(distance(picture, image) for image in [*IMAGES, *decoded(decoder, mu.T)]) < 1
            assert min(distance(picture, image) for image in samples) > 10
    monitor.close()


def test_a_killed_training_that_goes_on_has_each_epoch_once(
    tmp_path: Path, begin: Callable[..., Monitor], model: Model
) -> None:
    killed = begin(every=2)
    for epoch in range(1, 5):
        killed.epoch_ended(model, row(epoch, 100.0 + epoch), last=False)
    for run in ("train", "validation"):
        # what was being written of epoch 4 when the process was killed
        (file,) = (tmp_path / run).iterdir()
        file.write_bytes(file.read_bytes()[:-5])
    resumed = begin(every=2)
    for epoch in range(3, 7):
        resumed.epoch_ended(model, row(epoch, 200.0 + epoch), last=epoch == 6)
    resumed.close()

    expected = {1: 101.0, 2: 102.0, 3: 203.0, 4: 204.0, 5: 205.0, 6: 206.0}
    assert curve(tmp_path / "train", "total_loss") == expected
    assert curve(tmp_path / "validation", "total_loss") == {epoch: loss + 1 for epoch, loss in expected.items()}
    assert [event.step for event in read(tmp_path / "train").Images("samples")] == [1, 2, 4, 6]
    assert not [path.name for path in tmp_path.rglob(".*")]


def test_a_training_with_more_epochs_goes_on_in_the_same_charts(
    tmp_path: Path, begin: Callable[..., Monitor], model: Model
) -> None:
    for epochs in ((1, 2), (3, 4)):
        monitor = begin()
        for epoch in epochs:
            monitor.epoch_ended(model, row(epoch, float(epoch)), last=epoch == epochs[-1])
        monitor.close()
    assert curve(tmp_path / "train", "total_loss") == {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0}


def test_nothing_is_written_before_an_epoch_has_ended(tmp_path: Path, begin: Callable[..., Monitor]) -> None:
    begin().close()
    assert not list(tmp_path.iterdir())

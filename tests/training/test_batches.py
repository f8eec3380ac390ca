"""The order of the images: every image once an epoch, well shuffled, the same whenever it is asked for."""

import itertools

import numpy as np
import pytest

from celeba_vae.training.batches import epoch_order, training_batches, validation_batches


def numbered_images(count):
    """Images whose values say which they are."""
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 2, 2, 3)).copy()


def drawn(dataset, batches):
    return [batch[:, 0, 0, 0].numpy() for batch in itertools.islice(dataset, batches)]


def test_each_image_comes_once_an_epoch_the_last_batch_smaller():
    batches = drawn(training_batches(numbered_images(10), batch_size=4, seed=1, first_step=0), 6)
    assert [len(batch) for batch in batches] == [4, 4, 2, 4, 4, 2]
    first, second = np.concatenate(batches[:3]), np.concatenate(batches[3:])
    assert sorted(first) == sorted(second) == list(range(10))
    assert list(first) != list(second)


@pytest.mark.parametrize("first_step", [2, 3, 7])
def test_going_on_at_a_step_gives_what_would_have_come(first_step):
    images = numbered_images(10)
    uninterrupted = drawn(training_batches(images, batch_size=4, seed=1, first_step=0), 9)
    resumed = drawn(training_batches(images, batch_size=4, seed=1, first_step=first_step), 9 - first_step)
    for a, b in zip(uninterrupted[first_step:], resumed, strict=True):
        np.testing.assert_array_equal(a, b)


def test_flips_mirror_about_half_of_the_images_and_others_each_epoch():
    images = np.random.default_rng(0).integers(0, 256, (400, 2, 3, 3), dtype=np.uint8)
    batches = training_batches(images, batch_size=150, seed=1, horizontal_flips=True)
    epochs = np.concatenate(list(itertools.islice(batches.as_numpy_iterator(), 6))).reshape(2, 400, 2, 3, 3)
    flipped = []
    for epoch, drawn_images in enumerate(epochs):
        original = images[epoch_order(400, 1, epoch)]
        mirrored = np.all(drawn_images == original[:, :, ::-1], axis=(1, 2, 3))
        assert np.all(np.all(drawn_images == original, axis=(1, 2, 3)) | mirrored)
        by_image = np.empty(400, bool)
        by_image[epoch_order(400, 1, epoch)] = mirrored
        flipped.append(by_image)
    # the standard deviation of a mean of 400 throws of a coin is 0.025
    assert all(0.4 < flips.mean() < 0.6 for flips in flipped)
    assert 0.4 < (flipped[0] == flipped[1]).mean() < 0.6


def test_order_depends_on_seed_and_epoch():
    orders = {tuple(epoch_order(50, seed, epoch)) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


@pytest.mark.parametrize("epoch", range(3))
def test_order_has_nothing_of_the_file_order(epoch):
    order = epoch_order(20_000, 42, epoch)
    # the standard deviation of a correlation of independent series is 1 / sqrt(n) = 0.007
    assert abs(np.corrcoef(order, np.arange(20_000))[0, 1]) < 0.03
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.03
    assert abs(np.corrcoef(order, epoch_order(20_000, 42, epoch + 1))[0, 1]) < 0.03


def test_memory_mapped_images_come_as_they_are(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (7, 2, 2, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    np.testing.assert_array_equal(np.concatenate(list(validation_batches(mapped, 3))), images)

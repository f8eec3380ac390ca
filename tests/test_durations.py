"""Durations as people write them."""

import pytest

from celeba_vae.durations import duration


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (192, "3 min 12 s"), (7500, "2 h 05 min")]
)
def test_durations_are_written_for_people(seconds, text):
    assert duration(seconds) == text

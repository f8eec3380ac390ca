"""Which addresses are elsewhere, and where working files then are."""

import pytest

from celeba_vae.storage.places import is_remote, working_folder


@pytest.mark.parametrize("address", ["data", "/data", "file:///data", "C:\\data"])
def test_paths_are_not_remote(address):
    assert not is_remote(address)
    assert working_folder(address, "work") == address


def test_the_working_folder_of_remote_data_is_another():
    assert working_folder("s3://bucket/celeba", "work") == "work"

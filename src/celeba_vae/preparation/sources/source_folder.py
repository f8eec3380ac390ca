"""What the built-in sources share: each names a folder, and has no other options than those that it declares.

A source is a component with two methods: ``check(raw_folder)`` says quickly whether there is anything to prepare, and
``collect(raw_folder)`` gives an ``ImageCollection``. From there on nothing knows which source it was.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from celeba_vae.storage import Place, RemotePath, is_remote, protocol_of


class Source(BaseModel):
    """Base of the built-in sources."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def source_folder(raw_folder: Place, folder: str) -> Place:
    """Give the folder that a source names: below the folder of originals unless it says where.

    Raises:
        DataError: it names an address that can't be reached.
    """
    remote = raw_folder if isinstance(raw_folder, RemotePath) else None
    if is_remote(folder):
        if remote and remote.protocol == protocol_of(folder):
            # with its credentials
            place = RemotePath.at(remote.protocol, remote.fs, folder, remote.cache)
        else:
            place = RemotePath.of(folder)
        place.check()
        return place
    # an absolute path is of this machine, wherever the folder of originals is
    return Path(folder) if Path(folder).is_absolute() else raw_folder / folder

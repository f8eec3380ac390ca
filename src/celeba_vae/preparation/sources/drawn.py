"""Drawn faces, for whoever has no CelebA."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field, PositiveInt

from celeba_vae.config import Options
from celeba_vae.errors import DataError
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.preparation.sources.celeba import collect_celeba
from celeba_vae.preparation.sources.folder import source_folder
from celeba_vae.storage import CONNECTIONS, Place, RemotePath
from celeba_vae.storage.atomic import written_atomically
from celeba_vae.storage.threads import map_in_threads

_MARKER = "drawn.json"
# raise it when the drawing changes: faces drawn before are then drawn again
_DRAWING = 1


class SyntheticSource(Options):
    """Drawn faces: drawn once, in CelebA's form, and read like CelebA from then on."""

    count: PositiveInt = Field(3000, description="Faces to draw")
    seed: int = Field(42, ge=0, description="Seed of the faces")
    folder: str = Field("synthetic", description="The folder to draw into, below 01_raw, absolute or an address")

    def check(self, raw_folder: Place) -> None:
        """Nothing can be missing: what is not there will be drawn."""

    def collect(self, raw_folder: Place) -> ImageCollection:
        """Draw the faces unless they are there, then collect them like CelebA.

        Raises DataError when the folder holds something that was not drawn here.
        """
        folder = source_folder(raw_folder, self.folder)
        wanted = json.dumps({"count": self.count, "seed": self.seed, "drawing": _DRAWING})
        marker = folder / _MARKER
        drawn_here = marker.is_file()
        if not drawn_here and _holds_something(folder):
            raise DataError(
                f"{folder} holds files that were not drawn by the source 'synthetic', which would replace them."
                " Move them, or name another folder: data_engineering.source.folder."
            )
        if not drawn_here or marker.read_text() != wanted:
            from celeba_vae.synthetic.drawn_celeba import write_synthetic_celeba

            with _replaced_whole(folder, drawn_here) as temporary:
                write_synthetic_celeba(temporary, count=self.count, seed=self.seed)
                (temporary / _MARKER).write_text(wanted)
        return collect_celeba(folder)


def _holds_something(folder: Place) -> bool:
    if isinstance(folder, RemotePath):
        return next(folder.files(), None) is not None
    return folder.exists() and any(folder.iterdir())


@contextmanager
def _replaced_whole(folder: Place, there: bool) -> Iterator[Path]:
    """Give a local folder to fill; its content takes the place of what is in ``folder``, the marker last."""
    if isinstance(folder, RemotePath):
        with tempfile.TemporaryDirectory() as local:
            drawn = Path(local) / folder.name
            yield drawn
            if there:
                (folder / _MARKER).unlink()
                folder.rmdir(recursive=True)
            files = [file for file in drawn.rglob("*") if file.is_file() and file.name != _MARKER]

            def upload(file: Path) -> None:
                (folder / file.relative_to(drawn).as_posix()).upload(file)

            for _ in map_in_threads(upload, files, CONNECTIONS):
                pass
            upload(drawn / _MARKER)
    else:
        with written_atomically(folder) as temporary:
            yield temporary
            if there:
                shutil.rmtree(folder)

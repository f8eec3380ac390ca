"""Which image is meant by a name in a list."""

from collections.abc import Iterable, Sequence
from functools import cached_property

# in place of a position: more than one image
_SEVERAL = -1


class ImageNames:
    """The images by the names that lists call them.

    A name is that of an image where it is the same. Else it means the one image that has its path's end or its last
    part, or else the last part without suffix, whatever the capitals.
    """

    def __init__(self, image_ids: Sequence[str]) -> None:
        self.exact = {image_id: position for position, image_id in enumerate(image_ids)}

    def alike(self, name: str) -> int | None:
        """Give the position of the one image that is alike, None where there is none, or more than one."""
        parts = _parts(name)
        for start in range(len(parts) - 1):
            position = self.exact.get("/".join(parts[start:]))
            if position is not None:
                return position
        file = parts[-1]
        position = self._files.get(file)
        if position is None:
            position = self._stems.get(file.casefold())
        if position is None:
            position = self._stems.get(_stem(file))
        return None if position == _SEVERAL else position

    def distinct_matches(self, cells: Iterable[str]) -> int:
        """Count the images that these cells mean."""
        matches = (self.exact[cell] if cell in self.exact else self.alike(cell) for cell in set(cells))
        return len(set(matches) - {None})

    @cached_property
    def _files(self) -> dict[str, int]:
        if not any("/" in image_id or "\\" in image_id for image_id in self.exact):
            return self.exact
        return _unique((_parts(image_id)[-1], position) for image_id, position in self.exact.items())

    @cached_property
    def _stems(self) -> dict[str, int]:
        return _unique((_stem(_parts(image_id)[-1]), position) for image_id, position in self.exact.items())


def _parts(name: str) -> list[str]:
    return name.strip().replace("\\", "/").rstrip("/").split("/")


def _stem(file: str) -> str:
    stem, _, suffix = file.rpartition(".")
    return (stem if stem and suffix.isalnum() and len(suffix) <= 5 else file).casefold()


def _unique(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    positions: dict[str, int] = {}
    for name, position in pairs:
        if positions.setdefault(name, position) != position:
            positions[name] = _SEVERAL
    return positions

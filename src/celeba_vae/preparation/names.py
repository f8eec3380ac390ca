"""Which image is meant by a name in a list."""

from collections.abc import Iterable, Sequence
from functools import cached_property

# in place of a position: more than one image
_SEVERAL = -1


class ImageNames:
    """The images by the names that lists call them.

    A name is that of an image where it is the same. Else it means the one image that has its path's end or its last
    part; else that part with another suffix or none; else whatever the capitals.
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
        for stem in (file, _stem(file)):
            if position is None:
                position = _only(self._files.get(stem + suffix) for suffix in self._suffixes)
        if position is None:
            position = self._folded_stems.get(file.casefold(), self._folded_stems.get(_stem(file).casefold()))
        return None if position == _SEVERAL else position

    def distinct_matches(self, cells: Iterable[str]) -> int:
        """Count the images that these cells mean."""
        matches = (self.exact[cell] if cell in self.exact else self.alike(cell) for cell in set(cells))
        return len(set(matches) - {None})

    def put_together(self, cells: list[str]) -> list[str]:
        """Give a line's cells where spaces stand between them, those that make an image's name together as one."""
        for start in range(len(cells)):
            for count in self._words:
                name = self._spaced.get(" ".join(cells[start : start + count]))
                if name is not None:
                    return [*cells[:start], name, *cells[start + count :]]
        return cells

    @property
    def have_spaces(self) -> bool:
        """Whether any has a space in it."""
        return bool(self._spaced)

    @cached_property
    def _spaced(self) -> dict[str, str]:
        names = (image_id for image_id in self.exact if len(image_id.split()) > 1)
        return {" ".join(name.split()): name for name in names}

    @cached_property
    def _words(self) -> list[int]:
        return sorted({name.count(" ") + 1 for name in self._spaced}, reverse=True)

    @cached_property
    def _files(self) -> dict[str, int]:
        if not any("/" in image_id or "\\" in image_id for image_id in self.exact):
            return self.exact
        return _unique((_parts(image_id)[-1], position) for image_id, position in self.exact.items())

    @cached_property
    def _suffixes(self) -> set[str]:
        return {image_id[len(_stem(image_id)) :] for image_id in self.exact}

    @cached_property
    def _folded_stems(self) -> dict[str, int]:
        # only made where it is needed: of all images it takes more memory than their names
        names = ((_stem(_parts(image_id)[-1]).casefold(), position) for image_id, position in self.exact.items())
        return _unique(names)


def _parts(name: str) -> list[str]:
    return name.strip().replace("\\", "/").rstrip("/").split("/")


def _stem(file: str) -> str:
    stem, _, suffix = file.rpartition(".")
    return stem if stem and suffix.isalnum() and len(suffix) <= 5 else file


def _only(positions: Iterable[int | None]) -> int | None:
    found = set(positions) - {None}
    return found.pop() if len(found) == 1 else _SEVERAL if found else None


def _unique(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    positions: dict[str, int] = {}
    for name, position in pairs:
        if positions.setdefault(name, position) != position:
            positions[name] = _SEVERAL
    return positions

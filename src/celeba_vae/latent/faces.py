"""Which faces to take through latent space: by row or by name."""

import difflib
from collections.abc import Sequence

from celeba_vae.errors import SettingError


def names_of_generated_images(count: int) -> list[str]:
    """Give what so many generated faces are called.

    Example:
        >>> names_of_generated_images(2)
        ['face 000000', 'face 000001']
    """
    return [f"face {row:06d}" for row in range(count)]


def names_of_test_images(count: int) -> list[str]:
    """Give what so many test images are called.

    Example:
        >>> names_of_test_images(2)
        ['test image 0', 'test image 1']
    """
    return [f"test image {row}" for row in range(count)]


def find_face(face: int | str, names: Sequence[str], place: str, setting: str) -> int:
    """Find a face by its row, from the end where it is negative, or by its name.

    Args:
        face: What the parameters name.
        names: Of all faces that there are.
        place: Where they are, for the message.
        setting: Where the parameters name it, for the message.

    Returns:
        Its row, 0 or larger.

    Raises:
        SettingError: there is no such face.
    """
    count = len(names)
    if face in names:
        return names.index(face)
    if isinstance(face, int) and -count <= face < count:
        return face % count
    if not count:
        raise SettingError(
            f"{setting} is {face!r}, but there are no faces in {place}. Put some there, or take others:"
            " generated_images, test_images or own_photos."
        )
    nearest = difflib.get_close_matches(str(face), names, n=1)
    raise SettingError(
        f"{setting}: there is no {face!r} in {place}, which has the rows 0 to {count - 1}: {names[0]} to"
        f" {names[-1]}.{f' Did you mean {nearest[0]!r}?' if nearest else ''}"
    )

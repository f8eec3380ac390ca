"""Photos as people have them, brought to the form that the models know."""

import logging
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from celeba_vae.config.wording import printable
from celeba_vae.photos.face_detection import INSTALL_COMMAND, align_as_celeba, can_find_faces, find_faces
from celeba_vae.preparation.cropping import CELEBA_SIZE, Box, Crop, crop_box, resize
from celeba_vae.preparation.decoding import BadImageError, decode
from celeba_vae.preparation.listing import files_below, is_file, is_hidden
from celeba_vae.storage import Place, RemotePath

logger = logging.getLogger(__name__)

MAX_PHOTOS = 70


@dataclass(frozen=True)
class Photos:
    """Photos in the models' form.

    Args:
        images: (n, height, width, 3) uint8.
        names: Their file names.
        centred: Whether the centre was cut out of each, for want of a face.
        left_out: File names of those that can't be read.
    """

    images: np.ndarray
    names: list[str]
    centred: list[bool]
    left_out: list[str]

    @property
    def captions(self) -> list[str]:
        """The names, printable; a star marks what ``note`` is about."""
        return [
            f"{printable(name)} *" if centred else printable(name)
            for name, centred in zip(self.names, self.centred, strict=True)
        ]

    @property
    def note(self) -> str:
        """Why the centre of some photos was cut out, and which can't be read; empty where there are none of either."""
        notes = []
        if any(self.centred):
            why = "no face found" if can_find_faces() else f"{INSTALL_COMMAND} for face detection"
            notes.append(f"* centre crop: {why}")
        if self.left_out:
            notes.append(f"Left out, because they can't be read: {', '.join(map(printable, self.left_out))}")
        return "\n".join(notes)


def read_photos(folder: Place, image_shape: tuple[int, int, int], crop: Crop) -> Photos:
    """Read the photos in a folder, which may be missing, and its subfolders in the form of the models' images.

    Photos may have any size; EXIF orientation is obeyed, whatever colours they have become RGB. With the extra
    ``faces`` the largest face in each is turned, scaled and shifted to where CelebA has it and cropped as CelebA's are;
    without it, or where there is no face, the largest centre box is used. What can't be read is named in a warning and
    left out, as are more than the first 70 photos by name. Hidden files are no photos. ``image_shape`` is that of the
    result, (height, width, 3); ``crop`` is for photos of CelebA's size, see ``photo_box``.
    """
    height, width, _ = image_shape
    images: list[np.ndarray] = []
    names, centred, left_out = [], [], []
    for path in photo_files(folder):
        if len(images) == MAX_PHOTOS:
            logger.warning("Only the first %d photos in %s are used.", MAX_PHOTOS, folder)
            break
        try:
            photo = decode(path.read_bytes())
        except (BadImageError, OSError) as error:
            logger.warning(
                "%s is left out: %s.", printable(str(path)), error.reason if isinstance(error, BadImageError) else error
            )
            left_out.append(path.name)
            continue
        photo = _in_celebas_form(photo, path)
        left, top, right, bottom = photo_box(photo.shape[1], photo.shape[0], width / height, crop)
        images.append(resize(photo[top:bottom, left:right], height, width))
        names.append(path.name)
        centred.append(not _has_celebas_size(photo))
    if any(centred) and not can_find_faces():
        logger.warning("The centre of your photos is used. To have the faces found: %s", INSTALL_COMMAND)
    return Photos(np.array(images, np.uint8).reshape(-1, *image_shape), names, centred, left_out)


def photo_box(width: int, height: int, aspect: float, crop: Crop) -> Box:
    """Choose what is cut out of a photo: the largest centre box of the models' aspect (width / height).

    One of CelebA's own size, 178x218, is taken for one of its form and cropped as the originals are.

    Example:
        >>> photo_box(4000, 3000, aspect=1, crop=148)
        (500, 0, 3500, 3000)
        >>> photo_box(178, 218, aspect=1, crop=148)
        (15, 35, 163, 183)
    """
    if (width, height) == CELEBA_SIZE:
        try:
            return crop_box(crop, width, height)
        except BadImageError:
            logger.debug("The crop %s is meant for larger originals than CelebA's.", crop)
    box_width = max(1, min(width, round(height * aspect)))
    box_height = max(1, min(height, round(width / aspect)))
    left = (width - box_width) // 2
    top = (height - box_height) // 2
    return left, top, left + box_width, top + box_height


def _in_celebas_form(photo: np.ndarray, path: Place) -> np.ndarray:
    """Bring the largest face to where CelebA has it; a photo that can't be aligned, or need not be, stays as it is."""
    if _has_celebas_size(photo) or not can_find_faces():
        return photo
    faces = find_faces(photo)
    if not faces:
        logger.warning("No face was found in %s: its centre is used.", printable(str(path)))
        return photo
    if len(faces) > 1:
        logger.info("%s shows %d faces: the largest is used.", printable(str(path)), len(faces))
    return align_as_celeba(photo, faces[0].landmarks)


def _has_celebas_size(photo: np.ndarray) -> bool:
    return photo.shape[1::-1] == CELEBA_SIZE


def photo_files(folder: Place) -> list[Place]:
    """Give the files in a folder, which may be missing, and its subfolders by name; hidden ones are no photos.

    Links are followed, each folder is read once. Raises DataError when a folder can't be read.
    """
    if isinstance(folder, RemotePath):
        names = [name for name, _ in folder.files()]
    else:
        names = [name for name, entry in files_below(folder) if is_file(entry)]
    return [folder / str(name) for name in sorted(PurePosixPath(name) for name in names if not is_hidden(name))]

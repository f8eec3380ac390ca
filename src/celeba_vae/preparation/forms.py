"""The forms that originals have, their sizes and colours, counted while they are decoded; what is odd in words."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from celeba_vae.config.wording import printable
from celeba_vae.preparation.cropping import Crop, crop_box, describe_crop
from celeba_vae.preparation.decoding import BadImageError

# a crop that keeps less of an image's area is most likely meant for others
SMALLEST_KEPT = 1 / 4
# folders of a name that are told apart
_DEPTH = 3
# different forms that are told apart, so that memory does not grow with the images
_COUNTED = 10_000
# in messages, and in the summary
_NAMED = 4
_NAMED_FOLDERS = 3
_SUMMED_UP = 20


class Form(NamedTuple):
    """What images have in common: the uppermost folders in their names, upright size in pixels, colours in a word."""

    folder: str
    width: int
    height: int
    colours: str

    @property
    def look(self) -> str:
        """Size and colours, as ``1024x1024 RGB``."""
        return f"{self.width}x{self.height} {self.colours}"


Forms = Counter[Form]
_OTHER = Form("", 0, 0, "")


def form_of(image_id: str, shape: tuple[int, ...], colours: str) -> Form:
    """Give the form of an image by its name, the shape of its pixels and its colours."""
    return Form("/".join(image_id.split("/", _DEPTH)[:-1]), shape[1], shape[0], colours)


def add_forms(total: Forms, more: Mapping[Form, int]) -> None:
    """Add counts to others; of very many different forms the rest is counted without folders, then as one."""
    for form, count in more.items():
        if form not in total and len(total) >= _COUNTED:
            form = form._replace(folder="")
            if form not in total and len(total) >= 2 * _COUNTED:
                form = _OTHER
        total[form] += count


def to_json(forms: Forms) -> list[list[Any]]:
    """Give counts in JSON's types."""
    return [[*form, count] for form, count in sorted(forms.items())]


def from_json(rows: Iterable[list[Any]]) -> Forms:
    """Give the counts that ``to_json`` was given."""
    return Counter({Form(*form): count for *form, count in rows})


def looks(forms: Forms) -> dict[str, int]:
    """Count the images of each size and colours, the most frequent first."""
    counts: Counter[str] = Counter()
    for form, count in forms.items():
        counts["other" if form == _OTHER else form.look] += count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_SUMMED_UP])


def used_crop(forms: Forms, crop: Crop) -> str:
    """Put a crop into words, "auto" as what it was where all images have one size."""
    sizes = {(form.width, form.height) for form in forms if form != _OTHER}
    if crop != "auto" or len(sizes) != 1:
        return describe_crop(crop)
    left, _, right, _ = crop_box(crop, *sizes.pop())
    return describe_crop(right - left)


def oddities(forms: Forms, crop: Crop) -> list[str]:
    """Say in a sentence each that images differ in size or colours, and that the crop leaves little of most."""
    return [*filter(None, (_mixed(forms), _cut_small(forms, crop)))]


def _mixed(forms: Forms) -> str:
    by_look: dict[str, Forms] = {}
    for form, count in forms.items():
        if form != _OTHER:
            by_look.setdefault(form.look, Counter())[form] = count
    if len(by_look) < 2:
        return ""
    most_first = sorted(by_look.items(), key=lambda item: (-item[1].total(), item[0]))[:_NAMED]
    depth = _telling_depth(list(by_look.values()))
    parts = [f"{of_look.total():,} of {look}{_folders(of_look, depth)}" for look, of_look in most_first]
    if rest := forms.total() - sum(of_look.total() for _, of_look in most_first):
        parts.append(f"{rest:,} of other sizes or colours")
    return (
        f"The images differ in size or colours: {', '.join(parts)}. If some are no faces (masks, thumbnails), name the"
        " folder of the faces in data_engineering.source.folder, or move the others away."
    )


def _telling_depth(groups: list[Forms]) -> int:
    """Give how much of the folders' paths tells groups of images apart; 1 where nothing does."""
    for depth in range(1, _DEPTH + 1):
        folders = [{_shortened(form.folder, depth) for form in group} for group in groups]
        if sum(map(len, folders)) == len(set().union(*folders)):
            return depth
    return 1


def _shortened(folder: str, depth: int) -> str:
    return "/".join(folder.split("/")[:depth])


def _folders(forms: Forms, depth: int) -> str:
    """Say in which folders images are; nothing where they are in none."""
    counts: Counter[str] = Counter()
    for form, count in sorted(forms.items()):
        counts[_shortened(form.folder, depth)] += count
    if not any(counts):
        return ""
    names = [f"{printable(name)}/" if name else "no folder" for name, _ in counts.most_common(_NAMED_FOLDERS)]
    more = len(counts) - len(names)
    return f" (in {', '.join(names)}{f' and {more:,} more' if more else ''})"


def _cut_small(forms: Forms, crop: Crop) -> str:
    cut: Counter[tuple[str, float]] = Counter()
    for form, count in sorted(forms.items()):
        share = _kept(form, crop)
        if share is not None and share < SMALLEST_KEPT:
            cut[f"{form.width}x{form.height}", share] += count
    if cut.total() * 2 <= forms.total():
        return ""
    (size, share), _ = cut.most_common(1)[0]
    remedy = "data_engineering.crop=auto takes the largest centre square"
    return (
        f"The crop {describe_crop(crop)} keeps less than a quarter of {cut.total():,} of {forms.total():,} images,"
        f" {share:.1%} of those of {size} pixels:"
        f" {'images so wide or high are rarely faces' if crop == 'auto' else remedy}."
    )


def _kept(form: Form, crop: Crop) -> float | None:
    """Give the share of an image's area that a crop keeps; None where it does not hold the crop."""
    if form == _OTHER:
        return None
    try:
        left, top, right, bottom = crop_box(crop, form.width, form.height)
    except BadImageError:
        return None
    return (right - left) * (bottom - top) / (form.width * form.height)

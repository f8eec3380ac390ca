"""How many images may have a fault, and what is said when there are more."""

from collections import Counter

from celeba_vae.errors import DataError
from celeba_vae.preparation.index import NO_ATTRIBUTES, UNREADABLE, ImageIndex

_NAMED = 10
_REMEDIES = {
    "too small": "choose a smaller data_engineering.crop",
    "missing": "set data_engineering.split.by to counts to use the images that are there",
    UNREADABLE: "make them readable and run again",
    "no split": "set data_engineering.split.by to counts to do without the partition file",
    NO_ATTRIBUTES: "repair the attribute list or remove it to do without attributes",
}


def check_share(index: ImageIndex, max_share: float) -> None:
    """Raise DataError when more than a share of the images have a fault."""
    expected = index.expected
    if len(index.bad) > max_share * expected:
        raise DataError(
            f"At least {len(index.bad):,} of {expected:,} images can't be used, more than"
            f" data_engineering.max_bad_share = {max_share:.2%}. {listed(index)}"
        )


def listed(index: ImageIndex) -> str:
    """Name the first bad images with their reasons, and what to do about the most frequent kind."""
    bad = sorted(index.bad.values())
    lines = [f"\n  {index.image_ids[image.position]}: {image.status}: {image.reason}" for image in bad[:_NAMED]]
    more = f"\n  and {len(bad) - _NAMED:,} more" if len(bad) > _NAMED else ""
    status = Counter(image.status for image in bad).most_common(1)[0][0] if bad else ""
    remedy = _REMEDIES.get(status, "repair or remove them")
    return f"The first are:{''.join(lines)}{more}\nTo go on, {remedy}, or raise data_engineering.max_bad_share."

"""What changed from one version of the metrics to another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from celeba_vae.metrics.measures import Measure, Measured

# training minus test: neither more nor less of it is better as such
GAP = "gap"


@dataclass(frozen=True)
class Difference:
    """A measure in two versions of the metrics; or what only one of them has.

    Args:
        variant: A model.
        group: A group of its measures; empty where the whole variant is only in one version.
        measure: A measure's name; empty where the whole group is only in one version.
        older: Its value in the older version; None where it is not defined, or not there.
        newer: Likewise in the newer version.
        change: Newer minus older; None where one is None.
        verdict: Whether the newer is better, worse or, rounded as it is shown, the same; None where that can't be said.
        only_in: The version that alone has this variant, group or measure; empty where both have it.
    """

    variant: str
    group: str = ""
    measure: str = ""
    older: float | None = None
    newer: float | None = None
    change: float | None = None
    verdict: Literal["better", "worse", "same"] | None = None
    only_in: Literal["", "older", "newer"] = ""


def differences(
    older: Mapping[str, Mapping[str, Measured]],
    newer: Mapping[str, Mapping[str, Measured]],
    measures: Sequence[Measure],
) -> list[Difference]:
    """Compare two versions of ``metrics.json``, each from a variant to its groups to their measures.

    A variant or a group that only one of them has is one row, without its measures; so is a variant that only one of
    them has measured, because it was not trained when the other was made. What is not among ``measures``
    is compared, too, but neither value is better; nor is it in the group ``gap``.
    """
    known = {measure.name: measure for measure in measures}
    rows: list[Difference] = []
    for variant, groups, only_in in _pairs(_measured(older), _measured(newer)):
        if only_in:
            rows.append(Difference(variant, only_in=only_in))
            continue
        for group, measured, only_in in _pairs(*groups):
            if only_in:
                rows.append(Difference(variant, group, only_in=only_in))
                continue
            for name, values, only_in in _pairs(*measured):
                measure = known.get(name, Measure(name, name))
                rows.append(_difference(variant, group, measure, *values, only_in))
    return rows


def _difference(
    variant: str,
    group: str,
    measure: Measure,
    older: float | None,
    newer: float | None,
    only_in: Literal["", "older", "newer"],
) -> Difference:
    change = None if older is None or newer is None else newer - older
    verdict: Literal["better", "worse", "same"] | None = None
    if change is None:
        verdict = "same" if older is newer and not only_in else None
    elif measure.text(abs(change)) == measure.text(0.0):
        verdict = "same"
    elif measure.better and group != GAP:
        verdict = "better" if (change > 0) == (measure.better == "higher") else "worse"
    return Difference(variant, group, measure.name, older, newer, change, verdict, only_in)


def _measured(metrics: Mapping[str, Mapping[str, Measured]]) -> dict[str, Mapping[str, Measured]]:
    return {variant: groups for variant, groups in metrics.items() if groups}


def _pairs(older: Mapping, newer: Mapping) -> Iterator[tuple[str, tuple, Literal["", "older", "newer"]]]:
    """Give each key with both its values, and which of the two alone has it; in the older's order, then the newer's."""
    for key in {**older, **newer}:
        yield (
            key,
            (older.get(key), newer.get(key)),
            "older" if key not in newer else "newer" if key not in older else "",
        )

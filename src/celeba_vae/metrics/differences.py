"""What changed from one version of the metrics to another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from celeba_vae.metrics.measures import Measure, Measured

Verdict = Literal["better", "worse", "same"]
OnlyIn = Literal["", "older", "newer"]


@dataclass(frozen=True)
class Difference:
    """A measure in two versions of the metrics; or what only one of them has.

    Group or measure are empty where the whole variant or group is ``only_in`` one version, values None where they are
    not defined or not there. The verdict is on the newer, rounded as it is shown.
    """

    variant: str
    group: str = ""
    measure: str = ""
    older: float | None = None
    newer: float | None = None
    verdict: Verdict | None = None
    only_in: OnlyIn = ""

    @property
    def change(self) -> float | None:
        """Newer minus older; None where one is None."""
        return None if self.older is None or self.newer is None else self.newer - self.older


def differences(
    older: Mapping[str, Mapping[str, Measured]],
    newer: Mapping[str, Mapping[str, Measured]],
    measures: Sequence[Measure],
) -> list[Difference]:
    """Compare two versions of ``metrics.json``, each from a variant to its groups to their measures.

    A variant or a group that only one of them has, or has measured, is one row, without its measures. What is not among
    ``measures`` is compared, too, but neither value is better; nor is it in the group ``gap``.
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
            for name, (before, after), only_in in _pairs(*measured):
                row = Difference(variant, group, name, before, after, only_in=only_in)
                rows.append(replace(row, verdict=_verdict(row, known.get(name, Measure(name, name)))))
    return rows


def _verdict(row: Difference, measure: Measure) -> Verdict | None:
    if row.change is None:
        return "same" if row.older is row.newer and not row.only_in else None
    if measure.text(abs(row.change)) == measure.text(0.0):
        return "same"
    # training minus test: neither more nor less of it is better as such
    if not measure.better or row.group == "gap":
        return None
    return "better" if (row.change > 0) == (measure.better == "higher") else "worse"


def _measured(metrics: Mapping[str, Mapping[str, Measured]]) -> dict[str, Mapping[str, Measured]]:
    return {variant: groups for variant, groups in metrics.items() if groups}


def _pairs(older: Mapping, newer: Mapping) -> Iterator[tuple[str, tuple, OnlyIn]]:
    """Give each key with both its values, and which of the two alone has it; in the older's order, then the newer's."""
    for key in {**older, **newer}:
        only_in: OnlyIn = "older" if key not in newer else "newer" if key not in older else ""
        yield key, (older.get(key), newer.get(key)), only_in

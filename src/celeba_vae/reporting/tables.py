"""Measures of models, and how two versions of these differ, as tables."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from celeba_vae.metrics.differences import Difference
from celeba_vae.metrics.measures import Measure, Measured
from celeba_vae.reporting.document import Cell, Table

DIRECTIONS = {"higher": "↑", "lower": "↓", None: ""}


def measures_table(measured: Mapping[str, Measured], measures: Sequence[Measure], title: str) -> Table:
    """Make a table with a column a variant and a row a measure, the better one marked where values differ as shown.

    ``measured`` are each variant's measures by its name. Shown is, in the measures' order, what any variant has.
    """
    shown = [measure for measure in measures if any(measure.name in values for values in measured.values())]
    rows = []
    for measure in shown:
        heading = Cell(f"{measure.heading} {DIRECTIONS[measure.better]}".strip(), note=measure.note)
        rows.append([heading, *_cells(measure, [values.get(measure.name) for values in measured.values()])])
    note = "↑ higher is better, ↓ lower is better." if any(measure.better for measure in shown) else ""
    return Table(title, ["Measure", *measured], rows, note, numbers=True)


def differences_table(differences: Sequence[Difference], measures: Sequence[Measure], title: str) -> Table:
    """Make a table of what differs by more than rounding, a variant after the other; the rest is counted below it.

    What only one version has measured comes last, a row a variant. What is not among the measures has its name.
    """
    known = {measure.name: measure for measure in measures}
    known |= {row.measure: Measure(row.measure, row.measure) for row in differences if row.measure not in known}
    changed = [row for row in differences if row.verdict != "same" and not row.only_in]
    alone = sorted((row for row in differences if row.only_in), key=lambda row: (row.variant, row.only_in))
    rows: list[list[Cell | str]] = []
    for variant, its_changes in groupby(changed, lambda row: row.variant):
        rows.append([variant])
        rows += [_difference_row(row, known[row.measure]) for row in its_changes]
    if alone:
        rows.append(["Measured in one version only"])
    for (variant, version), found in groupby(alone, lambda row: (row.variant, row.only_in)):
        parts = (f"{row.group}: {known[row.measure].title}" if row.measure else row.group for row in found)
        what = "; ".join(filter(None, parts))
        rows.append([Cell(variant, note=what), "", "", "", Cell(f"only in the {version}", status="open")])
    same = len(differences) - len(changed) - len(alone)
    note = f"{same} {'value is' if same == 1 else 'values are'} the same after rounding." if same else ""
    if not changed and not alone:
        note = f"Nothing differs. {note}".strip()
    return Table(title, ["Measure", "older", "newer", "difference", "the newer is"], rows, note, numbers=True)


def _difference_row(row: Difference, measure: Measure) -> list[Cell | str]:
    change, verdict = "", Cell("")
    if row.change is not None:
        # of two shares
        size = measure.text(abs(row.change)).replace("%", " points")
        change = f"{'+' if row.change > 0 else '-'}{size}"
    if row.verdict is not None:
        verdict = Cell(row.verdict, status="good" if row.verdict == "better" else "bad")
    return [Cell(measure.heading, note=row.group), measure.text(row.older), measure.text(row.newer), change, verdict]


def _cells(measure: Measure, values: Sequence[float | None]) -> list[Cell]:
    """Put values into words; what looks like the best is marked as such, unless all that are known look alike."""
    texts = [measure.text(value) for value in values]
    best = measure.best(values)
    known = {text for text, value in zip(texts, values, strict=True) if value is not None}
    marked = measure.text(best) if best is not None and len(known) > 1 else None
    return [Cell(text, best=text == marked) for text in texts]

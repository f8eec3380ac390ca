"""The articles' claims about generated images, each checked on a sweep."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from celeba_vae.claims.comparisons import Evidence, EvidenceError, Outcome, Rows, is_known, listed

# what is known of each, by the first of the names that are needed
KnownRows = Sequence[Mapping[str, float]]

AGAIN = "kedro run --pipelines generation,evaluation"

# The SWD is blind to contrast, so it does not see faces that are overdone. Quality has fallen where faces differ more
# from one another than real ones do, or where the SWD is a tenth above its lowest nearer to the origin.
REAL_VARIANCE, WORSE_SWD = 1.0, 1.1
# The articles' innermost limit. A tenth of the variance is a third of the deviation: one face with small changes.
NEAR, ALIKE = 0.5, 0.1
# of real images' variance: with less, far from the origin, all is grey there
REAL_AMOUNT = 0.5
# A VAE's faces are blurred: where sharpening takes them beyond real images' sharpness, the rest is artefacts, mostly
# the decoder's crossing lines; so are white and black pixels, where sharpening adds a percent of such values.
REAL_SHARPNESS, CLIPPED = 1.0, 0.01
# the factor that leaves images as they were decoded
UNCHANGED = 1.0


def fallen_quality(rows: Rows) -> KnownRows:
    """Give the rows of the limits from the one on where quality has fallen, without exception."""
    known = _known(rows, "limit", "swd", "variance_centre")
    lowest_before = accumulate((row["swd"] for row in known), min)
    good = [
        row["variance_centre"] <= REAL_VARIANCE and row["swd"] <= WORSE_SWD * lowest
        for row, lowest in zip(known[1:], lowest_before, strict=False)
    ]
    return known[1 + max((place for place, each in enumerate(good, start=1) if each), default=0) :]


def artefacts(rows: Rows) -> KnownRows:
    """Give the rows of the factors that show artefacts."""
    known = _known(rows, "factor", "sharpness")
    # smoothing clips nothing that decoding has not
    usual = max((_clipped(row) for row in known if row["factor"] <= UNCHANGED), default=0)
    return [
        row
        for row in known
        if row["factor"] > UNCHANGED and (row["sharpness"] > REAL_SHARPNESS or _clipped(row) > usual + CLIPPED)
    ]


def quality_falls(evidence: Evidence) -> Outcome:
    """Limit from which on quality has fallen."""
    rows = evidence.of_sweep(evidence.distance)
    known = _known(rows, "limit", "swd", "variance_centre")
    fallen = fallen_quality(rows)
    if len(known) < 3:
        raise EvidenceError(_more_limits(known, "three or more limits"))
    best = min(known[: len(known) - len(fallen)], key=lambda row: row["swd"])
    lowest = f"the lowest{' before' if fallen else ''}, {best['swd']:.0f} at limit {best['limit']:g}"
    if not fallen:
        last = known[-1]
        return Outcome(
            holds=False,
            words=f"not up to limit {last['limit']:g}, where {_variety(last)} and the SWD is {last['swd']:.0f};"
            f" {lowest}",
            hint=f"Larger limits in generation.distance_limits may show it: {AGAIN}",
        )
    first = fallen[0]
    distance = f" (distance {first['distance']:.1f})" if "distance" in first else ""
    reasons = []
    if first["variance_centre"] > REAL_VARIANCE:
        reasons.append(f"{_variety(first)}, which is too much")
    if first["swd"] > WORSE_SWD * best["swd"]:
        reasons.append(f"the SWD is {first['swd']:.0f}, clearly above {lowest}")
    return Outcome(True, f"from limit {first['limit']:g} on{distance}, where {' and '.join(reasons)}")


def backgrounds_vary(evidence: Evidence) -> Outcome:
    """Variance at the border and in the centre over the limit."""
    rows = evidence.of_sweep(evidence.distance)
    known = _known(rows, "limit", "variance_border", "variance_centre")
    near = [row for row in known if 0 < row["limit"] <= NEAR][-1:]
    followed = [*near, *(row for row in known if row["limit"] > NEAR)]
    if not near or len(followed) < 3:
        raise EvidenceError(_more_limits(known, f"a limit of {NEAR} and two larger ones"))
    alike = max(near[0]["variance_border"], near[0]["variance_centre"]) <= ALIKE
    first, last = followed[0], followed[-1]
    grows = last["variance_border"] > max(REAL_AMOUNT, first["variance_border"])
    steps = (f"{row['limit']:g}: {row['variance_border']:.0%} and {row['variance_centre']:.0%}" for row in followed)
    return Outcome(
        alike and grows,
        f"from limit {first['limit']:g} to {last['limit']:g} the border's variance goes from"
        f" {first['variance_border']:.0%} to {last['variance_border']:.0%} of real images', the centre's from"
        f" {first['variance_centre']:.0%} to {last['variance_centre']:.0%}; both at limit {'; '.join(steps)}",
    )


def sharpening_sharpens(evidence: Evidence) -> Outcome:
    """Sharpness over the factor, and the factor from which on artefacts show."""
    rows = evidence.of_sweep(evidence.sharpening)
    known = _known(rows, "factor", "sharpness")
    spoilt = artefacts(rows)
    if len(known) < 2 or known[-1]["factor"] <= UNCHANGED:
        raise EvidenceError(f"Give generation.sharpening_factors 1 and larger ones: {AGAIN}")
    rises = all(later["sharpness"] > earlier["sharpness"] for earlier, later in pairwise(known))
    steps = "; ".join(f"{row['factor']:g}: {row['sharpness']:.0%}" for row in known)
    limit = f"no artefacts up to factor {known[-1]['factor']:g}"
    if spoilt:
        limit = f"artefacts from factor {spoilt[0]['factor']:g} on, where {_reason(spoilt[0])}"
    return Outcome(rises, f"sharpness as a share of real images', at factor {steps}; {limit}")


def _known(rows: Rows, *names: str) -> KnownRows:
    """Give what is known in the rows that have all of these, by the first of them."""
    known = [{name: value for name, value in row.items() if is_known(value)} for row in rows]
    return sorted((row for row in known if row.keys() >= set(names)), key=lambda row: row[names[0]])


def _clipped(row: Mapping[str, float]) -> float:
    return row.get("clipped", 0.0)


def _reason(row: Mapping[str, float]) -> str:
    if row["sharpness"] > REAL_SHARPNESS:
        return f"the sharpness, {row['sharpness']:.0%}, is beyond real images'"
    return f"{_clipped(row):.1%} of the values are cut off"


def _variety(row: Mapping[str, float]) -> str:
    return f"faces vary {row['variance_centre']:.0%} as much as real ones"


def _more_limits(known: KnownRows, needed: str) -> str:
    so_far = listed(row["limit"] for row in known)
    return f"Give generation.distance_limits {needed} (with figures so far: {so_far}): {AGAIN}"

"""What the articles claim, and whether it holds on the user's own run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from celeba_vae.claims import sweep_claims, variant_claims
from celeba_vae.claims.comparisons import TEST_SPLIT, EvidenceError, Outcome, ensure_trained
from celeba_vae.claims.evidence import VariantEvidence

Verdict = Literal["holds", "does not hold", "not enough data"]

# each with the evidence that it is checked on
CHECKS = (
    (
        variant_claims.kl_share,
        "variants",
        "With kl_weight 5 the weighted KL ends near 3% of the total loss; the articles' at 176 of 5,015.",
    ),
    (
        variant_claims.ae_reconstructs_better,
        "variants",
        "An autoencoder (AE) reconstructs faces better than a variational one (VAE) of the same network.",
    ),
    (
        variant_claims.normal_points,
        "variants",
        "Points of N(0, I) give faces with a VAE and none with an AE.",
    ),
    (
        variant_claims.fitted_sampler,
        "variants",
        "Points of a sampler that was fitted to an AE's own latents give faces with the AE, too.",
    ),
    (
        sweep_claims.quality_falls,
        "distance",
        "The farther from the origin, the worse the faces, from some limit on.",
    ),
    (
        sweep_claims.backgrounds_vary,
        "distance",
        "At limit 0.5 all faces look alike, at the border (backgrounds) as in the centre (faces); the farther away, the"
        " more the border varies.",
    ),
    (
        sweep_claims.sharpening_sharpens,
        "sharpening",
        "Sharpening makes a VAE's blurred faces sharper; factors that are too large bring artefacts.",
    ),
    (
        variant_claims.dense_layer,
        "variants",
        "An extra Dense layer in the encoder saves parameters and memory (the articles: 2.88 instead of 5.11 million"
        " parameters) at little loss.",
    ),
    (
        variant_claims.kl_weights,
        "variants",
        "The larger kl_weight (the articles: 0.0001, 1.5, 3, 5), the worse the reconstructions and the better the faces"
        " from N(0, I).",
    ),
    (
        variant_claims.latent_dims,
        "variants",
        "The larger latent_dim (the articles: 256, 512, 1600), the better the reconstructions, but not the faces from"
        " N(0, I).",
    ),
    (
        variant_claims.tiny_kl,
        "variants",
        "A VAE with a tiny KL part (the articles: kl_weight 0.0001) behaves like an AE.",
    ),
    (
        variant_claims.crossing_lines,
        "variants",
        "A decoder that enlarges and then convolves leaves fewer crossing lines than transposed convolutions.",
    ),
)


@dataclass(frozen=True)
class Claim:
    """A claim, checked.

    Args:
        name: That of the function in ``variant_claims`` or ``sweep_claims`` that checks it.
        statement: What is claimed.
        figure: The run's numbers in words; empty where some are missing.
        verdict: Whether it holds.
        hint: What would decide it, or decide it better; empty where nothing would.
    """

    name: str
    statement: str
    figure: str
    verdict: Verdict
    hint: str = ""

    def as_record(self) -> dict[str, str]:
        """Give it for JSON or a table."""
        return asdict(self)


def check_claims(
    variants: Sequence[VariantEvidence],
    distance_sweep: Sequence[Mapping[str, float | None]] = (),
    sharpening_sweep: Sequence[Mapping[str, float | None]] = (),
    swept: str = "",
) -> list[Claim]:
    """Check each of the articles' claims; what is missing or not finite makes none of them fail.

    Args:
        variants: Found by what their settings say, not by their names; where several fit a claim, the first that has
            all figures counts.
        distance_sweep: Rows as ``sweeps.distance_row`` makes them, of points uniform within a limit.
        sharpening_sweep: Rows as ``sweeps.sharpening_row`` makes them.
        swept: Name of the variant that both sweeps are of.
    """
    evidence = {"variants": variants, "distance": distance_sweep, "sharpening": sharpening_sweep}
    of_sweep = [variant for variant in variants if variant.name == swept]
    return [
        _checked(check, evidence[source], statement, () if source == "variants" else of_sweep)
        for check, source, statement in CHECKS
    ]


def _checked(
    check: Callable[[Any], Outcome], evidence: Any, statement: str, trained: Sequence[VariantEvidence]
) -> Claim:
    try:
        for variant in trained:
            ensure_trained(variant)
        if trained and not evidence:
            raise EvidenceError(trained[0].problem or f"There are no test images. Give their split some: {TEST_SPLIT}")
        outcome = check(evidence)
    except EvidenceError as missing:
        return Claim(check.__name__, statement, figure="", verdict="not enough data", hint=str(missing))
    verdicts: dict[bool | None, Verdict] = {True: "holds", False: "does not hold", None: "not enough data"}
    verdict = verdicts[outcome.holds]
    return Claim(check.__name__, statement, outcome.figure, verdict, outcome.hint)

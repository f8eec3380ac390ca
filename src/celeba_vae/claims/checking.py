"""What the articles claim, and whether it holds on the user's own run, by criteria that each check's module has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from celeba_vae.claims import ae_claims, setting_claims, sweep_claims
from celeba_vae.claims.comparisons import Evidence, EvidenceError, Outcome

Verdict = Literal["holds", "does not hold", "not enough data"]

CHECKS: dict[Callable[[Evidence], Outcome], str] = {
    setting_claims.kl_share: (
        "With kl_weight 5 the weighted KL ends near 3% of the total loss; the articles' at 176 of 5,015."
    ),
    ae_claims.ae_reconstructs_better: (
        "An autoencoder (AE) reconstructs faces better than a variational one (VAE) of the same network."
    ),
    ae_claims.normal_points: "Points of N(0, I) give faces with a VAE and none with an AE.",
    ae_claims.fitted_sampler: "Points of a sampler that was fitted to an AE's own latents give faces with the AE, too.",
    sweep_claims.quality_falls: "The farther from the origin, the worse the faces, from some limit on.",
    sweep_claims.backgrounds_vary: (
        "At limit 0.5 all faces look alike, at the border (backgrounds) as in the centre (faces); the farther away, the"
        " more the border varies."
    ),
    sweep_claims.sharpening_sharpens: (
        "Sharpening makes a VAE's blurred faces sharper; factors that are too large bring artefacts."
    ),
    setting_claims.dense_layer: (
        "An extra Dense layer in the encoder saves parameters and memory (the articles: 2.88 instead of 5.11 million"
        " parameters) at little loss."
    ),
    setting_claims.kl_weights: (
        "The larger kl_weight (the articles: 0.0001, 1.5, 3, 5), the worse the reconstructions and the better the faces"
        " from N(0, I)."
    ),
    setting_claims.latent_dims: (
        "The larger latent_dim (the articles: 256, 512, 1600), the better the reconstructions, but not the faces from"
        " N(0, I)."
    ),
    setting_claims.tiny_kl: "A VAE with a tiny KL part (the articles: kl_weight 0.0001) behaves like an AE.",
    setting_claims.crossing_lines: (
        "A decoder that enlarges and then convolves leaves fewer crossing lines than transposed convolutions."
    ),
}


@dataclass(frozen=True)
class Claim:
    """A claim, checked.

    Args:
        name: That of the function that checks it.
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


def check_claims(evidence: Evidence) -> list[Claim]:
    """Check each of the articles' claims; what is missing or not finite makes none of them fail."""
    verdicts: dict[bool | None, Verdict] = {True: "holds", False: "does not hold", None: "not enough data"}
    claims = []
    for check, statement in CHECKS.items():
        try:
            if evidence.doubt:
                raise EvidenceError(evidence.doubt)
            outcome = check(evidence)
        except EvidenceError as missing:
            outcome = Outcome(None, words="", hint=str(missing))
        claims.append(Claim(check.__name__, statement, outcome.words, verdicts[outcome.holds], outcome.hint))
    return claims

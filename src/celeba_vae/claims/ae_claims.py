"""The articles' claims about an AE beside a VAE, each checked on two that differ in nothing else."""

import math

from celeba_vae.claims.comparisons import (
    CLEAR_DECIBELS,
    CLEAR_SWD,
    Evidence,
    EvidenceError,
    Outcome,
    Pair,
    Variants,
    first_known,
    has,
    is_known,
    less,
    named,
    no_pair,
    of_model,
    pairs,
    prior_group,
    psnr_words,
    setting,
    usual_first,
    value_of,
)
from celeba_vae.metrics.evaluated_variant import EvaluatedVariant

# A decoder can't do better than its reconstructions: with an SWD near theirs, points give faces. On portraits and on
# drawn faces, those of N(0, I) had 1.3 times theirs with a VAE, and 2.6 to 3.1 times, grey all over, with an AE.
FACES, NO_FACES = 1.5, 2.0
TOO_CLOSE = f"The SWD of a set is between {FACES:g} and {NO_FACES:g} times that of reconstructions: train longer."
# The SWD is blind to contrast: pictures that vary less than this share of what the test images do are grey, no faces.
GREY = 0.1


def ae_reconstructs_better(evidence: Evidence) -> Outcome:
    """PSNR and MSE of the test images' reconstructions."""
    return first_known(_ae_and_vae(evidence.variants), _compared_reconstructions, no_pair("an AE and a VAE"))


def _compared_reconstructions(pair: Pair) -> Outcome:
    (psnr, other_psnr), (mse, other_mse) = ([value_of(each, "test", name) for each in pair] for name in ("psnr", "mse"))
    better = psnr - other_psnr > CLEAR_DECIBELS and mse < other_mse
    epochs = [setting(each, "epochs") for each in pair]
    if not better and epochs[0] != epochs[1]:
        raise EvidenceError(
            f"{pair[0].name} had {epochs[0]} epochs, {pair[1].name} {epochs[1]}. Train it for as many:"
            f" kedro run --params variants.{pair[0].name}.epochs={epochs[1]}"
        )
    after = f", after {epochs[0]} epochs against {epochs[1]}" if epochs[0] != epochs[1] else ""
    return Outcome(
        better,
        f"{named(pair)}: {psnr_words(psnr, other_psnr)}; MSE {mse:.4f} against {other_mse:.4f}{less(mse, other_mse)}"
        f"{after}",
    )


def normal_points(evidence: Evidence) -> Outcome:
    """SWD of images of N(0, I) beside that of reconstructions, and their variance."""
    return first_known(_ae_and_vae(evidence.variants), _faces_of_normal_points, no_pair("an AE and a VAE"))


def _faces_of_normal_points(pair: Pair) -> Outcome:
    ae, vae = (_gives_faces(each, prior_group(each)) for each in pair)
    words = (f"{each.name}: {_images_of(each, prior_group(each))}" for each in reversed(pair))
    undecided = vae is not False and ae is not True and None in (ae, vae)
    return Outcome(
        None if undecided else bool(vae and not ae),
        f"{'; '.join(words)}; up to {FACES:g} times are faces, from {NO_FACES:g} times on or below a variance of"
        f" {GREY:.0%} none",
        TOO_CLOSE if undecided else "",
    )


def fitted_sampler(evidence: Evidence) -> Outcome:
    """SWD of images of a fitted sampler's points beside that of N(0, I)."""
    return first_known(_ae_and_vae(evidence.variants), _faces_of_fitted_points, no_pair("an AE and a VAE"))


def _faces_of_fitted_points(pair: Pair) -> Outcome:
    samplers = [name for name in pair[0].fitted_groups if all(has(each, name, "swd") for each in pair)]
    if not samplers:
        for each in pair:
            # says what is missing, where not only samplers are
            value_of(each, "reconstructed", "swd")
        raise EvidenceError(f"{named(pair)} have no images of a sampler fitted to both (evaluation.samplers).")
    name = samplers[0]
    (ae, ae_normal), (vae, vae_normal) = (
        [value_of(each, group, "swd") for group in (name, prior_group(each))] for each in pair
    )
    faces = _gives_faces(pair[0], name)
    changed = ae < (1 - CLEAR_SWD) * ae_normal or _is_grey(pair[0], prior_group(pair[0]))
    return Outcome(
        faces and changed,
        f"{name} instead of N(0, I): SWD {ae:.0f} instead of {ae_normal:.0f} with {pair[0].name}, {vae:.0f} instead of"
        f" {vae_normal:.0f} with {pair[1].name}; {pair[0].name}: {_images_of(pair[0], name)}",
        TOO_CLOSE if faces is None else "",
    )


def _ae_and_vae(variants: Variants) -> list[Pair]:
    """Pair AEs with VAEs of the same network and training; then AEs trained for fewer epochs, which is no advantage."""
    aes = of_model(variants, "ae")
    vaes = usual_first(of_model(variants, "vae"))
    shorter = [(ae, vae) for ae, vae in pairs(aes, vaes, "model", "epochs") if _epochs(ae) < _epochs(vae)]
    return [*pairs(aes, vaes, "model"), *shorter]


def _epochs(variant: EvaluatedVariant) -> float:
    epochs = setting(variant, "epochs")
    return epochs if is_known(epochs) else math.inf


def _gives_faces(variant: EvaluatedVariant, group: str) -> bool | None:
    """Say whether generated images are faces; None where their SWD is between the thresholds."""
    ratio = _swd_over_reconstructions(variant, group)
    if _is_grey(variant, group) or ratio >= NO_FACES:
        return False
    return True if ratio <= FACES else None


def _is_grey(variant: EvaluatedVariant, group: str) -> bool:
    return has(variant, group, "variance") and value_of(variant, group, "variance") < GREY


def _images_of(variant: EvaluatedVariant, group: str) -> str:
    words = f"SWD {value_of(variant, group, 'swd'):.0f}, {_swd_over_reconstructions(variant, group):.1f} times that of"
    variance = f", variance {value_of(variant, group, 'variance'):.0%}" if has(variant, group, "variance") else ""
    return f"{words} its reconstructions{variance}"


def _swd_over_reconstructions(variant: EvaluatedVariant, group: str) -> float:
    return value_of(variant, group, "swd") / max(value_of(variant, "reconstructed", "swd"), 1e-12)

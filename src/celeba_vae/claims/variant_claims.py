"""The articles' claims about models, each checked on variants that differ in nothing but what the claim is about.

Each check takes the variants of a run and gives an ``Outcome``, or raises ``EvidenceError``. Whoever disagrees with a
verdict finds the criterion among the constants.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from celeba_vae.claims.comparisons import (
    EvidenceError,
    Outcome,
    differ_only_in,
    ensure_trained,
    figure,
    first_known,
    has,
    is_known,
    of_model,
    pairs,
    series,
    setting,
)
from celeba_vae.claims.evidence import VariantEvidence

Variants = Sequence[VariantEvidence]

EXPERIMENTS = "kedro run --pipelines experiments"

# The articles' VAEs have kl_weight 5; the KL grew to 176 of 5,015, 3.5%, another run stayed at 3.1%: "near 3%".
ARTICLES_KL_WEIGHT, KL_SHARE = 5.0, (0.02, 0.045)
# A tenth of a decibel is 2% of squared error: less counts as no difference.
CLEAR_DECIBELS = 0.1
# The SWD of a few hundred images from N(0, I) differs by 2% to 3% from seed to seed (standard deviation).
CLEAR_SWD = 0.05
# A decoder can't do better than its reconstructions: with an SWD near theirs, points give faces. On portraits and on
# drawn faces, those of N(0, I) had 1.3 times theirs with a VAE, and 2.6 to 3.1 times, grey all over, with an AE.
FACES, NO_FACES = 1.5, 2.0
# The SWD is blind to contrast: pictures that vary less than this share of what the originals do are grey, no faces.
GREY = 0.1
# Half a decibel is 12% more squared error, which is hard to see beside a VAE's blur.
SMALL_LOSS = 0.5
# While Adam trains in float32, a parameter takes four bytes for each of weight, gradient and two moments.
BYTES_A_PARAMETER = 16
ARTICLES_KL_WEIGHTS, ARTICLES_LATENT_DIMS = (1e-4, 1.5, 3.0, 5.0), (256, 512, 1600)
# Two points have always a trend.
SHORTEST_SERIES = 3
# of another VAE's kl_weight; the articles' is 1/50,000
TINY = 0.01
# of the lines' power: less than a tenth fewer counts as no difference
FEWER_LINES = 0.9


def kl_share(variants: Variants) -> Outcome:
    """KL part of the total loss after the last epoch."""
    candidates = [
        variant
        for variant in of_model(variants, "vae")
        if setting(variant, "kl_weight") == ARTICLES_KL_WEIGHT and setting(variant, "reconstruction_loss.name") == "bce"
    ]
    return first_known(candidates, _kl_share, f"Evaluate a VAE with the loss bce and kl_weight 5: {EXPERIMENTS}")


def _kl_share(vae: VariantEvidence) -> Outcome:
    ensure_trained(vae)
    last = dict(vae.history.iloc[-1]) if len(vae.history) else {}
    kl, total = last.get("kl_loss"), last.get("total_loss")
    if not (is_known(kl) and is_known(total) and total > 0):
        raise EvidenceError(f"{vae.name} has no losses: kedro run --pipelines variants --namespaces {vae.name}")
    share = kl / total
    least, most = KL_SHARE
    return Outcome(
        least <= share <= most,
        f"{vae.name}: {kl:,.0f} of {total:,.0f} is {share:.1%} after epoch {len(vae.history)}",
        "The share grows over a training: train with more images or epochs." if share < least else "",
    )


def ae_reconstructs_better(variants: Variants) -> Outcome:
    """PSNR and MSE of the test images' reconstructions."""
    return first_known(_ae_and_vae(variants), _compared_reconstructions, _no_pair("an AE and a VAE"))


def _compared_reconstructions(pair: tuple[VariantEvidence, VariantEvidence]) -> Outcome:
    (psnr, other_psnr), (mse, other_mse) = ([figure(each, "test", name) for each in pair] for name in ("psnr", "mse"))
    better = psnr - other_psnr > CLEAR_DECIBELS and mse < other_mse
    epochs = [setting(each, "epochs") for each in pair]
    if not better and epochs[0] != epochs[1]:
        raise EvidenceError(
            f"{pair[0].name} had {epochs[0]} epochs, {pair[1].name} {epochs[1]}. Train it for as many:"
            f" kedro run --params variants.{pair[0].name}.epochs={epochs[1]}"
        )
    return Outcome(
        better,
        f"{_names(pair)}: {_psnr(psnr, other_psnr)}; MSE {mse:.4f} against {other_mse:.4f}{_less(mse, other_mse)}"
        f"{_after_epochs(epochs)}",
    )


def normal_points(variants: Variants) -> Outcome:
    """SWD of images of N(0, I) beside that of reconstructions, and their variance."""
    return first_known(_ae_and_vae(variants), _faces_of_normal_points, _no_pair("an AE and a VAE"))


def _faces_of_normal_points(pair: tuple[VariantEvidence, VariantEvidence]) -> Outcome:
    ae, vae = (_gives_faces(each, _prior_group(each)) for each in pair)
    words = (f"{each.name}: {_images_of(each, _prior_group(each))}" for each in reversed(pair))
    too_close = f"The SWD of a set is between {FACES:g} and {NO_FACES:g} times that of reconstructions: train longer."
    undecided = vae is not False and ae is not True and None in (ae, vae)
    return Outcome(
        None if undecided else bool(vae and not ae),
        f"{'; '.join(words)}; up to {FACES:g} times are faces, from {NO_FACES:g} times on or below a variance of"
        f" {GREY:.0%} none",
        too_close if undecided else "",
    )


def fitted_sampler(variants: Variants) -> Outcome:
    """SWD of images of a fitted sampler's points beside that of N(0, I)."""
    return first_known(_ae_and_vae(variants), _faces_of_fitted_points, _no_pair("an AE and a VAE"))


def _faces_of_fitted_points(pair: tuple[VariantEvidence, VariantEvidence]) -> Outcome:
    samplers = [name for name in pair[0].fitted_groups if all(has(each, name, "swd") for each in pair)]
    if not samplers:
        for each in pair:
            # says what is missing, where not only samplers are
            figure(each, "reconstructed", "swd")
        raise EvidenceError(f"{_names(pair)} have no images of a sampler fitted to both (evaluation.samplers).")
    name = samplers[0]
    (ae, ae_normal), (vae, vae_normal) = (
        [figure(each, group, "swd") for group in (name, _prior_group(each))] for each in pair
    )
    faces = _gives_faces(pair[0], name)
    changed = ae < (1 - CLEAR_SWD) * ae_normal or _is_grey(pair[0], _prior_group(pair[0]))
    return Outcome(
        faces and changed,
        f"{name} instead of N(0, I): SWD {ae:.0f} instead of {ae_normal:.0f} with {pair[0].name}, {vae:.0f} instead of"
        f" {vae_normal:.0f} with {pair[1].name}; {pair[0].name}: {_images_of(pair[0], name)}",
        f"The SWD is between {FACES:g} and {NO_FACES:g} times that of reconstructions: train longer."
        if faces is None
        else "",
    )


def dense_layer(variants: Variants) -> Outcome:
    """Parameters, memory and PSNR with and without the encoder's extra Dense layer."""
    with_layer = [variant for variant in variants if setting(variant, "encoder.dense_units")]
    without = [variant for variant in variants if not setting(variant, "encoder.dense_units")]
    return first_known(
        pairs(with_layer, without, "encoder.dense_units"),
        _saved_by_dense_layer,
        _no_pair("two variants, one with encoder.dense_units such as vae_dense,"),
    )


def _saved_by_dense_layer(pair: tuple[VariantEvidence, VariantEvidence]) -> Outcome:
    (parameters, others), (psnr, other_psnr) = (
        [figure(each, *path) for each in pair] for path in (("model", "encoder_parameters"), ("test", "psnr"))
    )
    memory, other_memory = (count * BYTES_A_PARAMETER / 2**20 for count in (parameters, others))
    return Outcome(
        parameters < others and other_psnr - psnr <= SMALL_LOSS,
        f"{_names(pair)}: {parameters:,.0f} against {others:,.0f} parameters in the encoder{_less(parameters, others)},"
        f" {memory:.0f} MB against {other_memory:.0f} MB while training; {_psnr(psnr, other_psnr)}",
    )


def kl_weights(variants: Variants) -> Outcome:
    """PSNR of reconstructions and SWD of images of N(0, I) over kl_weight."""
    psnr, swd, words = _trade_off(variants, "kl_weight", ARTICLES_KL_WEIGHTS)
    return Outcome(_falls(psnr, CLEAR_DECIBELS) and _falls(_logarithms(swd), CLEAR_SWD), words)


def latent_dims(variants: Variants) -> Outcome:
    """PSNR of reconstructions and SWD of images of N(0, I) over latent_dim."""
    psnr, swd, words = _trade_off(variants, "latent_dim", ARTICLES_LATENT_DIMS)
    rises = _falls([-value for value in psnr], CLEAR_DECIBELS)
    return Outcome(rises and not _falls(_logarithms(swd), CLEAR_SWD), words)


def _trade_off(variants: Variants, path: str, articles: Sequence[float]) -> tuple[list[float], list[float], str]:
    known = [
        each for each in of_model(variants, "vae") if has(each, "test", "psnr") and has(each, each.prior_group, "swd")
    ]
    found = series(known, path)
    values = [setting(each, path) for each in found]
    if len(found) < SHORTEST_SERIES:
        raise EvidenceError(
            f"Evaluate at least {SHORTEST_SERIES} VAEs that differ only in {path}, such as"
            f" {', '.join(f'{value:g}' for value in articles)} (so far: {_listed(values)}): {EXPERIMENTS}"
        )
    psnr, swd = _psnr_and_swd(found)
    steps = zip(values, psnr, swd, strict=True)
    words = "; ".join(f"{value:g}: {decibels:.1f} dB and {distance:.0f}" for value, decibels, distance in steps)
    return psnr, swd, f"PSNR and SWD of N(0, I) at {path} {words}"


def tiny_kl(variants: Variants) -> Outcome:
    """PSNR and SWD of N(0, I) of a VAE with tiny kl_weight, an AE and the usual VAE."""
    vaes = _usual_first(of_model(variants, "vae"))
    triples = [
        (tiny, ae, vae)
        for vae, tiny in pairs(vaes, vaes, "kl_weight")
        for ae in of_model(variants, "ae")
        if setting(tiny, "kl_weight") <= TINY * setting(vae, "kl_weight") and differ_only_in(ae, tiny, "model")
    ]
    return first_known(triples, _nearer_to_ae, _no_pair("an AE, a VAE and one with kl_weight 0.0001"))


def _nearer_to_ae(triple: tuple[VariantEvidence, VariantEvidence, VariantEvidence]) -> Outcome:
    psnr, swd = _psnr_and_swd(triple)
    values = zip(triple, psnr, swd, strict=True)
    words = (f"{each.name}: {decibels:.1f} dB and {distance:.0f}" for each, decibels, distance in values)
    nearer = [_nearer(psnr, CLEAR_DECIBELS), _nearer(_logarithms(swd), CLEAR_SWD)]
    holds = False if False in nearer else None if None in nearer else True
    return Outcome(
        holds,
        f"PSNR and SWD of N(0, I) of {'; '.join(words)}",
        f"{triple[1].name} and {triple[2].name} are too much alike to tell: train longer." if holds is None else "",
    )


def _nearer(values: Sequence[float], tolerance: float) -> bool | None:
    """Say whether the first value is clearly nearer to the second than to the third; None where neither is clear."""
    value, first, second = values
    lead = abs(value - second) - abs(value - first)
    return lead > 0 if abs(lead) > tolerance else None


def crossing_lines(variants: Variants) -> Outcome:
    """Power of lines in reconstructions with an upsampling decoder and with transposed convolutions."""
    upsampling, transposed = (
        [variant for variant in variants if setting(variant, "decoder.name") == name]
        for name in ("upsampling", "conv_transpose")
    )
    return first_known(
        pairs(upsampling, transposed, "decoder.name", "decoder.kernel_sizes", "decoder.padding"),
        _compared_lines,
        _no_pair("two variants, with the decoders conv_transpose and upsampling,"),
    )


def _compared_lines(pair: tuple[VariantEvidence, VariantEvidence]) -> Outcome:
    names = [
        name
        for name in pair[0].measured.get("reconstructed", {})
        if name.startswith("lines_") and all(has(each, "reconstructed", name) for each in pair)
    ]
    if not names:
        problem = pair[0].problem or pair[1].problem
        raise EvidenceError(
            problem or f"{_names(pair)} have no figures of lines: kedro run --pipelines evaluation, with larger images"
        )
    lines, others = (sum(figure(each, "reconstructed", name) for name in names) / len(names) for each in pair)
    periods = _listed([int(name.removeprefix("lines_")) for name in names])
    return Outcome(
        lines < FEWER_LINES * others,
        f"{_names(pair)}: {lines:.1f} against {others:.1f} times what the test images have, mean over periods of"
        f" {periods} pixels{_less(lines, others)}",
    )


# ------------------------------------------------------------------------------------------------------------- helpers


def _ae_and_vae(variants: Variants) -> list[tuple[VariantEvidence, VariantEvidence]]:
    """Pair AEs with VAEs of the same network and training; then AEs trained for fewer epochs, which is no advantage."""
    aes, vaes = of_model(variants, "ae"), _usual_first(of_model(variants, "vae"))
    shorter = [(ae, vae) for ae, vae in pairs(aes, vaes, "model", "epochs") if _epochs(ae) < _epochs(vae)]
    return [*pairs(aes, vaes, "model"), *shorter]


def _usual_first(vaes: Iterable[VariantEvidence]) -> list[VariantEvidence]:
    """Order VAEs by how near kl_weight, as a factor, is to the articles'."""
    weighted = [vae for vae in vaes if is_known(setting(vae, "kl_weight"))]
    return sorted(weighted, key=lambda vae: abs(math.log(max(setting(vae, "kl_weight"), 1e-12) / ARTICLES_KL_WEIGHT)))


def _epochs(variant: VariantEvidence) -> float:
    epochs = setting(variant, "epochs")
    return epochs if is_known(epochs) else math.inf


def _prior_group(variant: VariantEvidence) -> str:
    if not variant.prior_group:
        raise EvidenceError(
            variant.problem or "Give evaluation.samplers normal with scale 1: kedro run --pipelines evaluation"
        )
    return variant.prior_group


def _psnr_and_swd(variants: Sequence[VariantEvidence]) -> tuple[list[float], list[float]]:
    """Give the PSNR of the test images' reconstructions and the SWD of images of N(0, I)."""
    psnr = [figure(each, "test", "psnr") for each in variants]
    return psnr, [figure(each, _prior_group(each), "swd") for each in variants]


def _gives_faces(variant: VariantEvidence, group: str) -> bool | None:
    """Say whether generated images are faces; None where their SWD is between the thresholds."""
    ratio = _swd_over_reconstructions(variant, group)
    if _is_grey(variant, group) or ratio >= NO_FACES:
        return False
    return True if ratio <= FACES else None


def _is_grey(variant: VariantEvidence, group: str) -> bool:
    return has(variant, group, "variance") and figure(variant, group, "variance") < GREY


def _images_of(variant: VariantEvidence, group: str) -> str:
    words = f"SWD {figure(variant, group, 'swd'):.0f}, {_swd_over_reconstructions(variant, group):.1f} times that of"
    variance = f", variance {figure(variant, group, 'variance'):.0%}" if has(variant, group, "variance") else ""
    return f"{words} its reconstructions{variance}"


def _swd_over_reconstructions(variant: VariantEvidence, group: str) -> float:
    return figure(variant, group, "swd") / max(figure(variant, "reconstructed", "swd"), 1e-12)


def _falls(values: Sequence[float], tolerance: float) -> bool:
    """Say whether values fall clearly from the first to the last, and rise clearly in no step."""
    never_rise = all(later - earlier <= tolerance for earlier, later in pairwise(values))
    return values[0] - values[-1] > tolerance and never_rise


def _logarithms(values: Iterable[float]) -> list[float]:
    return [math.log(max(value, 1e-12)) for value in values]


def _no_pair(variants: str) -> str:
    return f"Evaluate {variants} with otherwise the same settings: {EXPERIMENTS}"


def _names(pair: Sequence[VariantEvidence]) -> str:
    return " and ".join(each.name for each in pair)


def _psnr(value: float, other: float) -> str:
    lead = value - other
    return f"PSNR {value:.1f} dB against {other:.1f} dB, {abs(lead):.1f} dB {'better' if lead >= 0 else 'worse'}"


def _less(value: float, other: float) -> str:
    return f", {abs(1 - value / other):.0%} {'less' if value <= other else 'more'}" if other else ""


def _after_epochs(epochs: Sequence[float]) -> str:
    return f", after {epochs[0]} epochs against {epochs[1]}" if epochs[0] != epochs[1] else ""


def _listed(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values) or "none"

"""What is said to have changed from one version of the metrics to another."""

from celeba_vae.metrics.differences import Difference, differences
from celeba_vae.metrics.measures import Measure

MEASURES = [
    Measure("psnr", "PSNR", better="higher", number="{:.2f}"),
    Measure("mse", "MSE", better="lower", number="{:.3f}"),
    Measure("sharpness", "Sharpness", number="{:.0%}"),
]


def compare(older, newer, group="test"):
    rows = differences({"vae": {group: older}}, {"vae": {group: newer}}, MEASURES)
    return {row.measure: row for row in rows}


def test_each_measure_has_both_values_and_the_better_one_is_named_by_its_own_direction():
    rows = compare({"psnr": 19.0, "mse": 0.25, "sharpness": 0.5}, {"psnr": 20.5, "mse": 0.5, "sharpness": 0.25})

    assert rows == {
        "psnr": Difference("vae", "test", "psnr", 19.0, 20.5, "better"),
        "mse": Difference("vae", "test", "mse", 0.25, 0.5, "worse"),
        "sharpness": Difference("vae", "test", "sharpness", 0.5, 0.25, None),
    }
    assert {name: row.change for name, row in rows.items()} == {"psnr": 1.5, "mse": 0.25, "sharpness": -0.25}
    back = compare({"psnr": 20.5, "mse": 0.5}, {"psnr": 19.0, "mse": 0.25})
    assert (back["psnr"].verdict, back["mse"].verdict) == ("worse", "better")


def test_what_differs_by_less_than_is_shown_is_the_same_even_across_a_rounding_step():
    rows = compare({"psnr": 19.0049, "mse": 0.1}, {"psnr": 19.0051, "mse": 0.1006})

    assert f"{rows['psnr'].older:.2f}" != f"{rows['psnr'].newer:.2f}"
    assert rows["psnr"].verdict == "same"
    assert rows["mse"].verdict == "worse"


def test_a_value_that_is_not_defined_has_no_difference():
    rows = compare({"psnr": None, "mse": None}, {"psnr": 20.0, "mse": None})

    assert rows["psnr"] == Difference("vae", "test", "psnr", None, 20.0, None)
    assert rows["mse"] == Difference("vae", "test", "mse", None, None, "same")
    assert rows["psnr"].change is rows["mse"].change is None


def test_variants_groups_and_measures_of_only_one_version_are_named():
    older = {"ae": {"test": {"psnr": 23.0}}, "vae": {"normal": {"swd": 40.0}, "test": {"psnr": 19.0, "mse": None}}}
    newer = {"vae": {"test": {"psnr": 19.0, "mae": 0.1}, "mixture": {"swd": 24.0}}, "vae_dense": {"test": {}}}

    assert [row for row in differences(older, newer, MEASURES) if row.only_in] == [
        Difference("ae", only_in="older"),
        Difference("vae", "normal", only_in="older"),
        Difference("vae", "test", "mse", only_in="older"),
        Difference("vae", "test", "mae", newer=0.1, only_in="newer"),
        Difference("vae", "mixture", only_in="newer"),
        Difference("vae_dense", only_in="newer"),
    ]


def test_a_variant_that_was_not_trained_is_one_row_and_none_where_neither_version_measured_it():
    older = {"ae": {}, "vae": {}}
    newer = {"ae": {"test": {"psnr": 23.0}, "normal": {"swd": 40.0}}, "vae": {}}

    assert differences(older, newer, MEASURES) == [Difference("ae", only_in="newer")]


def test_a_larger_gap_of_what_should_be_high_is_not_called_better():
    assert compare({"psnr": 0.3}, {"psnr": 0.9}, group="gap")["psnr"].verdict is None


def test_a_measure_that_nobody_described_is_compared_without_a_verdict():
    assert compare({"latent_dim": 256}, {"latent_dim": 512})["latent_dim"] == Difference(
        "vae", "test", "latent_dim", 256, 512, None
    )

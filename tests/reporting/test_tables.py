"""Tables of measures mark what is better, and say what they can't."""

import pytest

from celeba_vae.metrics.differences import differences
from celeba_vae.metrics.measures import Measure
from celeba_vae.reporting.document import Cell, Table
from celeba_vae.reporting.tables import differences_table, measures_table

PSNR = Measure("psnr", "PSNR", better="higher", unit="dB", number="{:.2f}")
MSE = Measure("mse", "Squared error", better="lower", note="mean over all values")
SHARPNESS = Measure("sharpness", "Sharpness", number="{:.0%}")


def rows_of(table):
    return {row[0].text: row[1:] for row in table.rows}


def test_measures_are_rows_and_variants_columns_with_the_better_value_marked():
    measured = {"vae": {"psnr": 19.041, "mse": 0.02, "sharpness": 0.2}, "ae": {"psnr": 23.456, "mse": 0.01}}

    table = measures_table(measured, [MSE, PSNR, SHARPNESS], title="Reconstruction")

    assert table.columns == ["Measure", "vae", "ae"]
    assert table.rows[0][0] == Cell("Squared error ↓", note="mean over all values")
    assert rows_of(table) == {
        "Squared error ↓": [Cell("0.020"), Cell("0.010", best=True)],
        "PSNR in dB ↑": [Cell("19.04"), Cell("23.46", best=True)],
        "Sharpness": [Cell("20%"), Cell("not defined")],
    }


def test_a_measure_that_no_variant_has_takes_no_row():
    assert list(rows_of(measures_table({"vae": {"psnr": 19.0}}, [PSNR, MSE], "One"))) == ["PSNR in dB ↑"]


@pytest.mark.parametrize(
    ("values", "marked"),
    [
        ((19.0, 19.001), (False, False)),
        ((19.0, None), (False, False)),
        ((None, None), (False, False)),
        ((19.001, 18.0, 18.999), (True, False, True)),
        ((18.0, None, 19.0), (False, False, True)),
    ],
)
def test_nothing_is_best_where_all_look_alike_and_what_looks_like_the_best_is(values, marked):
    measured = {f"v{i}": {"psnr": value} for i, value in enumerate(values)}

    (cells,) = rows_of(measures_table(measured, [PSNR], "PSNR")).values()

    assert tuple(cell.best for cell in cells) == marked


def test_differences_are_grouped_by_variant_and_what_is_the_same_is_only_counted():
    older = {
        "vae": {"test": {"psnr": 19.0, "mse": 0.02, "sharpness": 0.24, "Brightness": 1.0}, "normal": {"mse": 0.3}},
        "ae": {"test": {"psnr": 23.0, "mse": 0.01}},
    }
    newer = {
        "vae": {"test": {"psnr": 18.5, "mse": 0.01, "sharpness": 0.21}},
        "ae": {"test": {"psnr": 23.001, "mse": 0.01}},
        "vae_dense": {"test": {"psnr": 18.0}},
    }
    measures = [PSNR, MSE, SHARPNESS]

    table = differences_table(differences(older, newer, measures), measures, "Changes")

    assert table.columns == ["Measure", "older", "newer", "difference", "the newer is"]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["vae"],
        ["PSNR in dB", "19.00", "18.50", "-0.50", "worse"],
        ["Squared error", "0.020", "0.010", "-0.010", "better"],
        ["Sharpness", "24%", "21%", "-3 points", ""],
        ["Measured in one version only"],
        ["vae", "", "", "", "only in the older"],
        ["vae_dense", "", "", "", "only in the newer"],
    ]
    assert [row[0].note for row in table.rows[-2:]] == ["test: Brightness; normal", ""]
    assert [row[-1].status for row in table.rows if len(row) > 1] == ["bad", "good", None, "open", "open"]
    assert table.note == "2 values are the same after rounding."


def test_equal_versions_have_no_rows():
    metrics = {"vae": {"test": {"psnr": 19.0}}}

    table = differences_table(differences(metrics, metrics, [PSNR]), [PSNR], "Changes")

    assert not table.rows
    assert table.note == "Nothing differs. 1 value is the same after rounding."


def test_a_row_that_does_not_fit_the_columns_is_refused():
    with pytest.raises(ValueError, match="'Claims' has 3 columns, but a row of 2 cells"):
        Table("Claims", ["claim", "figure", "verdict"], [["all holds", "yes"]])

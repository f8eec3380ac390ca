"""Wrong values in words."""

import pytest
from base_config import base_parameters
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from celeba_vae.config.validation import check_parameters, problems
from celeba_vae.errors import SettingError


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    side: int | tuple[int, int] = 3


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    inner: Inner = Inner()
    count: int
    rates: tuple[float, ...] = Field((), max_length=2)

    @model_validator(mode="after")
    def _few(self):
        if self.count > 9:
            raise ValueError("count is too large for rates")
        return self


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ["block.count: Field required"]),
        (
            {"count": "x"},
            ["block.count: Input should be a valid integer, unable to parse string as an integer (given 'x')"],
        ),
        ({"count": 1, "cuont": 1}, ["block.cuont: unknown name; did you mean 'count'?"]),
        ({"count": 1, "zzz": 1}, ["block.zzz: unknown name; known: inner, count, rates"]),
        ({"count": 1, "inner": {"seid": 1}}, ["block.inner.seid: unknown name; did you mean 'side'?"]),
        (
            {"count": 1, "rates": [1, "b"]},
            ["block.rates: Input should be a valid number, unable to parse string as a number (given 'b')"],
        ),
        ({"count": 10}, ["block: count is too large for rates"]),
        (3, ["block: Input should be a valid dictionary or instance of Outer (given 3)"]),
    ],
)
def test_each_problem_is_one_line_with_the_full_name(values, expected):
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(values)

    assert problems(caught.value, Outer, "block") == expected


def test_the_branches_of_a_union_are_one_problem():
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"count": 1, "inner": {"side": "wide"}})

    (line,) = problems(caught.value, Outer)
    assert line.startswith("inner.side: Input should be a valid integer")
    assert "; or Input should be a valid tuple" in line


def test_what_is_wrong_for_all_variants_is_said_once_and_what_is_wrong_in_one_is_named():
    parameters = {**base_parameters(), "hardware": None, "of_a_plugin": {"anything": 1}}
    parameters["training"]["epochs"] = 0
    for name in ("vae", "ae"):
        parameters["variants"][name]["epochs"] = 0
    parameters["variants"]["ae"]["kl_weight"] = -1

    assert wrong(parameters) == [
        "hardware: Input should be a valid dictionary or instance of HardwareConfig (given None)",
        "training.epochs: Input should be greater than 0 (given 0)",
        "variants.ae.kl_weight: Input should be greater than or equal to 0 (given -1)",
    ]


def test_what_no_file_has_is_missed():
    parameters = base_parameters()
    del parameters["evaluation"], parameters["generation"]["interpolation"]["steps"]
    for block in (parameters["training"], *parameters["variants"].values()):
        del block["seed"]

    assert wrong(parameters) == [
        "generation.interpolation.steps: Field required",
        "evaluation: Field required",
        "training.seed: Field required",
    ]


def test_right_parameters_pass():
    check_parameters(base_parameters())


def wrong(parameters):
    with pytest.raises(SettingError) as caught:
        check_parameters(parameters)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]

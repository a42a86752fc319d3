# SPDX-License-Identifier: MIT
"""Limits that contradict themselves, limits as text, and verdicts that cannot be made."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rig.evidence.measurement import Measurement, Outcome, SpecLimit, judge, show
from rig.evidence.statistics import summarise, summarise_value

CYCLES = Measurement("kernel.yield", "cycles", "p99")


def limit(lower: float | None = None, upper: float | None = 400, **more: Any) -> SpecLimit:
    return SpecLimit(lower, upper, more.pop("origin", "requirement: KRN-1"), "limits.toml:1", **more)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"lower": 5, "upper": 4}, "lower 5 is above upper 4"),
        ({"lower": math.nan}, "lower must be a finite number, got nan"),
        ({"upper": math.nan}, "upper must be a finite number, got nan"),
        ({"upper": math.inf}, "upper must be a finite number, got inf"),
        ({"upper": None}, "needs lower, upper or both"),
        ({"origin": " "}, "no source, no limit"),
        ({"origin": "provisional: measured x + 5 %"}, "must be marked provisional"),
        ({"guard_band": 0.5}, "guard_band must be at least 0 and below 0.5"),
        ({"guard_band": math.nan}, "guard_band"),
        ({"statistic": "p42"}, "unknown statistic 'p42'"),
    ],
)
def test_contradictory_limit_is_refused(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        limit(**values)


def test_limit_names_every_contradiction_at_once() -> None:
    with pytest.raises(ValueError, match=r"lower.*origin.*guard_band"):
        limit(lower=9, upper=1, origin="", guard_band=7)


@pytest.mark.parametrize(
    ("lower", "upper", "text"),
    [
        (1, 400, "1 <= x <= 400"),
        (None, 400.0, "x <= 400"),
        (0.25, None, "0.25 <= x"),
        (None, 12345678, "x <= 12345678"),
    ],
)
def test_limit_as_text(lower: float | None, upper: float | None, text: str) -> None:
    assert str(limit(lower, upper)) == text
    assert str(limit(lower, upper, statistic="p99")) == text.replace("x", "p99")


def test_numbers_as_text() -> None:
    assert [show(x) for x in (3.0, 0.1, math.nan, math.inf, -2)] == ["3", "0.1", "nan", "inf", "-2"]


@pytest.mark.parametrize(
    ("name", "unit", "statistic"), [("", "s", "max"), ("a b", "s", "max"), ("a", "", "max"), ("a", "s", "p1")]
)
def test_measurement_needs_name_unit_and_known_statistic(name: str, unit: str, statistic: str) -> None:
    with pytest.raises(ValueError, match=r"needs a name|unknown statistic"):
        Measurement(name, unit, statistic)


def test_limit_in_another_unit_cannot_be_judged() -> None:
    verdict = judge(CYCLES, summarise_value(3), limit(unit="us"))
    assert verdict.outcome is Outcome.ERROR
    assert verdict.note == "measured in cycles, but the limit limits.toml:1 is in us"


def test_value_of_a_distribution_cannot_be_judged() -> None:
    verdict = judge(Measurement("kernel.yield", "cycles"), summarise([1, 2]), limit())
    assert verdict.outcome is Outcome.ERROR
    assert "a distribution of 2" in verdict.note


def test_statistic_of_the_limit_goes_before_that_of_the_measurement() -> None:
    samples = summarise([1] * 99 + [900])
    assert judge(CYCLES, samples, limit()).outcome is Outcome.PASS
    worst = judge(CYCLES, samples, limit(statistic="max"))
    assert (worst.outcome, worst.statistic) == (Outcome.FAIL, "max")


def test_one_nan_among_many_samples_fails() -> None:
    samples = summarise([1.0] * 999 + [math.nan])
    assert judge(CYCLES, samples, limit()).outcome is Outcome.FAIL

# SPDX-License-Identifier: MIT
"""The drawings: small, without ids or fixed colours, and never stopped by odd figures."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from xml.etree import ElementTree as ET

import pytest

from reports import plots
from reports.distribution import distribution
from reports.svg import inked, paper
from rig.evidence.model import MeasurementResult

Measure = Callable[..., MeasurementResult]


@pytest.mark.parametrize(
    ("samples", "limits"),
    [
        ([77, 77, 78, 79], {}),
        ([77] * 2000, {"upper": 77.0, "lower": 77.0}),
        ([77], {"upper": 120.0}),
        ([0], {"lower": 0.0}),
        ([5], {}),
        ([77, 78], {"upper": 1e12, "lower": -1e12}),
        (list(range(5000)), {"upper": 2500.0, "lower": 100.0}),
        ([1.0, math.nan, math.inf], {"upper": 2.0}),
        ([-1e300, 1e300], {"upper": math.nan}),
    ],
)
def test_any_series_is_drawn_small_and_well_formed(
    measure: Measure, samples: Sequence[float], limits: dict[str, float]
) -> None:
    svg = plots.histogram(measure("a<b>&\"'", samples, **limits), distribution(samples))
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert (root.get("aria-label") or "").startswith("Distribution of a<b>&\"'")
    assert len(svg) < 6000
    assert not re.search(r" id=|url\(|xlink|http|#[0-9a-f]{6}|nan", svg)


def test_limits_are_marked_where_they_are_or_pointed_to(measure: Measure) -> None:
    near = plots.histogram(measure("a", [80, 90], upper=85.0), distribution([80, 90]))
    assert "var(--bad-soft)" in near
    assert ">limit 85<" in near
    far = plots.histogram(measure("a", [80, 90], upper=8500.0), distribution([80, 90]))
    assert "var(--bad-soft)" not in far
    assert "limit 8,500 →" in far
    below = plots.histogram(measure("a", [80, 90], lower=-9000.0), distribution([80, 90]))
    assert "← limit −9,000" in below


def test_samples_hit_by_a_tick_stand_apart(measure: Measure) -> None:
    svg = plots.histogram(measure("a", [80, 90]), distribution([80, 90]), distribution([200, 200]))
    assert "hit by a tick: 2" in svg
    assert "var(--bar-tick)" in svg


def test_where_css_does_not_reach_the_colours_of_paper_are_put_in(measure: Measure) -> None:
    m = measure("a", [80, 90], upper=85.0, lower=60.0)
    drawn = inked(plots.histogram(m, distribution([80, 90]), distribution([200])), 215)
    assert 'width="215" height="35"' in drawn
    assert "var(" not in drawn
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawn)) <= set(paper().values())
    assert paper()["bad"] == "#b8261f"


def test_a_limit_of_two_equal_bounds_is_told_once(measure: Measure) -> None:
    svg = plots.histogram(measure("a", [10, 10], upper=10.0, lower=10.0), distribution([10, 10]))
    assert svg.count("limit 10") == 1


def test_without_samples_nothing_is_drawn(measure: Measure) -> None:
    assert plots.histogram(measure("a", []), None) == ""


def test_the_same_samples_give_the_same_bytes(measure: Measure) -> None:
    m = measure("a", [80, 90, 90])
    assert plots.histogram(m, distribution([80, 90, 90])) == plots.histogram(m, distribution([80, 90, 90]))

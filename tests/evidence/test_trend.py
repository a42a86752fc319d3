# SPDX-License-Identifier: MIT
"""Levels, noise and drift of one series: what is found, where, and what must hold of any series."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.evidence.trend import Band, analyse

if TYPE_CHECKING:
    from tests.evidence.nights import noisy, point, series
else:
    from nights import noisy, point, series

FEW = settings(max_examples=60, deadline=None, derandomize=True)
LEVELS = st.lists(st.floats(-1e9, 1e9, allow_nan=False), max_size=80)


def spiked(values: list[float], every: int) -> list[float]:
    return [value * 1.6 if i % every == 7 else value for i, value in enumerate(values)]


@pytest.mark.parametrize("seed", range(8))
def test_noise_with_spikes_is_one_level(seed: int) -> None:
    trend = analyse(series(spiked(noisy(seed, 120), 33)))
    assert (trend.changes, trend.begin, trend.exact, trend.drift) == ((), 0, False, None)
    assert trend.level == pytest.approx(1000, rel=0.004)
    assert trend.noise.lower == pytest.approx(980, abs=8)
    assert trend.noise.upper == pytest.approx(1020, abs=8)


@pytest.mark.parametrize("seed", range(8))
def test_a_step_of_three_noises_is_found_where_it_is(seed: int) -> None:
    values = spiked(noisy(seed, 40) + noisy(seed + 100, 20, 1030), 23)
    (change,) = analyse(series(values)).changes
    assert abs(change.index - 40) <= 2
    assert change.run_id == series(values)[change.index].run_id
    assert (change.before, change.after) == pytest.approx((1000, 1030), rel=0.006)
    assert change.significance < 1e-6


def test_levels_that_come_and_go_are_each_found() -> None:
    values = noisy(1, 60) + noisy(2, 25, 1060) + noisy(3, 60)
    found = [change.index for change in analyse(series(values)).changes]
    assert len(found) == 2
    assert found == pytest.approx([60, 85], abs=2)


def test_a_level_that_differs_too_little_to_count_is_none() -> None:
    values = noisy(1, 200, 1000, 0.001) + noisy(2, 200, 1005, 0.001)
    assert analyse(series(values)).changes == ()
    values = noisy(1, 200, 1000, 0.001) + noisy(2, 200, 1015, 0.001)
    assert [change.index for change in analyse(series(values)).changes] == [200]


def test_half_a_tick_of_the_counter_is_no_change() -> None:
    values = [5.0, 6.0] * 40 + [6.0, 5.0, 5.0] * 30
    assert analyse(series(values)).changes == ()


def test_a_baseline_hides_what_was_before_it() -> None:
    points = series(noisy(1, 60) + noisy(2, 60, 1100))
    assert len(analyse(points).changes) == 1
    trend = analyse(points, points[60].run_id)
    assert (trend.changes, trend.begin) == ((), 60)
    assert trend.level == pytest.approx(1100, rel=0.005)


def test_a_baseline_of_a_run_without_a_point_begins_at_the_next() -> None:
    points = series(noisy(1, 60) + noisy(2, 60, 1100))
    missing = points.pop(60).run_id
    assert analyse(points, missing).begin == 60
    assert math.isnan(analyse(points, "99").level)


def test_drift_is_measured_from_a_reference_that_stays() -> None:
    values = [value * (1 + 0.012 * i / 299) for i, value in enumerate(noisy(4, 300, cv=0.012))]
    trend = analyse(series(values))
    assert trend.changes == ()
    assert trend.drift is not None
    assert (trend.drift.since, trend.drift.reference) == (280, median(values[:30]))
    assert trend.drift.now == median(values[-20:])


# --- series that do not vary by themselves


def test_every_difference_of_an_exact_series_is_a_change() -> None:
    trend = analyse(series([98, 98, 98, 99, 99, 98, 97], exact=True))
    assert trend.exact
    assert [(c.index, c.before, c.after, c.significance) for c in trend.changes] == [
        (3, 98, 99, 0), (5, 99, 98, 0), (6, 98, 97, 0),
    ]  # fmt: skip
    assert (trend.level, trend.noise, trend.begin) == (97, Band(97, 97), 6)


def test_a_series_that_never_varied_is_exact_without_saying_so() -> None:
    trend = analyse(series([4.0] * 20 + [5.0]))
    assert trend.exact
    assert [change.index for change in trend.changes] == [20]


def test_a_series_that_varied_once_before_is_not() -> None:
    assert not analyse(series([4.0] * 20 + [5.0] + [4.0] * 20)).exact


def test_an_image_with_two_figures_makes_an_exact_series_none() -> None:
    points = series([98, 98, 99, 98, 98], exact=True, image="aa")
    assert not analyse(points).exact
    assert analyse(points[:3]).exact  # the newest value may be the first of a new level


# --- the noise floor


def test_runs_of_one_image_give_the_floor() -> None:
    values = noisy(5, 120)
    points = [point(i // 4, v, nth=i % 4) for i, v in enumerate(values)]
    floor = analyse(points).floor
    assert floor is not None
    assert floor == pytest.approx(1.96 * math.sqrt(2) * 10, rel=0.25)


def test_images_that_ran_once_give_none() -> None:
    assert analyse(series(noisy(5, 60))).floor is None


# --- what must hold of any series


@FEW
@given(LEVELS)
def test_any_series_has_a_trend(values: list[float]) -> None:
    points = series(values)
    trend = analyse(points)
    indexes = [change.index for change in trend.changes]
    assert indexes == sorted(set(indexes))
    assert all(0 < index < len(points) for index in indexes)
    assert [change.run_id for change in trend.changes] == [points[i].run_id for i in indexes]
    assert trend.begin == (indexes[-1] if indexes else 0)
    assert math.isnan(trend.level) == (not values)
    assert all(change.before != change.after for change in trend.changes)


@FEW
@given(st.integers(0, 10_000), st.floats(0.001, 1000))
def test_another_unit_changes_no_verdict(seed: int, scale: float) -> None:
    values = noisy(seed, 30) + noisy(seed + 1, 30, 1040)
    one, other = analyse(series(values)), analyse(series([value * scale for value in values]))
    assert [c.index for c in one.changes] == [c.index for c in other.changes]
    assert other.level == pytest.approx(one.level * scale)


@FEW
@given(st.integers(0, 10_000))
def test_a_series_backwards_has_the_same_steps(seed: int) -> None:
    values = noisy(seed, 30) + noisy(seed + 1, 30, 1100)
    there, back = analyse(series(values)), analyse(series(values[::-1]))
    assert [len(values) - c.index for c in back.changes] == [c.index for c in there.changes] == [30]


@FEW
@given(st.integers(0, 10_000), st.floats(1.5, 1e6), st.integers(0, 59))
def test_one_spike_of_any_height_is_no_level(seed: int, height: float, place: int) -> None:
    values = noisy(seed, 60)
    values[place] *= height
    assert [c.index for c in analyse(series(values)).changes if c.index in (place, place + 1)] == []


@FEW
@given(st.integers(0, 10_000), st.lists(st.integers(0, 59), max_size=10))
def test_points_without_a_figure_are_passed_over(seed: int, holes: list[int]) -> None:
    points = series(noisy(seed, 30) + noisy(seed + 1, 30, 1100))
    for hole in set(holes):
        points[hole] = replace(points[hole], value=math.nan)
    (change,) = analyse(points).changes
    assert change.index == next(i for i in range(30, 60) if not math.isnan(points[i].value))

# SPDX-License-Identifier: MIT
"""The statistics of noisy rows, on series whose truth is known; every figure of error here is seeded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from rig.evidence import significance
from rig.evidence.significance import floor_within, holm, intervals, p_values, smallest_effect, weigh

BOTH = ("p50", "p99")
Series = np.ndarray[Any, np.dtype[Any]]


def noisy(seed: int, n: int, middle: float = 10_000, cv: float = 0.02) -> Series:
    """A log-normal series of whole nanoseconds in steps of a 25 MHz counter."""
    drawn = np.random.default_rng(seed).lognormal(np.log(middle), cv, n)
    return (drawn / 40).round().astype(np.int64) * 40


def test_noise_alone_is_found_no_more_often_than_stated() -> None:
    """300 comparisons of 10 rows: of ALPHA = 0.1 % of them a significant row is to be expected."""
    false_alarms = 0
    for comparison in range(300):
        raw = []
        for row in range(10):
            seed = 1000 * comparison + 2 * row
            p, _ = p_values(noisy(seed, 60), noisy(seed + 1, 60), BOTH)
            raw += [p["p50"], p["p99"]]
        false_alarms += min(holm(raw, len(raw))) < significance.ALPHA
    assert false_alarms <= stats.binom(300, significance.ALPHA).ppf(0.999)


def test_a_shift_of_three_percent_is_found() -> None:
    """At a noise of 5 % and 500 samples, in a comparison of 200 rows: power at least 95 %."""
    found = 0
    for seed in range(100):
        evidence = weigh(noisy(2 * seed, 500, cv=0.05), noisy(2 * seed + 1, 500, 10_300, 0.05), BOTH)
        found += holm([evidence.p["p50"]], 400)[0] < significance.ALPHA
    assert found >= 95


def test_a_longer_tail_is_found_though_the_middle_stays() -> None:
    before, after = noisy(1, 2000), noisy(2, 2000)
    after = np.where(np.arange(2000) % 40 == 0, after * 2, after)
    evidence = weigh(before, after, BOTH)
    assert evidence.p["p99"] < 1e-6
    assert evidence.p["p50"] > significance.ALPHA


def test_what_is_too_small_to_count_is_not_tested() -> None:
    evidence = weigh(noisy(1, 100), noisy(2, 100, 20_000), ())
    assert evidence.p == {"p50": 1.0, "p99": 1.0}


def test_constant_series_that_differ_are_certain() -> None:
    evidence = weigh(np.full(50, 400), np.full(60, 440), BOTH)
    assert evidence.p["p50"] < 1e-20
    assert evidence.rank_effect == 1.0
    assert evidence.interval == {"p50": (40.0, 40.0), "p99": (40.0, 40.0)}


def test_rank_effect_is_the_share_of_pairs() -> None:
    evidence = weigh(np.array([1, 2, 3, 4] * 3), np.array([2, 3, 4, 5] * 3), BOTH)
    pairs = [np.sign(b - a) for a in (1, 2, 3, 4) for b in (2, 3, 4, 5)]
    assert evidence.rank_effect == pytest.approx(np.mean(pairs))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005], 4) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01], 10) == pytest.approx([0.1])
    assert holm([0.5, 0.6], 2) == [1.0, 1.0]
    assert holm([], 4) == []


def test_bootstrap_intervals_are_those_of_scipy() -> None:
    """The distribution that is drawn directly is the one that resampling gives."""
    before, after = noisy(5, 400), noisy(6, 400, 10_500)

    def difference(b: Series, a: Series, axis: int = -1) -> Any:
        return np.median(a, axis=axis) - np.median(b, axis=axis)

    resampled = stats.bootstrap(
        (before, after), difference, method="percentile", n_resamples=4000, rng=np.random.default_rng(1)
    ).confidence_interval
    low, high = intervals(before, after)["p50"]
    assert low == pytest.approx(resampled.low, abs=40)
    assert high == pytest.approx(resampled.high, abs=40)


def test_intervals_cover_the_truth_as_often_as_stated() -> None:
    """Of 300 intervals of a difference of medians that is 500 ns, about 95 % hold it."""
    held = 0
    for seed in range(300):
        low, high = intervals(noisy(2 * seed, 300), noisy(2 * seed + 1, 300, 10_500))["p50"]
        held += low <= 500 <= high
    assert 0.92 <= held / 300 <= 1.0


def test_intervals_and_floors_are_the_same_every_time_and_mirrored() -> None:
    before, after = noisy(7, 300), noisy(8, 300, 10_400)
    there, back = intervals(before, after), intervals(after, before)
    assert there == intervals(before.copy(), after.copy())
    for name in BOTH:
        assert there[name] == pytest.approx((-back[name][1], -back[name][0]))
    assert floor_within(before) == floor_within(before.copy())


def test_noise_floor_within_a_run() -> None:
    """Zero for a constant; about 95 % of the differences of real repetitions; larger where a run drifts."""
    assert floor_within(np.full(100, 7)) == {"p50": 0.0, "p99": 0.0}
    medians = [float(np.median(noisy(seed, 1000, cv=0.2))) for seed in range(200)]
    real = float(np.quantile(np.abs(np.diff(medians)), 0.95))
    floor = floor_within(noisy(900, 1000, cv=0.2))["p50"]
    assert real / 2 <= floor <= 2 * real
    drifting = noisy(900, 1000, cv=0.2) + 4 * np.arange(1000)
    assert floor_within(drifting)["p50"] > 3 * floor


@pytest.mark.parametrize(
    ("before", "after", "resolution", "expected"), [(1000, 1000, 0, 10), (1000, 1000, 40, 40), (0, 0, 0, 0)]
)
def test_smallest_effect(before: float, after: float, resolution: float, expected: float) -> None:
    assert smallest_effect(before, after, resolution) == expected

# SPDX-License-Identifier: MIT
"""A board's clock mapped onto the run's: what is stated of the error holds, whatever the link does."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import EvidenceFault
from rig.evidence.target_clock import MOST, Exchange, fit, unwrapped

S = 1_000_000_000
YEARS = 40 * 365 * 24 * 3600 * S

seeds = st.integers(0, 2**32)
drifts = st.floats(-300.0, 300.0)
offsets = st.integers(-YEARS, YEARS)


def exchanges(
    dice: random.Random,
    drift_ppm: float,
    offset_ns: int,
    count: int = 60,
    span_s: float = 30.0,
    resolution_ns: int = 40,
) -> tuple[list[Exchange], Callable[[int], int]]:
    """Exchanges over a link that delays both ways as it likes, and the true host time of a board's time."""

    def target_at(host_ns: int) -> int:
        return offset_ns + round(host_ns * (1 - drift_ppm / 1e6))

    def host_at(target_ns: int) -> int:
        return round((target_ns - offset_ns) / (1 - drift_ppm / 1e6))

    made = []
    for _ in range(count):
        sent = dice.randrange(int(span_s * S))
        there, back = (20_000 + int(dice.expovariate(1 / 80_000)) for _ in "tb")
        if dice.random() < 0.1:
            back += dice.randrange(20_000_000)
        read = target_at(sent + there) // resolution_ns * resolution_ns
        made.append(Exchange(sent, read, sent + there + back, resolution_ns))
    return sorted(made, key=lambda e: e.sent_ns), host_at


@settings(max_examples=60)
@given(seeds, drifts, offsets, st.integers(2, 80))
def test_the_true_time_is_within_the_stated_error(seed: int, drift: float, offset: int, count: int) -> None:
    dice = random.Random(seed)
    asked, host_at = exchanges(dice, drift, offset, count)
    line = fit(asked)
    first, last = line.span
    for target in [first, last, *(dice.randrange(first, last + 1) for _ in range(20))]:
        host, error = line.host(target)
        assert abs(host - host_at(target)) <= error + 2
    outside = last + 3 * (last - first)
    host, error = line.host(outside)
    assert abs(host - host_at(outside)) <= error + 4
    true_ppm = 1e6 * (1 / (1 - drift / 1e6) - 1)
    assert abs(line.drift_ppm - true_ppm) <= line.drift_error_ppm + 0.01
    assert line.uneven_ns == 0.0


def test_the_error_is_that_of_the_shortest_trips_and_not_of_the_mean() -> None:
    asked, host_at = exchanges(random.Random(5), 42.0, -YEARS, count=200)
    line = fit(asked)
    mean_trip = sum(e.received_ns - e.sent_ns for e in asked) / len(asked)
    assert line.error_ns < mean_trip / 10
    assert line.round_trip_ns == min(e.received_ns - e.sent_ns for e in asked)
    middle = sum(line.span) // 2
    assert abs(line.host(middle)[0] - host_at(middle)) < 40_000
    assert line.drift_ppm == pytest.approx(42.0, abs=3.0)


def held_up(seed: int) -> tuple[list[Exchange], list[tuple[int, int]]]:
    """A clock that its host holds up now and then, asked four times every second; and true (target, host)."""
    dice = random.Random(seed)
    now = target = 0
    asked, true = [], []
    for _ in range(40):
        for _ in range(4):
            there, back = (100_000 + int(dice.expovariate(1 / 300_000)) for _ in "tb")
            asked.append(Exchange(now, target + there, now + there + back))
            now, target = now + there + back, target + there + back
            true.append((target, now))
        rate = dice.choice([1.0, 1.0, 0.97, 0.7])
        true.append((target + int(S * rate / 2), now + S // 2))
        now, target = now + S, target + int(S * rate)
    return asked, true[:-2]


@pytest.mark.parametrize("seed", range(5))
def test_a_clock_that_was_held_up_is_read_between_the_nearest_exchanges(seed: int) -> None:
    asked, true = held_up(seed)
    line = fit(asked)
    assert line.uneven_ns > 100_000_000
    for target, was in true:
        host, error = line.host(target)
        assert abs(host - was) <= error + 2
    for knot in line.knots:
        assert line.host(knot.target_ns)[1] < 1_500_000 < line.uneven_ns / 10
    last = line.knots[-1]
    assert line.host(last.target_ns + S)[1] > last.error_ns + line.between_ns


def test_a_coarse_clock_costs_its_resolution_and_no_more() -> None:
    asked, host_at = exchanges(random.Random(7), 10.0, 12345, resolution_ns=1_000_000)
    line = fit(asked)
    assert line.error_ns < 1_500_000
    assert all(abs(line.host(e.target_ns)[0] - host_at(e.target_ns)) <= line.error_ns + 2 for e in asked)


def test_thousands_of_exchanges_are_thinned_to_the_best_of_each_stretch() -> None:
    asked, host_at = exchanges(random.Random(8), 55.0, YEARS, count=20 * MOST, span_s=3600)
    line = fit(asked)
    assert line.exchanges == 20 * MOST
    middle = sum(line.span) // 2
    host, error = line.host(middle)
    assert abs(host - host_at(middle)) <= error < 40_000


@settings(max_examples=60)
@given(st.lists(st.integers(1, 900), min_size=1, max_size=30), st.integers(0, 2**32 - 1), drifts)
def test_a_counter_that_wraps_is_put_together(gaps_s: list[int], start: int, drift: float) -> None:
    """25 MHz wraps every 172 s: the gaps cross up to five wraps, and the run's clock says how many."""
    hz, now, asked, true = 25_000_000, 0, [], []
    for gap_s in gaps_s:
        now += gap_s * S
        ticks = start + round(now * (1 + drift / 1e6)) * hz // S
        true.append(ticks)
        asked.append((now - 50_000, ticks % 2**32, now + 50_000))
    found = [e.target_ns * hz // S for e in unwrapped(asked, hz)]
    assert all(abs((ticks - found[0]) - (was - true[0])) <= 1 for ticks, was in zip(found, true, strict=True))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ([], "at least 2 exchanges, got 0"),
        ([Exchange(0, 0, 10)], "at least 2 exchanges, got 1"),
        ([Exchange(10, 0, 5), Exchange(20, 10, 30)], "answer came before its question"),
        ([Exchange(0, 5 * S, 10), Exchange(20, 0, 30)], "went back between two exchanges"),
    ],
)
def test_what_cannot_be_mapped_is_refused_with_the_reason(asked: Sequence[Exchange], says: str) -> None:
    with pytest.raises(EvidenceFault, match=says):
        fit(asked)


def test_two_readings_of_one_moment_give_the_offset_and_say_that_the_drift_is_unknown() -> None:
    line = fit([Exchange(0, 7, 100), Exchange(0, 7, 60)])
    host, error = line.host(7)
    assert host == 30
    assert 30 <= error <= 32
    assert line.drift_error_ppm >= 900_000


def test_a_counter_without_a_rate_is_refused() -> None:
    with pytest.raises(EvidenceFault, match="rate"):
        unwrapped([(0, 1, 2)], 0)

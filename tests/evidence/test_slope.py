# SPDX-License-Identifier: MIT
"""What has moved for certain: levels with noise, spikes, leaks, and how often chance looks like one."""

from __future__ import annotations

import random

import pytest

from rig.evidence.slope import moved

HOURS = [n / 60 for n in range(120)]


def test_what_stays_has_not_moved() -> None:
    found = moved(HOURS, [7.0] * len(HOURS))
    assert (found.value, found.sure) == (0, 0)


def test_a_leak_of_eight_bytes_a_turn_is_told_to_the_byte() -> None:
    found = moved(HOURS, [50_000 - 8.0 * n for n in range(len(HOURS))])
    assert found.sure == pytest.approx(-8 * 119)
    assert found.hours == pytest.approx(119 / 60)


def test_a_leak_is_found_below_what_comes_and_goes() -> None:
    dice = random.Random(3)
    values = [50_000 - 8.0 * n - dice.choice([0, 0, 0, 1500]) for n in range(len(HOURS))]
    assert -1100 < moved(HOURS, values).sure < -700


def test_spikes_bend_nothing() -> None:
    values = [100.0] * len(HOURS)
    for n in range(100, len(HOURS)):
        values[n] += 400 * (n % 3 == 0)
    assert moved(HOURS, values).sure == 0


def test_how_often_chance_looks_like_a_move() -> None:
    """By its 95 %: one soak in twenty has an interval without 0, and what is sure then is small."""
    dice, sure = random.Random(1), []
    for _ in range(300):
        sure.append(abs(moved(HOURS, [dice.gauss(100, 1) for _ in HOURS]).sure))
    assert sum(s > 0 for s in sure) < 30
    assert max(sure) < 1  # of a figure of 100 whose noise is 1


def test_a_day_of_turns_is_thinned() -> None:
    count = 20_000
    found = moved([n / 600 for n in range(count)], [0.5 * n for n in range(count)])
    assert found.value == pytest.approx(0.5 * (count - 1))


@pytest.mark.parametrize("hours", [HOURS[:7], [1.0] * 20])
def test_too_little_says_nothing(hours: list[float]) -> None:
    with pytest.raises(ValueError, match="a slope needs 8 points over a time"):
        moved(hours, hours)

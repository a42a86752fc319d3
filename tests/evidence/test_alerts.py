# SPDX-License-Identifier: MIT
"""Alerts and baselines: which state may follow which, who must say why, and a clock that jumps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import UsageFault
from rig.evidence.alerts import (
    STATES,
    Alert,
    Baseline,
    State,
    acknowledge,
    alert_id,
    baseline_of,
    drop,
    expect,
    fix,
    moved,
    set_baseline,
)
from rig.evidence.series_key import SeriesKey

KEY = SeriesKey("mps2", "kernel", "yield", "sched.yield", "p50", "")
NOW = datetime(2025, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MAY_FOLLOW = {
    ("suspected", "confirmed"), ("suspected", "expected"), ("suspected", "fixed"),
    ("confirmed", "acknowledged"), ("confirmed", "expected"), ("confirmed", "fixed"),
    ("acknowledged", "acknowledged"), ("acknowledged", "expected"), ("acknowledged", "fixed"),
    ("fixed", "confirmed"),
}  # fmt: skip


def alert(state: State = "confirmed", kind: str = "step") -> Alert:
    assert kind == "step"
    return Alert("a1", KEY, "step", state, "run1", "aa", 100.0, 103.0, "ns", NOW, NOW)


@pytest.mark.parametrize(("now", "then"), list(product(STATES, STATES)))
def test_what_may_follow(now: State, then: State) -> None:
    if (now, then) in MAY_FOLLOW:
        after = moved(alert(now), then, NOW + DAY, reason="so")
        assert (after.state, after.changed_utc, after.reason) == (then, NOW + DAY, "so")
        assert after.opened_utc == NOW
        return
    with pytest.raises(UsageFault, match=f"alert a1 is {now}; it can become"):
        moved(alert(now), then, NOW + DAY)


def test_a_dropped_suspicion_is_over() -> None:
    over = drop(alert("suspected"), NOW, "not seen again")
    assert (over.state, over.dropped, over.open, over.author) == ("fixed", True, False, "rig")
    with pytest.raises(UsageFault, match="that is its end"):
        moved(over, "confirmed", NOW)
    with pytest.raises(UsageFault, match="that is its end"):
        acknowledge(over, "ada", "x", NOW)


def test_only_a_suspicion_is_dropped_and_none_is_fixed() -> None:
    with pytest.raises(UsageFault, match="only a suspicion"):
        drop(alert("confirmed"), NOW, "x")
    with pytest.raises(UsageFault, match="only suspected"):
        fix(alert("suspected"), "ada", "x", NOW)


@pytest.mark.parametrize(("author", "reason", "missing"), [
    ("", "why", "an author"), ("ada", " ", "a reason"), ("", "", "an author and a reason"),
])  # fmt: skip
def test_a_person_has_a_name_and_a_reason(author: str, reason: str, missing: str) -> None:
    for step in (acknowledge, fix, expect):
        with pytest.raises(UsageFault, match=f"this needs {missing}$"):
            step(alert(), author, reason, NOW)
    with pytest.raises(UsageFault, match=f"this needs {missing}$"):
        set_baseline("release", "mps2", "run1", author, reason, NOW)


def test_what_was_expected_moves_the_baseline() -> None:
    before = Baseline("expected a1", 4, KEY, "mps2", "run0", "bob", "old", NOW)
    ended, baseline = expect(alert(), "ada", "the new allocator", NOW + DAY, [before])
    assert (ended.state, ended.author, ended.reason) == ("expected", "ada", "the new allocator")
    assert (baseline.key, baseline.run_id, baseline.version) == (KEY, "run1", 5)
    assert (baseline.author, baseline.reason, baseline.set_utc) == ("ada", "the new allocator", NOW + DAY)


def test_the_last_baseline_of_the_series_or_of_its_board_holds() -> None:
    of_board = set_baseline("release", "mps2", "run5", "ada", "10.6", NOW)
    of_key = set_baseline("mine", "mps2", "run3", "ada", "x", NOW + DAY, key=KEY)
    other = set_baseline("else", "stm32f4", "run9", "ada", "x", NOW + 2 * DAY)
    assert baseline_of(KEY, [of_board, of_key, other]) == of_key
    again = set_baseline("release", "mps2", "run7", "ada", "10.7", NOW + 2 * DAY, [of_board])
    assert again.version == 2
    assert baseline_of(KEY, [again, of_key, of_board]) == again
    assert baseline_of(KEY, [other]) is None


def test_a_baseline_has_a_name() -> None:
    with pytest.raises(UsageFault, match="needs a name"):
        set_baseline(" ", "mps2", "run1", "ada", "x", NOW)


def test_ids_tell_changes_apart() -> None:
    other = SeriesKey("mps2", "kernel", "yield", "sched.yield", "p99", "")
    ids = {alert_id(k, kind, r) for k in (KEY, other) for kind in ("step", "drift") for r in ("run1", "run2")}
    assert len(ids) == 8
    assert alert_id(KEY, "step", "run1") == alert_id(KEY, "step", "run1")


STEPS = st.lists(st.tuples(st.sampled_from(STATES), st.integers(-40_000, 40_000)), max_size=12)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(STEPS)
def test_whatever_is_tried_and_however_the_clock_jumps(steps: list[tuple[State, int]]) -> None:
    now = alert("suspected")
    for then, hours in steps:
        before = now
        try:
            now = moved(before, then, NOW + timedelta(hours=hours), detail={then: hours})
        except UsageFault:
            assert (before.state, then) not in MAY_FOLLOW
            continue
        assert (before.state, then) in MAY_FOLLOW
        assert now.changed_utc >= before.changed_utc >= now.opened_utc
        assert before.detail.items() - {(then, before.detail.get(then))} <= now.detail.items()

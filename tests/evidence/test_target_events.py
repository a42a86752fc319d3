# SPDX-License-Identifier: MIT
"""A board's clocks out of the events of a run: one per boot, and what events say of the board's time."""

from __future__ import annotations

import pytest

from rig.events import Event, Scalar
from rig.evidence.target_events import COUNTER, TICK, BoardClocks, carried_ns, exchange_event

MS = 1_000_000
S = 1000 * MS
HZ = 25_000_000


def asked(at_ns: int, target_ns: int, trip_ns: int = 200_000) -> Event:
    """An exchange in which the board stood at ``target_ns`` in the middle, at ``at_ns``."""
    said = {
        "counter": target_ns * HZ // S % 2**32, "counter_hz": HZ, "ticks": target_ns // MS, "tick_hz": 1000,
        "boot": 1,
    }  # fmt: skip
    return exchange_event("mps2", at_ns - trip_ns // 2, at_ns + trip_ns // 2, said)


def line(at_ns: int, text: str) -> Event:
    return Event(at_ns, "console", "line", "mps2", {"text": text})


def boot(at_ns: int) -> Event:
    return Event(at_ns, "console", "event", "mps2", {"name": "boot", "index": 0})


def test_a_log_line_is_put_where_the_board_wrote_it_and_not_where_it_came() -> None:
    zero = 700 * MS
    late = line(zero + 12 * S + 40 * MS, "I (12000) net: up")
    clocks = BoardClocks([boot(zero), *(asked(zero + at * S, at * S) for at in range(1, 20)), late])
    said = clocks.said(late)
    assert said is not None
    assert abs(said.t_ns - (zero + 12 * S)) <= said.error_ns < 3 * MS
    assert late.t_ns - said.t_ns > 35 * MS


def test_each_boot_has_clocks_of_its_own() -> None:
    first, second = 1 * S, 100 * S
    events = [boot(first), *(asked(first + at * S, at * S) for at in range(1, 9))]
    events += [boot(second), *(asked(second + at * S, at * S) for at in range(1, 9))]
    clocks = BoardClocks(events)
    assert [b.since_ns for b in clocks.boots] == [first, second]
    for zero in (first, second):
        said = clocks.said(line(zero + 5 * S, "W (5000) x: y"))
        assert said is not None
        assert abs(said.t_ns - (zero + 5 * S)) <= said.error_ns
        known = clocks.at(zero + 5 * S)
        assert known is not None
        assert set(known.fits) == {COUNTER, TICK}
        assert abs(known.fits[COUNTER].host(5 * S)[0] - (zero + 5 * S)) <= 100_100


def test_a_counter_is_put_together_over_its_wraps() -> None:
    events = [asked(at * 150 * S, at * 150 * S) for at in range(1, 12)]
    known = BoardClocks(events).boots[0]
    assert abs(known.fits[COUNTER].drift_ppm) < 1
    assert known.fits[COUNTER].span[1] - known.fits[COUNTER].span[0] == 1500 * S


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (line(0, "I (1234) app: hello"), 1234 * MS),
        (line(0, "X (1234) app: hello"), None),
        (line(0, "I (99999999999) app: no such time"), None),
        (Event(0, "console", "event", "b", {"name": "ready", "field.uptime_ms": "17"}), 17 * MS),
        (Event(0, "console", "event", "b", {"name": "ready", "field.uptime_ms": "-1"}), None),
        (Event(0, "mqtt", "message", "b", {"text": "I (1) x: "}), None),
    ],
)
def test_what_carries_the_boards_time(event: Event, says: int | None) -> None:
    assert carried_ns(event) == says


def test_a_run_without_exchanges_maps_nothing() -> None:
    clocks = BoardClocks([boot(5), line(10, "I (1) app: up")])
    assert clocks.boots == []
    assert clocks.at(10) is None
    assert clocks.said(line(10, "I (1) app: up")) is None


@pytest.mark.parametrize(
    "damage", [{"sent_ns": "soon"}, {"counter_hz": 0, "tick_hz": 0}, {"counter": None, "ticks": None}]
)
def test_exchanges_that_make_no_sense_are_said_and_map_nothing(damage: dict[str, Scalar]) -> None:
    events = [asked(at * S, at * S) for at in range(1, 5)]
    for event in events:
        event.data.update(damage)
    known = BoardClocks(events).boots[0]
    assert known.fits == {}
    assert all(known.why[name] for name in (COUNTER, TICK))

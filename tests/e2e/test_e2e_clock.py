# SPDX-License-Identifier: MIT
"""The clocks of an emulated board on the run's clock: mapped if free or paced, refused if exact."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.bench.session import open_session
from rig.deadline import settle
from rig.emulator.arrangement import Arrangement, Clock
from rig.events import Event, RunClock
from rig.evidence.target_events import COUNTER, TICK, BoardClocks
from rig.pytest_plugin.clock_watch import ClockWatch
from tests.e2e.bench_place import BOARD, BenchPlace

pytestmark = pytest.mark.emulated


def watched(place: BenchPlace, image: Path, mode: Clock, boots: int) -> tuple[BoardClocks, list[Event]]:
    """The clocks of a board that is asked ten times over two seconds after each boot, and the exchanges."""
    clock, events = RunClock(), list[Event]()
    seen: ClockWatch | None = None

    def hear(event: Event) -> None:
        if seen is not None:
            seen.note(event)

    arranged = Arrangement(clock=mode)
    with open_session(place.inventory(), BOARD, clock=clock, sink=hear, arrangement=arranged) as session:
        seen = ClockWatch(BOARD, lambda: session.console, lambda: mode, clock, events.append, fine=True)
        session.flash(image)
        for _ in range(boots):
            session.restart()
            for _ in range(10):
                seen.look()
                settle(0.2)
        return seen.clocks(), events


@pytest.mark.parametrize("mode", ["free", "paced"])
def test_every_reading_lies_within_the_stated_error(place: BenchPlace, app_elf: Path, mode: Clock) -> None:
    clocks, events = watched(place, app_elf, mode, boots=2)
    assert [set(boot.fits) for boot in clocks.boots] == [{COUNTER, TICK}] * 2
    outside: list[tuple[float, float]] = []
    for event in events:
        boot = clocks.at(event.t_ns)
        assert boot is not None
        line = boot.fits[COUNTER]
        host, error = line.host(int(str(event.data["counter"])) * 40)
        sent, received = (int(str(event.data[name])) for name in ("sent_ns", "received_ns"))
        by = max(sent - host, host - received) - error
        assert by <= 0 or line.knots, f"{by} ns outside of a bound of {error} ns"
        outside += [(by, error)] if by > 0 else []
    assert len(events) == 2 * 10 * 4
    # Where the host held the emulator up, the error between two looks is an estimate and no bound.
    assert len(outside) <= len(events) // 5, outside
    if mode == "free":
        for boot in clocks.boots:
            line = boot.fits[COUNTER]
            assert abs(line.drift_ppm) <= line.drift_error_ppm + 100, "the free counter is the host's time"
            assert line.error_ns < 20_000_000


def test_a_run_on_the_exact_clock_says_that_no_time_of_the_board_is_mapped(place: BenchPlace) -> None:
    place.rig("qualify", "--board", BOARD, "--suite", "boot")
    run = place.run()
    told = [event for event in run.events if event.source == "clock"]
    assert [(event.kind, event.data["why"]) for event in told] == [
        ("refused", "on the exact clock its time is not that of the host")
    ]
    assert not list(run.path.rglob("clock.json"))


def test_a_run_on_the_free_clock_keeps_the_fit(place: BenchPlace) -> None:
    place.edit("clock: exact, icount_shift: 7", "clock: free")
    place.edit(", exact-clock", "")
    place.rig("qualify", "--board", BOARD, "--suite", "boot")
    run = place.run()
    kept = json.loads((run.path / "artifacts" / BOARD / "clock.json").read_text())
    assert kept["board"] == BOARD
    assert len(kept["boots"]) > 3
    assert all(boot["counter"]["error_ns"] > 0 for boot in kept["boots"] if "counter" in boot)
    clocks = BoardClocks(run.events)
    mapped = [(event, said) for event in run.events if (said := clocks.said(event)) is not None]
    assert len(mapped) > 10
    assert all(said.t_ns - said.error_ns <= event.t_ns for event, said in mapped)

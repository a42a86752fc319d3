# SPDX-License-Identifier: MIT
"""What happened when, in one drawing per board; and the same in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

from reports.timeline import MOST_MOMENTS, WIDTH, moments, timeline
from rig.events import Event
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult

Attempt = Callable[..., CaseResult]
S = 1_000_000_000


def event(at_s: float, source: str, kind: str, **data: str | int | bool) -> Event:
    return Event(int(at_s * S), source, kind, "mps2", dict(data))


EVENTS = [
    event(1.0, "power", "on"),
    event(1.5, "probe", "flashed", image="ab" * 32, bytes=35464, skipped=False),
    event(2.0, "console", "line", text="I boot"),
    event(2.1, "console", "sent", text="@1 id"),
    event(3.98, "console", "lost", reason="the other end closed it"),
    event(4.0, "power", "off"),
    event(5.0, "power", "on"),
    event(8.0, "console", "lost", reason="gone"),
    event(8.1, "power", "off"),
    event(8.2, "console", "lost", reason="the port is without power"),
    event(9.0, "fault", "injected"),
]


def shapes(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg))


def test_all_boards_share_one_scale(attempt: Attempt) -> None:
    cases = [attempt("a", started_ns=2 * S), attempt("b", Outcome.FAIL, started_ns=5 * S, duration_s=1.0)]
    drawn = shapes(timeline("mps2", EVENTS, cases, [], 10.0))
    blocks = {e.get("fill"): e for e in drawn if e.tag == "rect" and "kernel/" in (e.findtext("title") or "")}
    assert set(blocks) == {"var(--good)", "var(--bad)"}
    left = {colour: float(block.get("x") or 0) for colour, block in blocks.items()}
    per_second = (WIDTH - 72) / 10
    assert abs(left["var(--bad)"] - left["var(--good)"] - 3 * per_second) < 0.02
    assert all(0 <= float(e.get("x") or 0) <= WIDTH for e in drawn)


def test_the_supply_is_a_bar_while_it_is_on(attempt: Attempt) -> None:
    drawn = shapes(timeline("mps2", EVENTS, [attempt("a")], [], 10.0))
    bars = [element.findtext("title") for element in drawn if element.tag == "rect"]
    assert "on: 1.000 … 4.000 s" in bars
    assert "on: 5.000 … 8.100 s" in bars


def test_lines_received_stand_above_those_that_were_sent() -> None:
    drawn = shapes(timeline("mps2", EVENTS, [], [3 * S, 3 * S, 7 * S], 10.0))
    paths = {element.get("fill"): element.get("d") or "" for element in drawn if element.tag == "path"}
    assert paths["var(--bar)"].count("M") == 2
    assert paths["var(--bar)"].count("v-") == 2
    assert paths["var(--bar-tick)"].count("M") == 1
    assert "v-" not in paths["var(--bar-tick)"]


def test_only_what_was_not_wanted_is_red() -> None:
    said, more = moments(EVENTS)
    assert more == 0
    assert [moment.what for moment in said if moment.bad] == ["lost: reason gone", "injected"]
    assert said[1].what == "flashed: image abababababab, bytes 35,464, skipped no"
    assert "line" not in {moment.what for moment in said}


def test_a_soak_of_a_day_stays_small(attempt: Attempt) -> None:
    events = [event(n / 10, "console", "line") for n in range(20_000)]
    events += [event(n, "probe", "reset", halted=True) for n in range(500)]
    svg = timeline("mps2", events, [attempt("a")], [n * S for n in range(80_000)], 86_400.0)
    assert len(svg) < 150_000
    assert len(re.findall(r" s</text>", svg)) <= 13
    assert moments(events)[1] == 500 - MOST_MOMENTS


def test_nothing_at_all_is_drawn_without_a_fault() -> None:
    assert "<svg" in timeline("mps2", [], [], [], 0.0)
    assert moments([]) == ((), 0)

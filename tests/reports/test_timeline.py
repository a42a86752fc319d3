# SPDX-License-Identifier: MIT
"""What happened when, in one drawing per board; and the same in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

from reports.lanes import faults, sorted_out
from reports.timeline import MOST_MOMENTS, WIDTH, moments, timeline
from reports.timeline_data import timeline_data
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
    drawn = shapes(timeline(sorted_out("mps2", EVENTS, cases, [], 10.0)))
    blocks = {e.get("fill"): e for e in drawn if e.tag == "rect" and "kernel/" in (e.findtext("title") or "")}
    assert set(blocks) == {"var(--good)", "var(--bad)"}
    left = {colour: float(block.get("x") or 0) for colour, block in blocks.items()}
    per_second = (WIDTH - 72) / 10
    assert abs(left["var(--bad)"] - left["var(--good)"] - 3 * per_second) < 0.02
    assert all(0 <= float(e.get("x") or 0) <= WIDTH for e in drawn)


def test_the_supply_is_a_bar_while_it_is_on(attempt: Attempt) -> None:
    drawn = shapes(timeline(sorted_out("mps2", EVENTS, [attempt("a")], [], 10.0)))
    bars = [element.findtext("title") for element in drawn if element.tag == "rect"]
    assert "on, 1.000 s + 3.000 s" in bars
    assert "on, 5.000 s + 3.100 s" in bars


def test_lines_received_stand_above_those_that_were_sent() -> None:
    drawn = shapes(timeline(sorted_out("mps2", EVENTS, [], [3 * S, 3 * S, 7 * S], 10.0)))
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
    svg = timeline(sorted_out("mps2", events, [attempt("a")], [n * S for n in range(80_000)], 86_400.0))
    assert len(svg) < 150_000
    assert len(re.findall(r" s</text>", svg)) <= 13
    assert moments(events)[1] == 500 - MOST_MOMENTS


def test_nothing_at_all_is_drawn_without_a_fault() -> None:
    assert "<svg" in timeline(sorted_out("mps2", [], [], [], 0.0))
    assert moments([]) == ((), 0)


NETWORK = [
    event(1.0, "mqtt", "message", topic="<b>&</template><script>alert(1)</script>", bytes=3),
    event(1.5, "network", "dhcp", address="10.0.2.15"),
    event(2.0, "fault", "begin", what="delay", where="ethernet", ms=20),
    event(3.0, "fault", "begin", what="loss", where="ethernet"),
    event(4.0, "fault", "end", what="delay", where="ethernet"),
    event(5.0, "fault", "end", what="never begun", where="nowhere"),
]


def test_a_fault_is_a_span_and_one_that_is_not_ended_lasts() -> None:
    found = faults(NETWORK, 10 * S)
    assert [(span.begin_ns / S, span.end_ns / S, span.says) for span in found] == [
        (2.0, 4.0, "delay on ethernet, ms 20"), (3.0, 10.0, "loss on ethernet"),
    ]  # fmt: skip


def test_faults_of_one_kind_at_one_place_are_told_apart_by_their_number() -> None:
    def withheld(at_s: float, kind: str, number: int) -> Event:
        return event(at_s, "fault", kind, what="withhold", where="proxy", fault=number, packet="PUBACK")

    events = [withheld(1, "begin", 1), withheld(2, "begin", 2), withheld(3, "end", 1), withheld(5, "end", 2)]
    found = faults(events, 10 * S)
    assert [(span.begin_ns / S, span.end_ns / S, span.says) for span in found] == [
        (1.0, 3.0, "withhold on proxy, packet PUBACK"), (2.0, 5.0, "withhold on proxy, packet PUBACK"),
    ]  # fmt: skip


def test_lanes_are_there_for_what_there_is() -> None:
    quiet, busy = (sorted_out("mps2", events, [], [], 10.0) for events in (EVENTS[:4], NETWORK))
    assert [lane.name for lane in quiet.lanes] == ["cases", "power", "probe"]
    assert [lane.name for lane in busy.lanes] == ["cases", "power", "probe", "faults", "network", "MQTT"]
    assert "var(--bad-soft)" in timeline(busy)


def test_what_a_script_reads_has_every_time_and_as_many_words_as_there_is_room_for(attempt: Attempt) -> None:
    heard = [n * S // 100 for n in range(900)]
    lines = [f"line {n}" for n in range(900)]
    whole = sorted_out("mps2", [*EVENTS, *NETWORK], [attempt("a")], heard, 10.0, lines)
    told = json.loads(timeline_data(whole, 2_000))
    assert told["end"] == 10_000_000
    uart = told["lanes"][-1]
    (row,) = (row for row in uart["rows"] if row["colour"] == "bar")
    assert (len(row["t"]), sum(row["t"])) == (900, 899 * 10_000)
    assert 20 < len(row["x"]) < 200
    assert row["x"][7] == "line 7"
    assert next(lane["spans"] for lane in told["lanes"] if lane["name"] == "cases") == [
        [1_000_000, 420_000, "good", "kernel/a: PASS", "kernel"]
    ]


def test_no_word_of_a_board_can_leave_the_data(attempt: Attempt) -> None:
    text = timeline_data(
        sorted_out("mps2", NETWORK, [attempt("</template><b>")], [1], 10.0, ["</template>"]), 9_999
    )
    assert not set("<>&") & set(text)
    assert "</template><script>alert(1)</script>" in json.dumps(json.loads(text))


def test_tens_of_thousands_of_events_stay_a_small_part_of_a_page() -> None:
    events = [event(n / 1000, "mqtt", "message", topic=f"a/{n}") for n in range(60_000)]
    whole = sorted_out("mps2", events, [], [n * S // 1000 for n in range(60_000)], 60.0)
    assert len(timeline_data(whole, 100_000)) < 900_000
    assert len(timeline(whole)) < 60_000


def test_a_log_line_says_when_the_board_wrote_it() -> None:
    """The board's second 0 was 1.0 s of the run; its line of 4.000 s came 50 ms late."""
    rates = {"counter_hz": 25_000_000, "tick_hz": 1000}
    asked = [
        event(1 + at, "clock", "exchange", sent_ns=(1 + at) * S, received_ns=(1 + at) * S + 200_000,
              counter=at * 25_000_000, ticks=at * 1000, **rates)
        for at in range(1, 8)
    ]  # fmt: skip
    lines = ["I (4000) net: up", "no log line", "I (900000) net: far from every reading"]
    told = sorted_out("mps2", asked, [], [5_050_000_000, 6 * S, 7 * S], 10.0, lines)
    late, plain, far = told.lines.words
    found = re.fullmatch(
        r"I \(4000\) net: up \(written at the board's 4\.000 s, (.*) ± (.*) ms before it came\)", late
    )
    assert found is not None
    assert abs(float(found[1]) - 50) <= float(found[2]) <= 2.5
    assert (plain, far) == tuple(lines[1:])
    assert [lane.name for lane in told.lanes] == ["cases", "power", "probe"]

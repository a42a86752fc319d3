# SPDX-License-Identifier: MIT
"""The watch over a board's clocks: what it keeps, what it refuses, and that it can make no case fail."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from rig.deadline import Deadline
from rig.errors import BoardSilent, EvidenceFault
from rig.events import Event, RunClock
from rig.links.fields import Fields
from rig.links.interfaces import ConsoleMatch, Mark, Reply, WireEvent
from rig.pytest_plugin.clock_watch import ClockWatch

NOW = {"counter": "25000", "counter_hz": "25000000", "ticks": "1", "tick_hz": "1000", "boot": "1"}


class Answers:
    """A console that gives the same answer to every question, or none."""

    board = "mps2"

    def __init__(self, fields: Mapping[str, str] | None) -> None:
        self.fields = fields
        self.asked: list[str] = []

    def mark(self) -> Mark:
        return Mark(0)

    def request(
        self, command: str, args: Mapping[str, str | int] | None = None, *, deadline: Deadline
    ) -> Reply:
        del args, deadline
        self.asked.append(command)
        if self.fields is None:
            raise BoardSilent("nothing came", board=self.board)
        return Reply(Fields(self.fields), ())

    def expect(self, pattern: bytes, deadline: Deadline, *, since: Mark) -> ConsoleMatch:
        del deadline, since
        text = b" ".join(b"%b=%b" % (k.encode(), v.encode()) for k, v in (self.fields or {}).items())
        found = re.compile(pattern).search(text)
        assert found is not None
        return ConsoleMatch(found, 1_000_000_000, Mark(1))

    def wait_event(self, name: str, deadline: Deadline, *, since: Mark) -> WireEvent:
        raise NotImplementedError

    def send_raw(self, data: bytes) -> None:
        raise NotImplementedError

    def evidence(self, mark: Mark | None = None) -> str:
        raise NotImplementedError


def watch(console: Answers, mode: str = "free", *, fine: bool = True) -> tuple[ClockWatch, list[Event]]:
    events: list[Event] = []
    return ClockWatch("mps2", lambda: console, lambda: mode, RunClock(), events.append, fine=fine), events


def test_every_answer_is_kept_as_an_event() -> None:
    seen, events = watch(Answers(NOW))
    seen.look(rounds=3)
    assert [(e.source, e.kind, e.data["counter"]) for e in events] == [("clock", "exchange", 25000)] * 3
    assert json.loads(seen.as_json())["boots"][0]["counter"]["exchanges"] == 3


def test_the_exact_clock_is_refused_and_the_board_never_asked() -> None:
    console = Answers(NOW)
    seen, events = watch(console, "exact")
    seen.look()
    seen.look()
    assert [(e.kind, e.data["why"]) for e in events] == [
        ("refused", "on the exact clock its time is not that of the host")
    ]
    assert console.asked == []
    with pytest.raises(EvidenceFault, match="exact clock it races"):
        seen.clocks()
    assert seen.as_json() == b""


def test_firmware_without_the_command_is_asked_for_its_milliseconds() -> None:
    console = Answers({"uptime_ms": "1234", "kernel": "V9.0.0"})
    seen, events = watch(console, "hardware", fine=False)
    seen.look(rounds=1)
    assert console.asked == ["id"]
    assert {k: events[0].data[k] for k in ("ticks", "tick_hz")} == {"ticks": 1234, "tick_hz": 1000}


@pytest.mark.parametrize("fields", [None, {}, {"counter": "soon"}, {"counter": "-1"}])
def test_a_board_that_does_not_answer_is_told_once_and_no_case_fails(fields: dict[str, str] | None) -> None:
    seen, events = watch(Answers(fields))
    seen.look()
    seen.look()
    assert [e.kind for e in events] == ["unread"]
    assert seen.as_json() == b""

# SPDX-License-Identifier: MIT
"""A board's clocks as the events of a run tell them, and events that carry the board's time, on the run's.

Owns the form of an exchange kept as an event (source ``clock``, kind ``exchange``: ``sent_ns`` and
``received_ns`` on the run's clock, ``counter``, ``counter_hz``, ``ticks``, ``tick_hz``), that every boot has
clocks of its own, and which events carry what time: a log line ``I (1234) net: …`` and an event with
``uptime_ms`` say milliseconds of the kernel's tick. The mapping is ``target_clock.py``'s.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rig.errors import EvidenceFault
from rig.events import Event, Scalar
from rig.evidence.target_clock import Exchange, Fit, fit, unwrapped

SOURCE: Final = "clock"
EXCHANGE: Final = "exchange"
COUNTER, TICK = "counter", "tick"
"""A board's two clocks: the free-running counter, and the tick of its kernel, which log lines carry."""

_LOG: Final = re.compile(r"[EWID] \((\d{1,10})\) ")
_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class BootClock:
    """What is known of a board's clocks from one boot to the next. ``why``: of a clock that has no fit."""

    since_ns: int
    fits: dict[str, Fit]
    why: dict[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """A time that the board put on an event, mapped: when that was on the run's clock, and within what."""

    target_ns: int
    t_ns: int
    error_ns: float


class BoardClocks:
    """The clocks of one board over a run, boot by boot."""

    def __init__(self, events: Iterable[Event]) -> None:
        """Fits what the events of the board allow; they are in order of time."""
        self.boots = _boots(events)
        self._since = [boot.since_ns for boot in self.boots]

    def at(self, t_ns: int) -> BootClock | None:
        """The clocks of the boot that the board was in at a time of the run."""
        place = bisect.bisect_right(self._since, t_ns) - 1
        return self.boots[place] if place >= 0 else None

    def said(self, event: Event) -> Said | None:
        """The board's own time on an event, mapped; None where it carries none or the clock has no fit.

        Nothing is said of a time before the first reading or after the last.
        """
        target_ns = carried_ns(event)
        boot = self.at(event.t_ns)
        line = boot.fits.get(TICK) if boot is not None else None
        if target_ns is None or line is None or not line.covers(target_ns):
            return None
        t_ns, error_ns = line.host(target_ns)
        return Said(target_ns, t_ns, error_ns + _MS)


def exchange_event(board: str, sent_ns: int, received_ns: int, said: dict[str, int]) -> Event:
    """An exchange as an event: ``said`` are the fields of the board's answer."""
    data: dict[str, Scalar] = {"sent_ns": sent_ns, "received_ns": received_ns, **said}
    return Event(received_ns, SOURCE, EXCHANGE, board, data)


def carried_ns(event: Event) -> int | None:
    """The time that the board itself put on an event, in ns of its kernel's tick, or None."""
    if event.source != "console":
        return None
    if event.kind == "event":
        uptime = str(event.data.get("field.uptime_ms", ""))
        return int(uptime) * _MS if uptime.isdecimal() else None
    if event.kind == "line" and (found := _LOG.match(str(event.data.get("text", "")))):
        return int(found[1]) * _MS
    return None


def _boots(events: Iterable[Event]) -> list[BootClock]:
    kept: list[tuple[int, list[Event]]] = [(0, [])]
    for event in events:
        if (event.source, event.kind) == (SOURCE, EXCHANGE):
            kept[-1][1].append(event)
        elif event.source == "console" and event.data.get("name") == "boot":
            kept.append((event.t_ns, []))
    return [_boot_clock(since, asked) for since, asked in kept if asked]


def _boot_clock(since_ns: int, asked: Sequence[Event]) -> BootClock:
    fits: dict[str, Fit] = {}
    why: dict[str, str] = {}
    for name, value, rate in ((COUNTER, "counter", "counter_hz"), (TICK, "ticks", "tick_hz")):
        try:
            fits[name] = fit(_exchanges(asked, value, rate))
        except EvidenceFault as fault:
            why[name] = fault.message
    return BootClock(since_ns, fits, why)


def _exchanges(asked: Sequence[Event], value: str, rate: str) -> list[Exchange]:
    """The readings of one clock, as far as the answers have it."""
    there = [e.data for e in asked if isinstance(e.data.get(value), int)]
    hz = next((hz for data in there if isinstance(hz := data.get(rate), int)), 0)
    readings = [(_whole(d, "sent_ns"), _whole(d, value), _whole(d, "received_ns")) for d in there]
    return unwrapped(readings, hz) if readings else []


def _whole(data: dict[str, Scalar], key: str) -> int:
    value = data.get(key)
    if not isinstance(value, int):
        raise EvidenceFault(f"an exchange of clocks has no whole number {key!r}: {value!r:.40}")
    return value

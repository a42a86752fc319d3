# SPDX-License-Identifier: MIT
"""Asks a board for its time around every case, so that its clocks can be mapped onto the run's.

Owns when it is asked, the two stamps of the run's clock around an answer, and what is kept: an event per
exchange, and ``clock.json`` with the fit of every boot. The fit is ``rig/evidence/target_clock.py``'s. An
emulated board on the exact clock races through virtual time while it waits: it is not asked at all, and an
event says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from rig.deadline import Deadline
from rig.errors import BoardGarbled, EvidenceFault, RigError
from rig.events import Event, EventSink, RunClock, Scalar
from rig.evidence.target_events import SOURCE, BoardClocks, exchange_event

if TYPE_CHECKING:
    from rig.links.fields import Fields
    from rig.links.interfaces import Console

EXACT: Final = "exact"
ROUNDS: Final = 4
"""Questions at a time: the shortest round trip of several decides."""
_ANSWER_S: Final = 2.0
_ANSWER: Final = ("counter", "counter_hz", "ticks", "tick_hz", "boot")


class ClockWatch:
    """The clocks of one board. ``console`` and ``mode`` are asked anew each time: both change in a run.

    ``mode`` is the board's clock: ``exact``, ``paced``, ``free`` or ``hardware``. ``fine``: the firmware has
    ``time.now``; else its milliseconds since boot are taken from ``id``.
    """

    def __init__(
        self,
        board: str,
        console: Callable[[], Console],
        mode: Callable[[], str],
        clock: RunClock,
        sink: EventSink,
        *,
        fine: bool,
    ) -> None:
        self._board, self._console, self._mode = board, console, mode
        self._clock, self._sink, self._fine = clock, sink, fine
        self._kept: list[Event] = []
        self._refused: set[str] = set()

    def note(self, event: Event) -> None:
        """Sees the events of the run: that the board booted is the end of the clocks it had."""
        if event.source == "console" and event.kind == "event" and event.data.get("name") == "boot":
            self._kept.append(event)

    def look(self, rounds: int = ROUNDS) -> None:
        """Asks ``rounds`` times; never raises: a board that does not answer is the matter of its cases."""
        if (mode := self._mode()) == EXACT:
            self._tell_once("refused", f"on the {mode} clock its time is not that of the host")
            return
        try:
            for _ in range(rounds):
                self._keep(self._exchange())
        except RigError as error:
            self._tell_once("unread", error.message)

    def clocks(self) -> BoardClocks:
        """What is known of the board's clocks by now. Raises EvidenceFault on the exact clock."""
        if self._mode() == EXACT:
            raise EvidenceFault(
                "the board's time cannot be mapped: on the exact clock it races while it waits for the host",
                board=self._board,
                hint="Use the free or the paced clock",
            )
        return BoardClocks(sorted(self._kept, key=lambda event: event.t_ns))

    def as_json(self) -> bytes:
        """The fits of every boot, for ``clock.json``; empty where no clock was read."""
        boots = BoardClocks(sorted(self._kept, key=lambda event: event.t_ns)).boots
        told = [
            {
                "since_ns": boot.since_ns,
                **{n: {**asdict(line), "error_ns": line.error_ns} for n, line in boot.fits.items()},
                **{f"{name}_why": why for name, why in boot.why.items()},
            }
            for boot in boots
        ]
        return (json.dumps({"board": self._board, "boots": told}, indent=1) + "\n").encode() if told else b""

    def _exchange(self) -> Event:
        """One question: when it was sent, and when the line of the answer came, by the reader's own stamp."""
        console = self._console()
        command = "time.now" if self._fine else "id"
        mark, sent_ns = console.mark(), self._clock.now_ns()
        fields = console.request(command, deadline=Deadline.after(_ANSWER_S)).fields
        key = "counter" if self._fine else "uptime_ms"
        if not fields.get(key, "").isdecimal():
            raise BoardGarbled(f"expected {key} in the answer to {command!r}, got {fields!r:.80}")
        ended = rb"\b%b=%b\b" % (key.encode(), fields[key].encode())
        came = console.expect(ended, Deadline.after(0), since=mark)
        return exchange_event(self._board, sent_ns, came.t_ns, _numbers(fields, fine=self._fine))

    def _keep(self, event: Event) -> None:
        self._kept.append(event)
        self._sink(event)

    def _tell_once(self, kind: str, why: str) -> None:
        if kind not in self._refused:
            self._refused.add(kind)
            data: dict[str, Scalar] = {"why": why}
            self._sink(Event(self._clock.now_ns(), SOURCE, kind, self._board, data))


def _numbers(fields: Fields, *, fine: bool) -> dict[str, int]:
    said = {key: int(value) for key, value in fields.items() if value.isdecimal()}
    if fine:
        return {key: said[key] for key in _ANSWER if key in said}
    return {"ticks": said["uptime_ms"], "tick_hz": 1000}

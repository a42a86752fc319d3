# SPDX-License-Identifier: MIT
"""The event record and the run's clock: every UART, probe, power and fault event of a run on one clock.

Owns the shape of an event and what time it carries; who keeps events is no matter of this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    ``t_ns``: nanoseconds on the run's clock. ``source``: the link or part it came from (``console``,
    ``probe``, ``power``, ``fault``, ``case``). ``kind``: what happened (``line``, ``flashed``, ``reset``).
    """

    t_ns: int
    source: str
    kind: str
    board: str | None = None
    data: dict[str, Scalar] = field(default_factory=dict)


EventSink = Callable[[Event], None]
"""Takes an event; never blocks for long and never raises. Called from any thread."""


def discard(event: Event) -> None:
    """The sink of who keeps no events."""
    del event


class RunClock:
    """Monotonic nanoseconds since the run began, tied once to UTC.

    ``zero_ns`` is the beginning on the host's own monotonic clock, which all its processes share.
    """

    def __init__(self) -> None:
        self.started_utc = datetime.now(UTC)
        self.zero_ns = time.monotonic_ns()

    @classmethod
    def shared(cls, started_utc: datetime, zero_ns: int) -> RunClock:
        """The clock of a run that another process of this host began."""
        clock = cls()
        clock.started_utc, clock.zero_ns = started_utc, zero_ns
        return clock

    def now_ns(self) -> int:
        """Nanoseconds since the clock was made."""
        return time.monotonic_ns() - self.zero_ns

    def utc(self, t_ns: int) -> datetime:
        """The UTC moment of a time on this clock."""
        return self.started_utc + timedelta(microseconds=t_ns / 1000)

# SPDX-License-Identifier: MIT
"""How ``rig monitor`` shows events: one line each, coloured on a terminal, plain in a pipe, or JSON.

Owns the choice by source and text, and the line below that says how things stand. What a board says is an
attacker's text: control characters are written out.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TextIO

from reports.event_text import told
from reports.text import one_line
from rig.events import Event

if TYPE_CHECKING:
    from rich.live import Live

SOURCES: Final = ("console", "mqtt", "fault", "network", "power", "probe", "case", "memory", "clock")
QUIET: Final = frozenset({"memory", "clock"})
"""Sources that are shown only where they are asked for: the rig's own readings, one after every case."""
_STYLES: Final = {
    "console": "default", "mqtt": "cyan", "fault": "bold red", "network": "blue", "power": "yellow",
    "probe": "magenta", "case": "bold green", "memory": "dim", "clock": "dim",
}  # fmt: skip
_LONGEST: Final = 2000
_RATE_NS: Final = 5_000_000_000


class Wanted:
    """Which events are shown: by board, source and text."""

    def __init__(self, board: str | None, sources: Collection[str], text: str) -> None:
        self._board, self._text = board, text.lower()
        self._sources = frozenset(sources) or frozenset(SOURCES) - QUIET

    def __call__(self, event: Event) -> bool:
        board = self._board is None or event.board in (None, self._board)
        source = event.source in self._sources or (event.source not in SOURCES and not QUIET & self._sources)
        return board and source and self._text in f"{event.source} {event.kind} {told(event)}".lower()


class View:
    """Shows events as they come. A context manager: on a terminal a line below tells how things stand.

    ``names_board``: events of several boards are shown. Raises BrokenPipeError when nobody reads any more.
    """

    def __init__(self, stream: TextIO, started_utc: datetime, *, as_json: bool, names_board: bool) -> None:
        self._stream, self._started, self._as_json = stream, started_utc, as_json
        self._names_board = names_board
        self._standing = Standing()
        self._live: Live | None = None
        if stream.isatty() and not as_json:
            from rich.console import Console
            from rich.live import Live

            console = Console(file=stream, highlight=False)
            self._live = Live(console=console, refresh_per_second=4, transient=True, redirect_stdout=False)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def count(self, events: Iterable[Event]) -> None:
        """Takes note of how things stand; also of what is not shown."""
        for event in events:
            self._standing.take(event)
        if self._live is not None:
            from rich.text import Text

            self._live.update(Text(one_line(str(self._standing), self._live.console.width), style="reverse"))

    def show(self, events: Iterable[Event]) -> None:
        """A line for each."""
        for event in events:
            self._line(event)
        self._stream.flush()

    def _line(self, event: Event) -> None:
        if self._as_json:
            self._stream.write(json.dumps(self._record(event), ensure_ascii=True) + "\n")
        elif self._live is None:
            self._stream.write(self._text(event) + "\n")
        else:
            from rich.text import Text

            style = _STYLES.get(event.source, "default")
            self._live.console.print(Text(self._text(event), style=style), soft_wrap=True)

    def _text(self, event: Event) -> str:
        board = f"{event.board or '':<8}  " if self._names_board else ""
        text = f"{event.t_ns / 1e9:>12.6f}  {board}{event.source:<8} {one_line(told(event), _LONGEST)}"
        encoding = self._stream.encoding or "utf-8"
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def _record(self, event: Event) -> Mapping[str, Any]:
        return {
            "t_ns": event.t_ns,
            "utc": (self._started + timedelta(microseconds=event.t_ns / 1000)).isoformat(),
            "board": event.board,
            "source": event.source,
            "kind": event.kind,
            "data": dict(event.data),
        }


class Standing:
    """How things stand: power, faults in force, the case, and how much comes."""

    def __init__(self) -> None:
        self._power = ""
        self._faults: dict[str, str] = {}
        self._case = ""
        self._counts: Counter[str] = Counter()
        self._lines: deque[int] = deque(maxlen=100_000)
        self._now_ns = 0

    def take(self, event: Event) -> None:
        """An event came, in order of time or nearly so."""
        self._now_ns = max(self._now_ns, event.t_ns)
        self._counts[event.source] += 1
        match event.source, event.kind:
            case "power", kind:
                self._power = kind
            case "fault", "begin":
                self._faults[fault_key(event)] = fault_key(event)
            case "fault", "end":
                self._faults.pop(fault_key(event), None)
            case "case", "started":
                self._case = str(event.data.get("case"))
            case "case", _:
                self._case = ""
            case "console", "line":
                self._lines.append(event.t_ns)

    def __str__(self) -> str:
        while self._lines and self._lines[0] < self._now_ns - _RATE_NS:
            self._lines.popleft()
        parts = [
            f"{self._now_ns / 1e9:.1f} s",
            f"power {self._power}" if self._power else "",
            self._case,
            f"faults: {', '.join(self._faults.values())}" if self._faults else "",
            f"{len(self._lines) / (_RATE_NS / 1e9):.0f} lines/s",
            *(f"{source} {count:,}" for source, count in self._counts.items() if source not in QUIET),
        ]
        return " " + "  ·  ".join(part for part in parts if part)


def fault_key(event: Event) -> str:
    """What tells a fault from others: what it is, where, and its number where there may be several."""
    return " ".join(str(event.data[key]) for key in ("what", "where", "fault") if key in event.data)

# SPDX-License-Identifier: MIT
"""What the boards do now: runs in progress, read along from their journals; nothing of it holds them up.

Owns which runs go on, and per board the case that runs, the next one, what ended, what is asked of a person,
and the last lines of the console. Keeps a bounded part of what came.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from reports.event_text import told
from reports.text import one_line
from reports.transcript import seconds
from rig.errors import EvidenceFault
from rig.events import Event
from rig.evidence import bundle, records
from rig.evidence.journal_tail import RunTail
from rig.evidence.prompts import SOURCE, Prompt, open_prompts

_NEWEST: Final = 12
"""Folders of runs that are looked at for one that goes on: several controllers may share a place."""
_LINES: Final = 14
_LONGEST_LINE: Final = 240
_SHOWN: Final = frozenset({"console", "probe", "power", "fault", "operator", "mqtt"})


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened on a board: seconds on the run's clock, where, and what."""

    time: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """A case: its suite and name."""

    suite: str
    case: str

    def __str__(self) -> str:
        return f"{self.suite}/{self.case}"


@dataclass(frozen=True, slots=True)
class Activity:
    """A board in a run that goes on. ``planned`` is 0 and ``next`` None where the run does not say."""

    board: str
    run_id: str
    path: Path
    started_utc: datetime
    now: Step | None
    since_s: float
    next: Step | None
    done: Mapping[str, int]
    planned: int
    doing: str
    prompts: tuple[Prompt, ...]
    lines: tuple[Line, ...]

    @property
    def ended(self) -> int:
        """Cases that have ended."""
        return sum(self.done.values())


class Watch:
    """Follows all runs of a folder that go on. Safe to ask from any thread."""

    def __init__(self, runs_dir: Path) -> None:
        self._runs_dir = runs_dir
        self._lock = threading.Lock()
        self._following: dict[str, _Following] = {}

    def look(self) -> list[Activity]:
        """What goes on now, by board."""
        with self._lock:
            names = sorted((p.name for p in self._runs_dir.glob(bundle.RUN_ID_GLOB)), reverse=True)[:_NEWEST]
            for name in names:
                self._follow(name)
            for name in self._following.keys() - set(names):
                del self._following[name]
            found = [activity for following in self._following.values() for activity in following.look()]
        return sorted(found, key=lambda activity: activity.board)

    def _follow(self, name: str) -> None:
        if name not in self._following:
            try:
                tail = RunTail(self._runs_dir / name)
            except EvidenceFault:
                return  # a run that has no header yet, or is none
            self._following[name] = _Following(tail)


class _Following:
    """One run while it is read along."""

    def __init__(self, tail: RunTail) -> None:
        self._tail = tail
        self._boards: dict[str, _Board] = {}

    def look(self) -> list[Activity]:
        """The boards of the run, as long as it goes on."""
        if not self._tail.goes_on:
            return []
        latest = 0
        while came := self._tail.new():
            for record in came:
                latest = max(latest, record["t"])
                self._take(record)
            if len(came) < 1000:
                break
        return [board.activity(self._tail) for board in self._boards.values() if not board.ended]

    def _take(self, record: Mapping[str, Any]) -> None:
        name = record.get("name" if record["type"] == "board" else "board")
        if not isinstance(name, str):
            return
        board = self._boards.setdefault(name, _Board(name))
        try:
            board.take(record)
        except (KeyError, TypeError, ValueError):
            return  # of another rig's making; its reader says so


class _Board:
    """One board of a run while its records come."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ended = False
        self._now: tuple[Step, int] | None = None
        self._planned: list[Step] = []
        self._ended: dict[Step, str] = {}
        self._asked: list[Event] = []
        self._lines: deque[Line] = deque(maxlen=_LINES)
        self._doing = ""
        self._latest = 0

    def take(self, record: Mapping[str, Any]) -> None:
        """Takes one record."""
        self._latest = max(self._latest, record["t"])
        match record["type"]:
            case "planned":
                self._planned = [Step(suite, case) for suite, case in record["cases"]]
            case "case_started":
                self._now = Step(record["suite"], record["case"]), record["t"]
            case "case_finished":
                self._now = None
                self._ended[Step(record["suite"], record["case"])] = str(record["outcome"])
            case "board_ended":
                self.ended = True
            case "event":
                self._event(records.event_from(record))

    def _event(self, event: Event) -> None:
        if event.source == SOURCE:
            self._asked.append(event)
        if event.source in _SHOWN:
            text = one_line(told(_short(event)), _LONGEST_LINE)
            self._lines.append(Line(seconds(event.t_ns), event.source, text))
            if event.source != "console":
                self._doing = f"{event.source}: {text}"

    def activity(self, tail: RunTail) -> Activity:
        """What is known now."""
        step, since = self._now or (None, self._latest)
        return Activity(
            board=self.name,
            run_id=tail.path.name,
            path=tail.path,
            started_utc=tail.started_utc,
            now=step,
            since_s=max(0, self._latest - since) / 1e9,
            next=self._next(),
            done=Counter(self._ended.values()),
            planned=len(self._planned),
            doing=self._doing,
            prompts=tuple(open_prompts(self._asked)),
            lines=tuple(self._lines),
        )

    def _next(self) -> Step | None:
        begun: Sequence[Step] = [*self._ended, *([self._now[0]] if self._now else [])]
        left = [step for step in self._planned if step not in begun]
        return left[0] if left else None


def _short(event: Event) -> Event:
    """The event with the beginnings of its texts."""
    data = {k: v[: 4 * _LONGEST_LINE] if isinstance(v, str) else v for k, v in list(event.data.items())[:20]}
    return replace(event, data=data)

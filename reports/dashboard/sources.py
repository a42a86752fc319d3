# SPDX-License-Identifier: MIT
"""Where the pages get what they show, what a page is, and who is asked whether it is so now.

Owns no page. A ``View`` is the name of a template and what it says; ``site.py`` renders it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reports.dashboard.activity import Activity, Watch
from reports.dashboard.names import slug
from reports.dashboard.night_documents import NightLine, read_nights
from reports.dashboard.records import Analysis, Store
from rig.evidence.alerts import RIG, Alert, State
from rig.evidence.comparison import Comparison
from rig.evidence.series_key import Point, SeriesKey
from rig.evidence.store import BoardNow, IndexedRun
from rig.evidence.trend import Trend

OPEN: tuple[State, ...] = ("suspected", "confirmed")
"""The states of an alert that nobody has answered yet."""
_NIGHT_S = 20 * 3600
_AHEAD = timedelta(days=1)
Comparer = Callable[[Path, Path], Comparison]


def now_utc() -> datetime:
    """The moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Sources:
    """All that is read. What is None or empty is not there, and its page says so.

    ``analyse`` finds the steps of a series, ``compare`` compares two bundles; ``qualifications``,
    ``power_cuts`` and ``nights`` are folders with JSON files of them; ``watch`` knows what goes on now.
    """

    store: Store
    analyse: Analysis | None = None
    compare: Comparer | None = None
    watch: Watch | None = None
    qualifications: Path | None = None
    power_cuts: Path | None = None
    nights: Path | None = None
    suites: tuple[str, ...] = ()
    now: Callable[[], datetime] = field(default=now_utc)

    def trend(self, points: Sequence[Point], baseline: str | None = None) -> Trend | None:
        """The steps of a series; None without an analysis, or where there is nothing to analyse."""
        return self.analyse(points, baseline) if self.analyse is not None and len(points) > 1 else None

    def going_on(self) -> list[Activity]:
        """What the boards do now."""
        return self.watch.look() if self.watch is not None else []

    def board(self, wanted: str) -> BoardNow | None:
        """The board of that slug."""
        return next((board for board in self.store.boards() if slug(board.name) == wanted), None)

    def open_alerts(self) -> list[Alert]:
        """What waits for an answer: what is confirmed first, the newest first."""
        found = self.store.alerts(OPEN)
        return sorted(found, key=lambda a: (a.state != "confirmed", -a.opened_utc.timestamp(), a.id))

    def nights_within(self, span: timedelta) -> list[NightLine]:
        """The nights of plans that began no longer ago, newest first; none of a clock that was wrong."""
        found, now = read_nights(self.nights) if self.nights is not None else [], self.now()
        return [night for night in found if now - span <= night.begun_utc <= now + _AHEAD]

    def last_night(self) -> list[IndexedRun]:
        """The newest run and those begun within 20 hours before it, newest first."""
        runs = self.store.runs(200)
        return [run for run in runs if (runs[0].started_utc - run.started_utc).total_seconds() < _NIGHT_S]


@dataclass(frozen=True, slots=True)
class View:
    """A page: its template, title, the part of the site it belongs to, and what it shows."""

    template: str
    title: str
    section: str
    says: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert as a list shows it, with a small drawing of its series and what may be done."""

    alert: Alert
    spark: str

    @property
    def advice(self) -> str:
        """What is done about it."""
        return "" if self.dropped else _ADVICE.get(self.alert.state, "")

    @property
    def moves(self) -> Mapping[str, str]:
        """What a person may make of it, with the word on the button."""
        return MOVES.get(self.alert.state, {})

    @property
    def person(self) -> str:
        """Who answered it; the rig is no person."""
        return "" if self.alert.author == RIG else self.alert.author

    @property
    def dropped(self) -> bool:
        """Whether it was a suspicion that was not borne out."""
        return self.alert.dropped


_WORDS = {"acknowledged": "Acknowledge", "expected": "It is expected", "fixed": "It is fixed"}
MOVES: Mapping[str, Mapping[str, str]] = {
    "suspected": {"expected": _WORDS["expected"]},
    "confirmed": _WORDS,
    "acknowledged": {key: _WORDS[key] for key in ("expected", "fixed")},
}
"""What a person may make of an alert in each state (``rig/evidence/alerts.py`` has the rules)."""
_ADVICE = {
    "suspected": "It is being measured again before it counts.",
    "confirmed": "Find the cause, or say that it is expected.",
    "acknowledged": "Somebody looks into it.",
    "expected": "The baseline has moved here.",
    "fixed": "Measured well again.",
}


def alert_lines(sources: Sources, alerts: Sequence[Alert], drawn: int = 24) -> list[AlertLine]:
    """The alerts with their drawings; only the first ``drawn`` have one."""
    return [
        AlertLine(alert, spark_of(sources, alert.key) if place < drawn else "")
        for place, alert in enumerate(alerts)
    ]


def spark_of(sources: Sources, key: SeriesKey) -> str:
    """A small drawing of a series."""
    from reports.dashboard.trend_chart import spark

    points = sources.store.series(key)
    return spark(points, sources.trend(points), key.name)

# SPDX-License-Identifier: MIT
"""The first page: what is to be looked at, the boards now, last night, who is flaky. And lists of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from reports.dashboard.activity import Activity
from reports.dashboard.night_documents import NightLine
from reports.dashboard.sources import Sources, View, alert_lines
from reports.text import plural
from rig.evidence.alerts import Alert
from rig.evidence.measurement import NOT_GOOD, Outcome
from rig.evidence.store import BoardNow, IndexedRun

_FLAKY_DAYS: Final = 30
_FLAKIEST: Final = 8
_ALERTS: Final = 12
_MOST_RUNS: Final = 400
_SHOWN: Final = 20
"""Rows of each table of a night."""
_RECENT: Final = timedelta(hours=36)
"""A night that began before that is history."""


@dataclass(frozen=True, slots=True)
class BoardLine:
    """A board: how its last run left it, what it does now, how many alerts wait for an answer."""

    board: BoardNow
    activity: Activity | None
    alerts: int
    stale: bool


@dataclass(frozen=True, slots=True)
class Headline:
    """The page in a few words; ``tone`` is the outcome whose colour they have."""

    tone: str
    words: str
    lead: str


def overview(sources: Sources) -> View:
    """What a person wants to know in the morning."""
    alerts, night, now = sources.open_alerts(), sources.last_night(), sources.now()
    since = now - timedelta(days=_FLAKY_DAYS)
    flakes = [flake for flake in sources.store.flakes(since) if flake.unstable or flake.failed]
    flakes.sort(key=lambda f: -(f.unstable + f.failed) / max(1, f.attempts))
    plans = sources.nights_within(_RECENT)
    says = {
        "headline": headline(alerts, night, plans),
        "plans": plans,
        "shown": _SHOWN,
        "known": {run.run_id for run in night} | {board.name for board in sources.store.boards()},
        "alerts": alert_lines(sources, alerts[:_ALERTS]),
        "more_alerts": max(0, len(alerts) - _ALERTS),
        "boards": board_lines(sources, alerts, now),
        "night": night,
        "flakes": flakes[:_FLAKIEST],
        "flaky_days": _FLAKY_DAYS,
    }
    return View("overview.html.j2", "Overview", "overview", says)


def headline(
    alerts: Sequence[Alert], night: Sequence[IndexedRun], plans: Sequence[NightLine] = ()
) -> Headline:
    """What is wrong, else that nothing is."""
    confirmed = sum(alert.state == "confirmed" for alert in alerts)
    wrong = [run for run in night if run.outcome in NOT_GOOD]
    lead = _night(night)
    if confirmed:
        return Headline("FAIL", f"{plural(confirmed, 'regression')} confirmed", lead)
    if bad := sum(plan.bad for plan in plans):
        return Headline("FAIL", f"{plural(bad, 'case')} in trouble", lead)
    if worse := sum(pair.worse for plan in plans for pair in plan.beside):
        return Headline("FAIL", f"{plural(worse, 'figure')} worse than the baseline", lead)
    if wrong:
        return Headline(wrong[0].outcome.value, f"{plural(len(wrong), 'run')} went wrong", lead)
    if alerts:
        return Headline("ERROR", f"{plural(len(alerts), 'figure')} suspected", lead)
    if not night:
        return Headline(
            "SKIPPED", "No runs yet", "The store is empty. rig demo makes a year of nights to look at."
        )
    return Headline("PASS", "Nothing new", lead)


def _night(night: Sequence[IndexedRun]) -> str:
    if not night:
        return ""
    counted = Counter(run.outcome for run in night)
    boards = {board for run in night for board in run.boards}
    ended = ", ".join(f"{counted[outcome]} {outcome.value}" for outcome in Outcome if counted[outcome])
    return f"Last night {plural(len(night), 'run')} on {plural(len(boards), 'board')}: {ended}."


def board_lines(sources: Sources, alerts: Sequence[Alert], now: datetime) -> list[BoardLine]:
    """Every board, those with trouble first."""
    busy = {activity.board: activity for activity in sources.going_on()}
    counted = Counter(alert.key.board for alert in alerts)
    lines = [
        BoardLine(b, busy.get(b.name), counted[b.name], now - b.started_utc > timedelta(days=2))
        for b in sources.store.boards()
    ]
    return sorted(lines, key=lambda line: (line.board.outcome not in NOT_GOOD, -line.alerts, line.board.name))


def boards(sources: Sources) -> View:
    """All boards."""
    alerts = sources.open_alerts()
    says = {"boards": board_lines(sources, alerts, sources.now())}
    return View("boards.html.j2", "Boards", "boards", says)


def runs(sources: Sources) -> View:
    """The newest runs."""
    found = sources.store.runs(_MOST_RUNS)
    return View("runs.html.j2", "Runs", "runs", {"runs": found, "most": _MOST_RUNS})

# SPDX-License-Identifier: MIT
"""A board: who it is, its runs, its alerts, and its newest figures, with a way to its trend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from reports.dashboard.names import slug
from reports.dashboard.sources import OPEN, Sources, View, alert_lines
from reports.svg import Drawing
from rig.evidence.measurement import NOT_GOOD
from rig.evidence.model import MeasurementResult
from rig.evidence.series_key import SeriesKey
from rig.evidence.store import IndexedRun

_RUNS: Final = 120
_SHOWN_RUNS: Final = 14
_COLOURS: Final = {"PASS": "good", "FAIL": "bad", "ERROR": "error", "ABORTED": "abort", "SKIPPED": "skip"}


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """A series and its newest figure; ``alert`` is the state of an open alert on it.

    ``way`` tells it from the others of the same name: the image's line, the clock, the unit …
    """

    key: SeriesKey
    last: MeasurementResult | None
    value: float | None
    alert: str
    way: str


def board(sources: Sources, wanted: str) -> View | None:
    """The page of the board of that slug."""
    found = sources.board(wanted)
    if found is None:
        return None
    runs = sources.store.runs(_RUNS, found.name)
    alerts = [alert for alert in sources.store.alerts(None) if alert.key.board == found.name]
    waiting = [alert for alert in alerts if alert.state in OPEN]
    activity = next((a for a in sources.going_on() if a.board == found.name), None)
    says = {
        "board": found,
        "activity": activity,
        "strip": run_strip(runs, found.name),
        "runs": runs[:_SHOWN_RUNS],
        "alerts": alert_lines(sources, waiting),
        "settled": [alert for alert in alerts if alert.state not in OPEN],
        "suites": series_lines(sources, found.name),
        "baselines": [b for b in sources.store.baselines() if b.board == found.name],
        "known_suites": sources.suites,
    }
    return View("board.dash.html.j2", found.name, "boards", says)


def names(sources: Sources) -> list[str]:
    """The slugs of all boards."""
    return [slug(board.name) for board in sources.store.boards()]


def series_lines(sources: Sources, board: str | None) -> dict[str, list[SeriesLine]]:
    """The series of a board with its newest figures, or of all boards without, by suite."""
    waiting = {alert.key: alert.state for alert in sources.store.alerts(OPEN)}
    newest = sources.store.newest(board) if board is not None else []
    last = {(m.board, m.suite, m.case, m.name, variant): m for variant, m in newest}
    keys = sorted(sources.store.keys(board), key=lambda k: (k.suite, k.name, k.board, k.case, k.statistic))
    alike = _alike(keys)
    found: dict[str, list[SeriesLine]] = {}
    for key in keys:
        m = last.get((key.board, key.suite, key.case, key.name, key.variant))
        value = figure(m, key.statistic) if m is not None else None
        way = _way(key, alike[_plain(key)])
        found.setdefault(key.suite, []).append(SeriesLine(key, m, value, waiting.get(key, ""), way))
    return found


def _plain(key: SeriesKey) -> SeriesKey:
    return replace(key, variant="")


def _alike(keys: Sequence[SeriesKey]) -> dict[SeriesKey, list[SeriesKey]]:
    """The series that only their variant tells apart."""
    found: dict[SeriesKey, list[SeriesKey]] = {}
    for key in keys:
        found.setdefault(_plain(key), []).append(key)
    return found


def _way(key: SeriesKey, alike: Sequence[SeriesKey]) -> str:
    """The words of the variant that not all of those have; empty where there is one only."""
    common = set.intersection(*(set(other.variant.split()) for other in alike))
    return " ".join(word for word in key.variant.split() if word not in common)


def figure(m: MeasurementResult, statistic: str) -> float:
    """The statistic of a measurement; a single value is its mean."""
    value = getattr(m, "mean" if statistic == "value" else statistic, None)
    return float(value) if isinstance(value, int | float) else float("nan")


def run_strip(runs: Sequence[IndexedRun], board: str) -> str:
    """Returns a bar per run, oldest first, in the colour of its outcome; those that went wrong are taller."""
    if not runs:
        return ""
    step, height = 8.0, 30.0
    drawing = Drawing(step * _RUNS, height)
    left = step * (_RUNS - len(runs))
    for place, run in enumerate(reversed(runs)):
        tall = height if run.outcome in NOT_GOOD else height * 0.6
        colour, told = _COLOURS[run.outcome.value], f"{run.started_utc:%Y-%m-%d %H:%M} {run.outcome.value}"
        drawing.rect(left + place * step, height - tall, step - 2, tall, colour, told)
    return drawing.svg("strip", f"The last {len(runs)} runs of {board[:60]}, the newest at the right")

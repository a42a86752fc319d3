# SPDX-License-Identifier: MIT
"""A run in short: what went wrong, what began with it, its figures with their trends, its console."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reports.dashboard.names import slug
from reports.dashboard.sources import Sources, View, alert_lines
from reports.transcript import TranscriptPage, page, read_console, segments
from reports.view import TROUBLE
from rig.errors import RigError
from rig.evidence.measurement import decide, is_unstable
from rig.evidence.model import CaseResult, MeasurementResult
from rig.evidence.series_key import SeriesKey
from rig.evidence.store import IndexedRun

_MOST: Final = 5000
CONSOLE_BUDGET: Final = 400_000
"""Bytes of console text on the page, shared by the boards of the run."""


def run(sources: Sources, wanted: str, *, console: bool = True) -> View | None:
    """The page of the run of that slug; ``console`` reads its bundle where that is at hand."""
    found, before = _found(sources, wanted)
    if found is None:
        return None
    cases, results = sources.store.cases(found.run_id), sources.store.measurements(found.run_id)
    stories = _stories(cases)
    says = {
        "run": found,
        "before": before,
        "counts": _counts(stories),
        "troubles": [s[-1] for s in stories if decide([c.outcome for c in s]) in TROUBLE],
        "unstable": [s[-1] for s in stories if is_unstable([c.outcome for c in s])],
        "began": alert_lines(sources, [a for a in sources.store.alerts(None) if a.since_run == found.run_id]),
        "figures": _figures(sources, found, results),
        "consoles": consoles(found) if console else {},
        "baselines": [b for b in sources.store.baselines() if b.run_id == found.run_id],
    }
    return View("run.html.j2", found.run_id, "runs", says)


def names(sources: Sources, most: int = _MOST) -> list[str]:
    """The slugs of the newest runs."""
    return [slug(row.run_id) for row in sources.store.runs(most)]


def _found(sources: Sources, wanted: str) -> tuple[IndexedRun | None, IndexedRun | None]:
    """The run, and the one before it that had one of its boards."""
    rows = sources.store.runs(_MOST)
    for place, row in enumerate(rows):
        if slug(row.run_id) == wanted:
            older = (other for other in rows[place + 1 :] if set(other.boards) & set(row.boards))
            return row, next(older, None)
    return None, None


def _stories(cases: Iterable[CaseResult]) -> list[list[CaseResult]]:
    found: dict[tuple[str, str, str], list[CaseResult]] = {}
    for case in sorted(cases, key=lambda c: c.attempt):
        found.setdefault((case.board, case.suite, case.case), []).append(case)
    return list(found.values())


def _counts(stories: Iterable[list[CaseResult]]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for story in stories:
        outcome = decide([case.outcome for case in story]).value
        counted[outcome] = counted.get(outcome, 0) + 1
    return counted


def _figures(
    sources: Sources, found: IndexedRun, results: Iterable[MeasurementResult]
) -> list[tuple[MeasurementResult, SeriesKey | None]]:
    """The measurements, those with a verdict first, each with its series where there is one."""
    keys: dict[tuple[str, str, str, str], SeriesKey] = {}
    for board in found.boards:
        for key in sources.store.keys(board):
            keys.setdefault((key.board, key.suite, key.case, key.name), key)
    ordered = sorted(results, key=lambda m: (m.outcome is None, m.board, m.suite, m.name))
    return [(m, keys.get((m.board, m.suite, m.case, m.name))) for m in ordered]


def consoles(found: IndexedRun) -> dict[str, TranscriptPage]:
    """What the boards said, cut to a budget; of a run whose bundle is not at hand nothing."""
    from rig.evidence.reader import load_run

    try:
        whole = load_run(found.path, with_events=False)
    except (RigError, OSError):
        return {}
    shown = {}
    for board in whole.boards:
        cases = [case for case in whole.cases if case.board == board.name]
        paths = [p for p in segments(board, cases) if p not in whole.sensitive]
        try:
            lines = [line for path in paths for line in read_console(path)]
        except (RigError, OSError):
            continue
        if lines:
            shown[board.name] = page(lines, cases, CONSOLE_BUDGET // len(whole.boards))
    return shown
